//! Under which circumstances hands act: frames that came too late, hands that were lost from sight.
//! Whoever judges what was done takes this along, so that bad hardware never becomes low mastery.

use bevy::prelude::*;

use crate::learning::quality::Quality;
use crate::xr::FrameStats;
use crate::xr::rig::{Hand, HandInput};

/// How far back circumstances reach, seconds: a deed takes about this long.
const MEMORY: f32 = 1.0;
/// A hand out of sight for longer than this is not in use, seconds: people put a controller down.
const AT_REST: f32 = 4.0;

/// Frame health and tracking of the last second.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Default)]
pub struct Circumstances {
    quality: Quality,
    frames: u64,
    missed: u64,
}

impl Circumstances {
    /// The quality of an observation made now.
    #[must_use]
    pub fn quality(&self) -> Quality {
        self.quality
    }
}

/// How well a hand was seen in the last second, and for how long it has not been.
#[derive(Component, Debug)]
pub(super) struct Seen {
    share: f64,
    unseen: f32,
}

impl Default for Seen {
    /// Not in use.
    fn default() -> Self {
        Self {
            share: 1.0,
            unseen: f32::INFINITY,
        }
    }
}

pub(super) fn follow_circumstances(
    time: Res<Time<Real>>,
    stats: Option<Res<FrameStats>>,
    mut hands: Query<(&HandInput, &mut Seen), With<Hand>>,
    mut circumstances: ResMut<Circumstances>,
) {
    // As far as what is new replaces what was, at whatever frame rate.
    let newer = f64::from(1.0 - (-time.delta_secs() / MEMORY).exp());
    if let Some(stats) = stats {
        let shown = stats.frames.saturating_sub(circumstances.frames);
        let missed = stats.missed.saturating_sub(circumstances.missed);
        (circumstances.frames, circumstances.missed) = (stats.frames, stats.missed);
        // No frames at all (headset put down): nothing is learnt, and nothing is judged meanwhile.
        if shown > 0 {
            let in_time = 1.0 - missed.min(shown) as f64 / shown as f64;
            let health = &mut circumstances.quality.frame_health;
            *health += newer * (in_time - *health);
        }
    }
    let mut tracking = 1.0_f64;
    for (input, mut seen) in &mut hands {
        if input.tracked {
            if seen.unseen > AT_REST {
                seen.share = 1.0;
            }
            seen.unseen = 0.0;
        } else {
            seen.unseen += time.delta_secs();
        }
        seen.share += newer * (f64::from(input.tracked) - seen.share);
        if seen.unseen <= AT_REST {
            tracking = tracking.min(seen.share);
        }
    }
    circumstances.quality.tracking = tracking.clamp(0.0, 1.0);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bevy::time::TimeUpdateStrategy;

    use super::*;
    use crate::xr::rig::Side;

    fn app() -> (App, Entity) {
        let mut app = App::new();
        app.add_plugins(MinimalPlugins)
            .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(
                20,
            )))
            .init_resource::<Circumstances>()
            .init_resource::<FrameStats>()
            .add_systems(Update, follow_circumstances);
        let hand = app
            .world_mut()
            .spawn((Hand(Side::Right), HandInput::default(), Seen::default()))
            .id();
        app.update();
        (app, hand)
    }

    fn quality(app: &App) -> Quality {
        app.world().resource::<Circumstances>().quality()
    }

    fn run(app: &mut App, hand: Entity, frames: u32, tracked: bool, missed: u64) {
        for _ in 0..frames {
            let mut stats = app.world_mut().resource_mut::<FrameStats>();
            stats.frames += 1;
            stats.missed += missed;
            if let Some(mut input) = app.world_mut().get_mut::<HandInput>(hand) {
                input.tracked = tracked;
            }
            app.update();
        }
    }

    #[test]
    fn without_a_headset_all_is_well() {
        let (mut app, _) = app();
        app.world_mut().remove_resource::<FrameStats>();
        app.update();
        assert_eq!(quality(&app), Quality::PERFECT);
    }

    #[test]
    fn missed_frames_lower_the_frame_health_and_it_recovers() {
        let (mut app, hand) = app();
        run(&mut app, hand, 50, true, 0);
        assert!(quality(&app).trust() > 0.99);
        run(&mut app, hand, 50, true, 1);
        assert!(quality(&app).frame_health < 0.5, "{:?}", quality(&app));
        run(&mut app, hand, 250, true, 0);
        assert!(quality(&app).frame_health > 0.95);
    }

    #[test]
    fn a_hand_lost_from_sight_lowers_the_tracking_and_one_at_rest_does_not() {
        let (mut app, hand) = app();
        run(&mut app, hand, 50, true, 0);
        run(&mut app, hand, 50, false, 0);
        assert!(quality(&app).tracking < 0.5, "{:?}", quality(&app));
        run(&mut app, hand, 200, false, 0);
        assert!(quality(&app).tracking > 0.99, "{:?}", quality(&app));
    }
}
