//! The governor in an application: senses each frame of the headset, decides once, publishes.
//! In: [`FrameStats`], [`Surroundings`], [`GpuTimes`]. Out: [`CurrentQuality`] (changes only where a value does),
//! [`CurrentLevel`], [`Latest`]. Never: acting itself; deciding where no headset shows frames.

use bevy::prelude::*;

use super::acting::ActingPlugin;
use super::actuators::{Level, Quality};
use super::gpu_clock::GpuClockPlugin;
use super::mode::Mode;
use super::policies::{Asked, Policy};
use super::restraint::Notice;
use super::rules::Rules;
use super::sense::{CpuPhases, FrameSample, GpuTime, History};
use super::state::{Event, Now};
use crate::protocol::blur::Blurs;
use crate::xr::{DeviceHeat, FrameStats, Phases, RecommendedScale, XrPhase};

/// Sensing and deciding, in `First`: after the frame was waited for, before anything works for it.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
pub struct GovernorSystems;

/// Adds the governor. Without a headset's frames nothing is ever decided.
#[derive(Debug, Clone)]
pub struct GovernorPlugin {
    /// What it decides by; [`Rules::validate`] them before.
    pub rules: Rules,
    /// Who decides: ours, or another for comparison.
    pub policy: Policy,
}

impl Default for GovernorPlugin {
    fn default() -> Self {
        let rules = Rules::default();
        Self {
            policy: Policy::ours(&rules),
            rules,
        }
    }
}

impl Plugin for GovernorPlugin {
    fn build(&self, app: &mut App) {
        let full = self.policy.full(&self.rules);
        app.insert_resource(Governor {
            policy: self.policy.clone(),
            history: History::default(),
            rules: self.rules.clone(),
            asked: full,
            frames: 0,
            skipped: 0,
            stale: 0,
            missed: false,
        })
        .insert_resource(CurrentQuality(full.quality))
        .insert_resource(CurrentLevel(Level::Conservative))
        .init_resource::<Mode>()
        .init_resource::<Blurred>()
        .init_resource::<Latest>()
        .init_resource::<GpuTimes>()
        .init_resource::<Surroundings>()
        .add_systems(
            First,
            (heed_the_headset, govern).chain().in_set(GovernorSystems),
        )
        .add_plugins((GpuClockPlugin, ActingPlugin));
    }
}

/// What is in force. Changes only where a value does.
#[derive(Resource, Debug, Clone, Copy, PartialEq)]
pub struct CurrentQuality(pub Quality);

/// How far quality has gone down. Changes only where the level does.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentLevel(pub Level);

/// What learning is read from and is blurred now. Changes only where a mark does.
#[derive(Resource, Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Blurred(pub Blurs);

/// The last decision, with its reason: `why` shows as one line. `None` before the first frame.
#[derive(Resource, Debug, Clone, Copy, Default)]
pub struct Latest(pub Option<Asked>);

/// The GPU time that came back last; whoever reads timestamps puts it here, and the governor takes it.
#[derive(Resource, Debug, Clone, Copy, Default)]
pub struct GpuTimes(pub Option<GpuTime>);

/// What the governor is told of the lesson and the runtime. `time`, `focused` and `heat` are its own; an `event` is taken
/// once.
#[derive(Resource, Debug, Clone, Copy, Default)]
pub struct Surroundings(pub Now);

/// The governor itself: what it has seen, for whoever shows or measures it.
#[derive(Resource)]
pub struct Governor {
    policy: Policy,
    history: History,
    rules: Rules,
    /// In force for the frame in hand.
    asked: Asked,
    /// Of [`FrameStats`], as they were.
    frames: u64,
    skipped: u64,
    stale: u64,
    /// Whether the frame before was missed.
    missed: bool,
}

impl Governor {
    /// Another policy from now on, as if the session had just begun.
    pub fn begin_anew(&mut self, policy: Policy) {
        self.asked = policy.full(&self.rules);
        self.policy = policy;
        self.history.forget();
    }

    /// What the last frame cost; `None` before the first.
    #[must_use]
    pub fn newest(&self) -> Option<&FrameSample> {
        self.history.back(0)
    }
}

/// Focus and heat, as the runtime told them last.
fn heed_the_headset(
    phase: Option<Res<XrPhase>>,
    heat: Option<Res<DeviceHeat>>,
    recommended: Option<Res<RecommendedScale>>,
    mut surroundings: ResMut<Surroundings>,
) {
    let now = &mut surroundings.bypass_change_detection().0;
    // The runtime's own loop has the first word: where it wants less, ours works below that.
    now.limits.scale_ceiling = recommended.map_or(1.0, |it| it.0);
    now.focused = phase.is_none_or(|phase| matches!(*phase, XrPhase::Focused | XrPhase::Absent));
    now.heat = match heat.map_or(DeviceHeat::Normal, |heat| *heat) {
        DeviceHeat::Normal => Notice::Normal,
        DeviceHeat::Warning => Notice::Warning,
        DeviceHeat::Impaired => Notice::Impaired,
    };
}

