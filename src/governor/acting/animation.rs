//! Acting on animations: skeletons are posed less often, at the same speed.
//! In: [`CurrentQuality`]. Out: whether Bevy's [`AnimationSystems`] run in this frame, and how far they go. Never: time lost.

use bevy::animation::AnimationPlayer;
use bevy::app::AnimationSystems;
use bevy::prelude::*;

use crate::governor::plugin::CurrentQuality;

/// Most frames that are left out between two: a tenth of a second at 72 Hz.
const MOST: f64 = 7.0;

pub(super) struct AnimationPlugin;

impl Plugin for AnimationPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Pace>()
            .configure_sets(
                PostUpdate,
                AnimationSystems.run_if(|pace: Res<Pace>| pace.due),
            )
            .add_systems(
                PostUpdate,
                (
                    (choose, catch_up).chain().before(AnimationSystems),
                    as_before.after(AnimationSystems),
                ),
            );
    }
}

/// How animations go on in this frame.
#[derive(Resource, Debug, Clone, Copy)]
struct Pace {
    due: bool,
    /// Frames' worth of pose that are owed.
    owed: f64,
    /// Seconds that passed in frames left out.
    left_out: f32,
    /// By how much faster this frame's time is, to catch up; 1 where nothing was left out.
    faster: f32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            due: true,
            owed: 0.0,
            left_out: 0.0,
            faster: 1.0,
        }
    }
}

fn choose(time: Res<Time>, quality: Res<CurrentQuality>, mut pace: ResMut<Pace>) {
    let delta = time.delta_secs();
    pace.owed += quality.0.animation.clamp(1.0 / (MOST + 1.0), 1.0);
    // A hair of tolerance: ten tenths are one.
    pace.due = pace.owed >= 1.0 - 1e-6;
    if !pace.due {
        pace.left_out += delta;
        return;
    }
    pace.owed = (pace.owed - 1.0).clamp(0.0, 1.0);
    pace.faster = if delta > 0.0 {
        (delta + std::mem::take(&mut pace.left_out)) / delta
    } else {
        1.0
    };
}

fn catch_up(pace: Res<Pace>, mut players: Query<&mut AnimationPlayer>) {
    if pace.due && pace.faster > 1.0 {
        for mut player in &mut players {
            player.adjust_speeds(pace.faster);
        }
    }
}

fn as_before(mut pace: ResMut<Pace>, mut players: Query<&mut AnimationPlayer>) {
    if pace.due && pace.faster > 1.0 {
        for mut player in &mut players {
            player.adjust_speeds(1.0 / pace.faster);
        }
        pace.faster = 1.0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bevy::animation::graph::AnimationNodeIndex;
    use bevy::time::TimeUpdateStrategy;

    use super::*;
    use crate::governor::acting::tests::{app, set};

    /// What stands in for Bevy's own system: poses, and how far they went.
    #[derive(Resource, Default)]
    struct Posed {
        poses: u32,
        seconds: f32,
    }

    fn pose(time: Res<Time>, players: Query<&AnimationPlayer>, mut posed: ResMut<Posed>) {
        posed.poses += 1;
        for (_, playing) in players.iter().flat_map(AnimationPlayer::playing_animations) {
            posed.seconds += time.delta_secs() * playing.speed();
        }
    }

    #[test]
    fn poses_are_fewer_at_a_lower_rate_and_animations_are_as_long_as_before() {
        let mut app = app(AnimationPlugin);
        let frame = Duration::from_millis(10);
        app.insert_resource(TimeUpdateStrategy::ManualDuration(frame))
            .init_resource::<Posed>()
            .add_systems(PostUpdate, pose.in_set(AnimationSystems));
        let mut player = AnimationPlayer::default();
        player.play(AnimationNodeIndex::new(0));
        app.world_mut().spawn(player);
        app.update();
        let mut last = u32::MAX;
        for rate in [1.0, 0.5, 0.25, 0.1, 0.0] {
            set(&mut app, |quality| quality.animation = rate);
            app.insert_resource(Posed::default());
            for _ in 0..240 {
                app.update();
            }
            let posed = app.world().resource::<Posed>();
            assert!(
                posed.poses < last || rate < 0.125,
                "{rate}: {}",
                posed.poses
            );
            assert!(posed.poses >= 30, "{rate}: {}", posed.poses);
            assert!(
                (posed.seconds - 2.4).abs() < 0.09,
                "{rate}: {} s",
                posed.seconds
            );
            last = posed.poses;
        }
    }
}
