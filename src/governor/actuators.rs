//! What can be given up, in which order, and what learning loses by it: presentation first, learning last.
//! Input, physics of held objects, assessment capture, safety panels and the event log have no actuator: they are never
//! shed.

use serde::{Deserialize, Serialize};

use super::rules::{Paths, Rules};
use crate::protocol::blur::{Blur, Blurs};

/// How much is given up on each side: 0 is everything shown, 1 everything given up that may be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// On the CPU's side, 0..1.
    pub cpu: f64,
    /// On the GPU's side, 0..1.
    pub gpu: f64,
}

impl Setting {
    /// Nothing given up.
    pub const FULL: Self = Self { cpu: 0.0, gpu: 0.0 };

    /// Whether both lie in 0..1.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        (0.0..=1.0).contains(&self.cpu) && (0.0..=1.0).contains(&self.gpu)
    }

    /// The larger of the two.
    #[must_use]
    pub fn worst(&self) -> f64 {
        self.cpu.max(self.gpu)
    }
}

/// How far quality has gone down: quarters of the way (`spec/production.md` 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Full quality, or nearly.
    Conservative,
    /// Foveation, shadows and detail.
    Balanced,
    /// Also resolution, physics of loose things, effects; telemetry waits.
    Aggressive,
    /// All that may go; the instructor is told.
    Emergency,
}

impl Level {
    /// The level of a setting.
    #[must_use]
    pub fn of(setting: &Setting) -> Self {
        match setting.worst() {
            it if it < 0.25 => Self::Conservative,
            it if it < 0.5 => Self::Balanced,
            it if it < 0.75 => Self::Aggressive,
            _ => Self::Emergency,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Conservative => "conservative",
            Self::Balanced => "balanced",
            Self::Aggressive => "aggressive",
            Self::Emergency => "emergency",
        }
    }
}

/// What can be turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actuator {
    /// Part of the eye texture's width and height that is drawn, 0.5..1.
    RenderScale,
    /// Fixed foveation, 0 (none)..1 (high).
    Foveation,
    /// Side length of shadow maps as a share of the full one; 0 is off.
    Shadows,
    /// Share of the lights, the least important go first.
    Lights,
    /// Share of the particles.
    Effects,
    /// Level of detail and draw distance of scenery, as a share. What must stay legible keeps its own.
    Detail,
    /// Rate of the physics of loose things, as a share. What is held keeps its own.
    Physics,
    /// Rate of animations, as a share.
    Animation,
    /// Rate of telemetry and prediction, as a share. Attempts and events keep theirs.
    Telemetry,
    /// Rate at which panels are drawn again, as a share.
    Panels,
}

impl Actuator {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::RenderScale,
        Self::Foveation,
        Self::Shadows,
        Self::Lights,
        Self::Effects,
        Self::Detail,
        Self::Physics,
        Self::Animation,
        Self::Telemetry,
        Self::Panels,
    ];

    /// Its name in a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RenderScale => "scale",
            Self::Foveation => "foveation",
            Self::Shadows => "shadows",
            Self::Lights => "lights",
            Self::Effects => "effects",
            Self::Detail => "detail",
            Self::Physics => "physics",
            Self::Animation => "animation",
            Self::Telemetry => "telemetry",
            Self::Panels => "panels",
        }
    }

    /// Whether somebody can see it turn.
    #[must_use]
    pub fn is_visible(self) -> bool {
        self != Self::Telemetry
    }

    /// What learning is read from and this one blurs.
    #[must_use]
    pub fn degrades(self) -> &'static [Blur] {
        match self {
            Self::RenderScale => &[Blur::Precision, Blur::Reading],
            Self::Foveation => &[Blur::VisualSearch],
            Self::Shadows => &[Blur::Precision],
            Self::Lights | Self::Detail => &[Blur::VisualSearch],
            Self::Effects => &[],
            Self::Physics => &[Blur::LooseThings],
            Self::Animation => &[Blur::Demonstration],
            Self::Telemetry => &[Blur::MotionFeatures],
            Self::Panels => &[Blur::Timing],
        }
    }

    /// Where it stands along its path, 0 (full)..1 (the path's end); how much of a perceived loss that is weighs
    /// [`Quality::index`].
    fn way(self, value: f64, paths: &Paths) -> f64 {
        let path = paths.of(self);
        let [full, .., end] = *path;
        if (full - end).abs() < 1e-9 {
            0.0
        } else {
            ((full - value) / (full - end)).clamp(0.0, 1.0)
        }
    }
}

/// What bounds the actuators now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The runtime's recommended size as a share of the eye texture: nothing is drawn larger, so that two loops never
    /// fight. 0..1.
    pub scale_ceiling: f64,
    /// What must stay legible asks for at least this scale. 0..1; it never exceeds the ceiling's effect.
    pub scale_floor: f64,
    /// Whether the runtime can do fixed foveation.
    pub foveation: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            scale_ceiling: 1.0,
            scale_floor: 0.0,
            foveation: true,
        }
    }
}

/// Least scale at which text keeps `needed` pixels per degree, where the full eye texture has `width` pixels across an
/// angle of `left + right` radians to both sides of the view's axis. At the axis a rectilinear picture is coarsest, so
/// this is the floor for the whole of it. 1 where even the full texture can't; 0 where nothing is needed.
#[must_use]
pub fn legible_scale(needed: f64, width: f64, left: f64, right: f64) -> f64 {
    let across = left.abs().tan() + right.abs().tan();
    let per_degree = width / across * 1.0_f64.to_radians();
    if needed <= 0.0 {
        0.0
    } else if per_degree > needed {
        needed / per_degree
    } else {
        1.0
    }
}

