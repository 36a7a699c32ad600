//! What our own systems cost in a frame of a lesson, by room: times and how often memory is asked for. Without a renderer:
//! what the engine takes is another measurement. `tests/frame.rs` and `docs/governor.md` show it.

use std::time::{Duration, Instant};

use bevy::prelude::*;
use bevy::time::TimeUpdateStrategy;
use bevy::transform::TransformPlugin;

use super::play::add_rooms;
use super::view::View;
use crate::adaptation::AdaptationSystems;
use crate::interaction::InteractionSystems;
use crate::lesson::{self, LessonError};
use crate::physics::PhysicsSystems;
use crate::session::SessionSystems;
use crate::session::join::Joining;
use crate::task::TaskSystems;
use crate::ui::UiSystems;
use crate::xr::rig::{Hand, HandInput};

/// A frame of a Quest 3.
const FRAME: Duration = Duration::from_nanos(13_888_889);
/// Parts of a frame, in their order.
const PARTS: [&str; 8] = [
    "before the rooms",
    "interaction",
    "task",
    "session",
    "adaptation",
    "ui",
    "bridge and the rest of Update",
    "physics and transforms",
];

/// What a part of the frame cost over all frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PartCost {
    /// Which part.
    pub part: &'static str,
    /// How often it asked for memory, each frame on average.
    pub allocations: f64,
    /// Frames in which it asked at all, 0..1.
    pub asking: f64,
    /// Microseconds a frame, the median.
    pub median_us: f64,
}

/// Counts as they were at the last mark.
#[derive(Resource)]
struct Marks {
    allocations: fn() -> u64,
    at: (Instant, u64),
    parts: [Vec<(f64, u64)>; PARTS.len()],
}

impl Marks {
    fn reach(&mut self, part: usize) {
        let now = (Instant::now(), (self.allocations)());
        let taken = now.0.saturating_duration_since(self.at.0);
        if let Some(costs) = self.parts.get_mut(part)
            && costs.len() < costs.capacity()
        {
            costs.push((taken.as_secs_f64() * 1e6, now.1.saturating_sub(self.at.1)));
        }
        self.at = (Instant::now(), (self.allocations)());
    }

    fn begin(&mut self) {
        self.at = (Instant::now(), (self.allocations)());
    }
}

fn mark<const PART: usize>(mut marks: ResMut<Marks>) {
    marks.reach(PART);
}

/// Plays so many frames of a lesson in which a learner moves both hands and does nothing else, and says what they cost.
/// `allocations` tells how often memory was asked for so far.
///
/// # Errors
/// Where there is no such lesson.
pub fn frame_cost(
    lesson: &str,
    frames: usize,
    allocations: fn() -> u64,
) -> Result<Vec<PartCost>, LessonError> {
    let lesson = lesson::load(lesson)?;
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, TransformPlugin));
    add_rooms(&mut app, &lesson, View::Headless);
    app.insert_resource(TimeUpdateStrategy::ManualDuration(FRAME))
        .insert_resource(Marks {
            allocations,
            at: (Instant::now(), 0),
            parts: std::array::from_fn(|_| Vec::new()),
        })
        .add_systems(First, |mut marks: ResMut<Marks>| marks.begin())
        .add_systems(
            Update,
            (
                mark::<0>.before(InteractionSystems),
                mark::<1>.after(InteractionSystems).before(TaskSystems),
                mark::<2>.after(TaskSystems).before(SessionSystems),
                mark::<3>.after(SessionSystems).before(AdaptationSystems),
                mark::<4>.after(AdaptationSystems).before(UiSystems),
                mark::<5>
                    .after(UiSystems)
                    .before(crate::bridge::BridgeSystems::Publish),
            ),
        )
        .add_systems(PostUpdate, mark::<6>.before(PhysicsSystems))
        .add_systems(Last, mark::<7>);
    let joining = Joining::newcomer();
    joining.enter(app.world_mut(), &lesson.lesson, &lesson.digest, false);
    app.finish();
    app.cleanup();
    // Everything is made in the first frames, and lists reach the length that they keep.
    for frame in 0..300 {
        move_hands(app.world_mut(), frame);
        app.update();
    }
    for part in &mut app.world_mut().resource_mut::<Marks>().parts {
        *part = Vec::with_capacity(frames);
    }
    for frame in 0..frames {
        move_hands(app.world_mut(), 300 + frame);
        app.update();
    }
    let marks = app.world().resource::<Marks>();
    let parts = PARTS.into_iter().zip(&marks.parts);
    Ok(parts.map(|(part, costs)| summed(part, costs)).collect())
}

/// To and fro, in front of the learner.
fn move_hands(world: &mut World, frame: usize) {
    let mut hands = world.query::<(&Hand, &mut HandInput, &mut Transform)>();
    let swing = (frame as f32 * 0.05).sin() * 0.1;
    for (hand, mut input, mut at) in hands.iter_mut(world) {
        input.tracked = true;
        let side = if hand.0 == crate::xr::rig::Side::Left {
            -0.25
        } else {
            0.25
        };
        at.translation = Vec3::new(side + swing, 1.1, -0.15);
    }
}

fn summed(part: &'static str, costs: &[(f64, u64)]) -> PartCost {
    let frames = costs.len().max(1) as f64;
    let mut times: Vec<f64> = costs.iter().map(|(time, _)| *time).collect();
    times.sort_by(f64::total_cmp);
    PartCost {
        part,
        allocations: costs.iter().map(|(_, count)| *count as f64).sum::<f64>() / frames,
        asking: costs.iter().filter(|(_, count)| *count > 0).count() as f64 / frames,
        median_us: times.get(times.len() / 2).copied().unwrap_or_default(),
    }
}
