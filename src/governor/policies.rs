//! Policies behind one door: ours, none, and two that are published, implemented again from their sources.

use super::actuators::{Actuator, Level, Limits, Quality, Setting};
use super::decide::advance;
use super::rules::{Path, Paths, Rules};
use super::sense::History;
use super::state::{Now, State};
use super::why::Why;

mod unreal;
mod valve;

pub use unreal::Unreal;
pub use valve::Valve;

/// What a policy asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked {
    /// The value of every actuator.
    pub quality: Quality,
    /// Ours only: how much is given up.
    pub setting: Setting,
    /// Level: ours, or for others by how far the scale has gone down.
    pub level: Level,
    /// Periods that each picture is to be shown for: 2 where the policy asks for half the rate.
    pub every: u32,
    /// Why, where the policy says.
    pub why: Option<Why>,
}

/// A policy, with what it remembers.
#[derive(Debug, Clone)]
pub enum Policy {
    /// Full quality, whatever happens.
    Off,
    /// Ours.
    Ours(Box<State>),
    /// Valve's adaptive quality.
    Valve(Valve),
    /// Unreal's dynamic resolution.
    Unreal(Unreal),
}

impl Policy {
    /// Ours, from the beginning.
    #[must_use]
    pub fn ours(rules: &Rules) -> Self {
        Self::Ours(Box::new(State::new(rules)))
    }

    /// What is in force before the first frame.
    #[must_use]
    pub fn full(&self, rules: &Rules) -> Asked {
        scaled(1.0, rules)
    }

    /// What is in force from the next frame on; called once for each frame, after its sample was pushed.
    pub fn decide(&mut self, history: &History, now: &Now, rules: &Rules) -> Asked {
        match self {
            Self::Off => scaled(1.0, rules),
            Self::Ours(state) => {
                let decision = advance(history, state, rules, now);
                Asked {
                    quality: decision.quality,
                    setting: decision.setting,
                    level: decision.level,
                    every: 1,
                    why: Some(decision.why),
                }
            }
            Self::Valve(valve) => {
                let scale = valve.decide(history, now.limits.scale_ceiling);
                Asked {
                    every: 1 + u32::from(valve.interleaved()),
                    ..scaled(scale, rules)
                }
            }
            Self::Unreal(unreal) => scaled(unreal.decide(history), rules),
        }
    }
}

/// Our rules with nothing but the render scale to turn: what is left of us with the others' one lever.
#[must_use]
pub fn scale_only(rules: &Rules) -> Rules {
    let still = |path: &Path| [path[0]; 5];
    let paths = &rules.paths;
    Rules {
        gpu_shares: [0.8, 0.0, 0.0, 0.0, 0.0],
        paths: Paths {
            render_scale: [1.0, 0.9, 0.8, 0.7, 0.5],
            foveation: still(&paths.foveation),
            shadows: still(&paths.shadows),
            lights: still(&paths.lights),
            effects: still(&paths.effects),
            detail: still(&paths.detail),
            physics: still(&paths.physics),
            animation: still(&paths.animation),
            telemetry: still(&paths.telemetry),
            panels: still(&paths.panels),
        },
        smallest_scale: 0.5,
        ..rules.clone()
    }
}

/// Full quality but for the scale. Policies may go below our own smallest scale.
fn scaled(scale: f64, rules: &Rules) -> Asked {
    let full = Quality::at(&Setting::FULL, rules, &Limits::default());
    let [most, .., least] = rules.paths.of(Actuator::RenderScale);
    let gone = ((most - scale) / (most - least).max(1e-9)).clamp(0.0, 1.0);
    Asked {
        quality: Quality {
            render_scale: scale,
            ..full
        },
        setting: Setting::FULL,
        level: Level::of(&Setting {
            cpu: 0.0,
            gpu: gone,
        }),
        every: 1,
        why: None,
    }
}

#[cfg(test)]
#[path = "policies_tests.rs"]
mod tests;