/// The value of every actuator.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// See [`Actuator::RenderScale`].
    pub render_scale: f64,
    /// See [`Actuator::Foveation`].
    pub foveation: f64,
    /// See [`Actuator::Shadows`].
    pub shadows: f64,
    /// See [`Actuator::Lights`].
    pub lights: f64,
    /// See [`Actuator::Effects`].
    pub effects: f64,
    /// See [`Actuator::Detail`].
    pub detail: f64,
    /// See [`Actuator::Physics`].
    pub physics: f64,
    /// See [`Actuator::Animation`].
    pub animation: f64,
    /// See [`Actuator::Telemetry`].
    pub telemetry: f64,
    /// See [`Actuator::Panels`].
    pub panels: f64,
}

impl Quality {
    /// What a setting means within the limits. Detail serves both sides, so the side in greater need has it.
    #[must_use]
    pub fn at(setting: &Setting, rules: &Rules, limits: &Limits) -> Self {
        let paths = &rules.paths;
        let gpu = |actuator| along(paths.of(actuator), setting.gpu);
        let cpu = |actuator| along(paths.of(actuator), setting.cpu);
        let ceiling = limits.scale_ceiling.clamp(rules.smallest_scale, 1.0);
        let floor = limits.scale_floor.clamp(rules.smallest_scale, ceiling);
        Self {
            render_scale: gpu(Actuator::RenderScale).clamp(floor, ceiling),
            foveation: if limits.foveation {
                gpu(Actuator::Foveation)
            } else {
                0.0
            },
            shadows: gpu(Actuator::Shadows),
            lights: gpu(Actuator::Lights),
            effects: gpu(Actuator::Effects),
            detail: along(paths.of(Actuator::Detail), setting.worst()),
            physics: cpu(Actuator::Physics),
            animation: cpu(Actuator::Animation),
            telemetry: cpu(Actuator::Telemetry),
            panels: cpu(Actuator::Panels),
        }
    }

    /// The value of one actuator.
    #[must_use]
    pub fn of(&self, actuator: Actuator) -> f64 {
        match actuator {
            Actuator::RenderScale => self.render_scale,
            Actuator::Foveation => self.foveation,
            Actuator::Shadows => self.shadows,
            Actuator::Lights => self.lights,
            Actuator::Effects => self.effects,
            Actuator::Detail => self.detail,
            Actuator::Physics => self.physics,
            Actuator::Animation => self.animation,
            Actuator::Telemetry => self.telemetry,
            Actuator::Panels => self.panels,
        }
    }

    /// One number for it, 1 (full)..0 (all given up): the mean over the actuators of how far each has gone, weighed as
    /// the rules say. An opinion about what people see, and used for comparing policies only, never for deciding.
    #[must_use]
    pub fn index(&self, rules: &Rules) -> f64 {
        let (mut lost, mut all) = (0.0, 0.0);
        for (actuator, weight) in Actuator::ALL.into_iter().zip(rules.index_weights) {
            lost += weight * actuator.way(self.of(actuator), &rules.paths);
            all += weight;
        }
        if all > 0.0 { 1.0 - lost / all } else { 1.0 }
    }

    /// What is blurred beside full quality. Attempts made meanwhile carry it.
    #[must_use]
    pub fn marks(&self, rules: &Rules) -> Blurs {
        Actuator::ALL
            .into_iter()
            .filter(|it| it.way(self.of(*it), &rules.paths) > rules.mark_from)
            .flat_map(Actuator::degrades)
            .fold(Blurs::default(), |marks, signal| marks.with(*signal))
    }

    /// Work of the GPU by kind, each as a share of the work at full quality: pixels, shadows, lights, effects, detail.
    #[must_use]
    pub fn gpu_work(&self, rules: &Rules) -> Work {
        let [foveated, ..] = rules.paths.foveation;
        let saved = |foveation: f64| 1.0 - rules.foveation_saves * foveation;
        let pixels =
            self.render_scale * self.render_scale * saved(self.foveation) / saved(foveated);
        [
            pixels,
            self.shadows * self.shadows,
            self.lights,
            self.effects,
            self.detail,
        ]
    }

    /// Work of the CPU by kind, each as a share of the work at full quality: physics, animation, telemetry, panels, detail.
    #[must_use]
    pub fn cpu_work(&self) -> Work {
        [
            self.physics,
            self.animation,
            self.telemetry,
            self.panels,
            self.detail,
        ]
    }
}

/// Work by kind, each as a share of what it is at full quality. The kinds differ by side.
pub type Work = [f64; 5];

/// Whether two works are the same to the last bit: made from the same setting.
pub(super) fn same_work(one: &Work, other: &Work) -> bool {
    one.iter()
        .zip(other)
        .all(|(one, other)| one.total_cmp(other).is_eq())
}

/// A path's value at a setting: straight lines between its five points.
fn along(path: &[f64; 5], setting: f64) -> f64 {
    let at = setting.clamp(0.0, 1.0) * 4.0;
    let leg = (at as usize).min(3);
    match path.get(leg..leg + 2) {
        Some([from, to]) => from + (to - from) * (at - leg as f64),
        _ => path[0],
    }
}

#[cfg(test)]
#[path = "actuators_tests.rs"]
mod tests;
