//! Hands in the room: where they are, how fast they are, what they do.

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use crate::xr::rig::{AimPose, Hand, HandInput, Head, Rig, Side};

/// Samples of a hand's motion that are kept: more than the time a throw takes at any frame rate that can be played.
const SAMPLES: usize = 16;
/// A throw has the fastest of this last stretch of the hand's way, seconds: fingers open a little after the peak.
const THROW_WINDOW: f32 = 0.12;

/// What a hand is about.
#[derive(Component, Debug, Default)]
pub(super) struct Grasp {
    /// Fingers are closed.
    pub closed: bool,
    /// In the hand.
    pub held: Option<Held>,
    /// Within reach to be taken.
    pub near: Option<Entity>,
    /// Touched in the last frame.
    pub touching: Vec<Entity>,
}

/// A thing in the hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub thing: Entity,
    /// How it lies in the hand.
    pub offset: Transform,
}

/// A hand's latest motion.
#[derive(Component, Debug, Default)]
pub(super) struct Motion {
    samples: [Sample; SAMPLES],
    next: usize,
    before: Option<Vec3>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Sample {
    at: f32,
    linear: Vec3,
    angular: Vec3,
}

impl Motion {
    /// Takes note of where the hand is now (`at`: seconds, room space); `told`: what the runtime says of its speed.
    fn note(&mut self, at: f32, dt: f32, position: Vec3, told: (Vec3, Vec3)) {
        let seen = match self.before.replace(position) {
            Some(before) if dt > 1e-4 => (position - before) / dt,
            _ => Vec3::ZERO,
        };
        // Runtimes that tell no velocity tell zero.
        let linear = if told.0.length_squared() > 1e-4 { told.0 } else { seen };
        self.samples[self.next] = Sample {
            at,
            linear,
            angular: told.1,
        };
        self.next = (self.next + 1) % SAMPLES;
    }

    /// Linear and angular velocity of what is let go now.
    pub fn throw(&self, now: f32) -> (Vec3, Vec3) {
        self.samples
            .iter()
            .filter(|sample| now - sample.at <= THROW_WINDOW && sample.linear.is_finite())
            .max_by(|a, b| a.linear.length_squared().total_cmp(&b.linear.length_squared()))
            .map_or((Vec3::ZERO, Vec3::ZERO), |sample| (sample.linear, sample.angular))
    }
}

/// Gives every hand its memory, and notes its motion.
pub(super) fn equip(
    mut commands: Commands,
    time: Res<Time>,
    rig: Query<&Transform, (With<Rig>, Without<Hand>)>,
    bare: Query<Entity, (With<Hand>, Without<Grasp>)>,
    mut hands: Query<(&Transform, &HandInput, &mut Motion), With<Hand>>,
) {
    for hand in &bare {
        commands.entity(hand).insert((Grasp::default(), Motion::default()));
    }
    let rig = rig.iter().next().copied().unwrap_or_default();
    for (transform, input, mut motion) in &mut hands {
        let told = (rig.rotation * input.linear_velocity, rig.rotation * input.angular_velocity);
        motion.note(
            time.elapsed_secs(),
            time.delta_secs(),
            rig.transform_point(transform.translation),
            told,
        );
    }
}

/// The person, in room space.
#[derive(SystemParam)]
pub(super) struct Person<'w, 's> {
    rig: Query<'w, 's, &'static Transform, With<Rig>>,
    head: Query<'w, 's, &'static Transform, (With<Head>, Without<Rig>)>,
    hands: Query<
        'w,
        's,
        (Entity, &'static Hand, &'static HandInput, &'static AimPose, &'static Transform),
        Without<Rig>,
    >,
}

/// One hand, in room space.
#[derive(Debug, Clone, Copy)]
pub(super) struct HandNow {
    pub entity: Entity,
    pub side: Side,
    pub input: HandInput,
    pub grip: Transform,
    pub aim: Transform,
}

impl Person<'_, '_> {
    pub fn rig(&self) -> Transform {
        self.rig.iter().next().copied().unwrap_or_default()
    }

    pub fn head(&self) -> Option<Transform> {
        self.head.iter().next().map(|head| self.rig().mul_transform(*head))
    }

    /// Hands that are tracked.
    pub fn hands(&self) -> impl Iterator<Item = HandNow> + '_ {
        let rig = self.rig();
        self.hands
            .iter()
            .filter(|(_, _, input, ..)| input.tracked)
            .map(move |(entity, hand, input, aim, grip)| HandNow {
                entity,
                side: hand.0,
                input: *input,
                grip: rig.mul_transform(*grip),
                aim: rig.mul_transform(aim.0),
            })
    }
}