fn govern(
    time: Res<Time<Real>>,
    stats: Option<Res<FrameStats>>,
    mode: Res<Mode>,
    mut governor: ResMut<Governor>,
    mut gpu: ResMut<GpuTimes>,
    mut surroundings: ResMut<Surroundings>,
    mut quality: ResMut<CurrentQuality>,
    mut level: ResMut<CurrentLevel>,
    mut blurred: ResMut<Blurred>,
    mut latest: ResMut<Latest>,
) {
    // The first frame has no cost yet, and without one there is nothing to decide.
    let Some(stats) = stats.filter(|it| it.frames > governor.frames.max(1)) else {
        return;
    };
    let governor = &mut *governor;
    let skipped = stats.skipped.saturating_sub(governor.skipped).min(255) as u8;
    (governor.frames, governor.skipped) = (stats.frames, stats.skipped);
    // A late picture is mostly one that also made the next period pass without a frame: one event, told once.
    let late = std::mem::replace(&mut governor.stale, stats.stale) < stats.stale;
    let missed = std::mem::replace(&mut governor.missed, skipped > 0);
    let stale = late && skipped == 0 && !missed;
    governor.history.push(FrameSample {
        period: stats.period,
        cpu: phases(&stats),
        gpu: gpu.0.take(),
        wait: stats.wait,
        skipped,
        stale,
        setting: governor.asked.setting,
    });
    let now = &mut surroundings.bypass_change_detection().0;
    now.time = time.elapsed_secs_f64();
    let event = now.event.take();
    if event == Some(Event::SceneLoaded) {
        governor.history.forget();
    }
    let now = Now { event, ..*now };
    let asked = match mode.forced(&governor.rules, &now.limits) {
        Some(forced) => forced,
        None => (governor.policy).decide(&governor.history, &now, &governor.rules),
    };
    governor.asked = asked;
    if level.set_if_neq(CurrentLevel(asked.level)) {
        match asked.why {
            Some(why) => info!(%why, "quality level"),
            None => info!(level = asked.level.name(), "quality level"),
        }
    }
    quality.set_if_neq(CurrentQuality(asked.quality));
    blurred.set_if_neq(Blurred(asked.quality.marks(&governor.rules)));
    latest.0 = Some(asked);
}

/// CPU time by phase; where nobody tells phases apart all of it is simulation.
fn phases(stats: &FrameStats) -> CpuPhases {
    let Some(Phases {
        simulation,
        extract,
        prepare,
        record,
        end,
        overlapped,
    }) = stats.phases
    else {
        return CpuPhases {
            simulation: stats.cpu,
            ..CpuPhases::default()
        };
    };
    CpuPhases {
        simulation,
        prepare: extract + prepare,
        record,
        end,
        overlap: if overlapped {
            simulation.min(prepare + record)
        } else {
            0.0
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bevy::light::DirectionalLightShadowMap;
    use bevy::time::TimeUpdateStrategy;

    use super::*;
    use crate::governor::why::Cause;

    const P: f64 = 1.0 / 72.0;

    fn app() -> App {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, GovernorPlugin::default()))
            .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_secs_f64(
                P,
            )))
            .init_resource::<FrameStats>()
            .init_resource::<DirectionalLightShadowMap>();
        app
    }

    /// Frames whose work at full quality takes so many periods of the CPU and the GPU.
    fn frames(app: &mut App, frames: u32, cpu: f64, gpu: f64) {
        for _ in 0..frames {
            let governor = app.world().resource::<Governor>();
            let quality = app.world().resource::<CurrentQuality>().0;
            let left = |work: [f64; 5], shares: &[f64; 5]| {
                1.0 - shares
                    .iter()
                    .zip(work)
                    .map(|(s, w)| s * (1.0 - w))
                    .sum::<f64>()
            };
            let rules = &governor.rules;
            let seconds = gpu * P * left(quality.gpu_work(rules), &rules.gpu_shares);
            let cpu = cpu * P * left(quality.cpu_work(), &rules.cpu_shares);
            let mut stats = app.world_mut().resource_mut::<FrameStats>();
            stats.frames += 1;
            stats.period = P;
            stats.cpu = cpu;
            let skips = u64::from(seconds > P || cpu > P);
            stats.missed += skips;
            stats.skipped += skips;
            app.world_mut().resource_mut::<GpuTimes>().0 = Some(GpuTime { seconds, age: 0 });
            app.update();
        }
    }

    fn latest(app: &App) -> Asked {
        app.world().resource::<Latest>().0.unwrap()
    }

    #[test]
    fn without_a_headset_nothing_is_decided() {
        let mut app = app();
        app.world_mut().remove_resource::<FrameStats>();
        app.update();
        assert!(app.world().resource::<Latest>().0.is_none());
        assert_eq!(
            app.world().resource::<CurrentLevel>().0,
            Level::Conservative
        );
    }

    #[test]
    fn a_heavy_scene_lowers_quality_says_why_and_stops_missing() {
        let mut app = app();
        frames(&mut app, 100, 0.4, 0.6);
        assert_eq!(latest(&app).why.unwrap().cause, Cause::Steady);
        frames(&mut app, 6, 0.4, 1.5);
        let missed = app.world().resource::<FrameStats>().missed;
        assert!((1..=3).contains(&missed), "{missed}");
        frames(&mut app, 100, 0.4, 1.5);
        assert_eq!(app.world().resource::<FrameStats>().missed, missed);
        let decision = latest(&app);
        assert!(decision.setting.gpu > 0.0 && decision.setting.cpu <= 0.0);
        assert_eq!(app.world().resource::<CurrentLevel>().0, decision.level);
        assert!(decision.level > Level::Conservative);
        assert!(
            decision
                .why
                .unwrap()
                .to_string()
                .contains(decision.level.name())
        );
    }

    #[test]
    fn a_governor_that_is_off_or_held_lets_misses_be_and_stays_where_it_is_told() {
        let told = [
            (Mode::Off, Level::Conservative),
            (Mode::Held(Level::Aggressive), Level::Aggressive),
        ];
        for (mode, level) in told {
            let mut app = App::new();
            app.add_plugins((MinimalPlugins, GovernorPlugin::default()))
                .insert_resource(mode)
                .init_resource::<FrameStats>()
                .init_resource::<DirectionalLightShadowMap>();
            frames(&mut app, 100, 0.2, 0.2);
            assert_eq!(latest(&app).level, level);
            frames(&mut app, 100, 0.2, 3.0);
            assert_eq!(app.world().resource::<CurrentLevel>().0, level);
        }
    }

    #[test]
    fn a_late_picture_is_told_once_and_not_again_with_the_period_that_it_cost() {
        let mut app = app();
        frames(&mut app, 10, 0.3, 0.3);
        let mut frame = |late: u64, skipped: u64| {
            let mut stats = app.world_mut().resource_mut::<FrameStats>();
            stats.frames += 1;
            stats.stale += late;
            stats.skipped += skipped;
            app.update();
            let newest = *app.world().resource::<Governor>().newest().unwrap();
            (newest.stale, newest.skipped)
        };
        assert_eq!(frame(1, 0), (true, 0));
        assert_eq!(frame(0, 0), (false, 0));
        assert_eq!(frame(1, 2), (false, 2));
        assert_eq!(frame(1, 0), (false, 0), "the same lateness");
        assert_eq!(frame(1, 0), (true, 0));
    }

    #[test]
    fn nothing_is_drawn_larger_than_the_runtime_recommends() {
        let mut app = app();
        app.insert_resource(RecommendedScale(0.8));
        frames(&mut app, 10, 0.2, 0.2);
        let scale = |app: &App| app.world().resource::<CurrentQuality>().0.render_scale;
        assert!(scale(&app) <= 0.8);
        app.insert_resource(RecommendedScale(1.0));
        frames(&mut app, 10, 0.2, 0.2);
        assert!(scale(&app) > 0.8);
    }

    #[test]
    fn quality_is_changed_only_where_it_changes() {
        #[derive(Resource, Default)]
        struct Changes(u32);
        let mut app = app();
        app.init_resource::<Changes>().add_systems(
            Update,
            |quality: Res<CurrentQuality>, mut changes: ResMut<Changes>| {
                changes.0 += u32::from(quality.is_changed());
            },
        );
        frames(&mut app, 200, 0.4, 0.6);
        // Once when it was added.
        assert_eq!(app.world().resource::<Changes>().0, 1);
        frames(&mut app, 100, 0.4, 1.5);
        let changes = app.world().resource::<Changes>().0;
        assert!((2..=5).contains(&changes), "{changes}");
    }

    #[test]
    fn shadow_maps_follow() {
        let mut app = app();
        let full = app.world().resource::<DirectionalLightShadowMap>().size;
        let light = app.world_mut().spawn(DirectionalLight {
            shadow_maps_enabled: true,
            ..default()
        });
        let light = light.id();
        frames(&mut app, 100, 0.4, 0.6);
        assert_eq!(
            app.world().resource::<DirectionalLightShadowMap>().size,
            full
        );
        frames(&mut app, 100, 0.4, 1.15);
        let less = app.world().resource::<DirectionalLightShadowMap>().size;
        assert!(less < full && less.is_power_of_two(), "{less}");
        frames(&mut app, 100, 0.4, 1.8);
        let has = |app: &App| {
            let light = app.world().get::<DirectionalLight>(light).unwrap();
            light.shadow_maps_enabled
        };
        assert!(!has(&app));
        frames(&mut app, 72 * 90, 0.4, 0.4);
        assert!(has(&app));
        assert_eq!(
            app.world().resource::<DirectionalLightShadowMap>().size,
            full
        );
    }
}
