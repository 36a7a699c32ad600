//! Hands in the room: where they are, how fast they are, what they do.

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use crate::xr::rig::{AimPose, Hand, HandInput, HandJoints, HandKind, Head, Rig, Side};

/// Samples of a hand's way that are kept: more than the time of a throw at any frame rate that can be played.
const SAMPLES: usize = 32;
/// A throw has the fastest of this last stretch of the hand's way, seconds: fingers open a little after the peak.
const THROW_WINDOW: f64 = 0.12;
/// Speed is measured over at least this time, seconds: over less, half a millimetre of tracking noise would be a throw.
const MEASURED_OVER: f64 = 0.02;
/// Faster than this is a fault of tracking, metres and radians per second.
const FASTEST: f32 = 15.0;
const FASTEST_TURN: f32 = 40.0;
/// A fingertip lies this far before the aim's origin of a controller, metres.
const FINGER: f32 = 0.05;
/// Joints of `XrHandJointEXT`.
const THUMB_TIP: usize = 5;
const INDEX_TIP: usize = 10;

/// What a hand is about.
#[derive(Component, Debug, Default)]
pub(super) struct Grasp {
    /// Fingers are closed.
    pub closed: bool,
    /// For how long they have been, seconds, as long as they closed on nothing.
    pub closing: f32,
    /// In the hand.
    pub held: Option<Held>,
    /// Within reach to be taken.
    pub near: Option<Entity>,
    /// Touched in the last frame.
    pub touching: Vec<Entity>,
    /// Points at a panel.
    pub pointing: bool,
    /// Presses on a panel with the trigger.
    pub clicking: bool,
    /// How long the hand has been out of sight, seconds.
    pub unseen: f32,
}

/// A thing in the hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub thing: Entity,
    /// How it lies in the hand.
    pub offset: Transform,
    /// Where the rig was when it was carried last: who teleports takes along what they hold.
    pub rig: Transform,
    /// How long it has been stuck behind something, seconds.
    pub stuck: f32,
}

/// A hand's latest way, in rig space: a turned or teleported rig throws nothing.
#[derive(Component, Debug, Default)]
pub(super) struct Motion {
    samples: [Sample; SAMPLES],
    next: usize,
    len: usize,
}

#[derive(Debug, Default, Clone, Copy)]
struct Sample {
    at: f64,
    position: Vec3,
    rotation: Quat,
    /// What the runtime says of its speed; zero where it says nothing.
    linear: Vec3,
    angular: Vec3,
}

impl Motion {
    /// Takes note of where the hand is now (`at`: seconds).
    fn note(&mut self, at: f64, grip: &Transform, input: &HandInput) {
        if !input.tracked || !grip.is_finite() {
            // What comes back from out of sight has not flown there.
            self.forget();
            return;
        }
        let finite = |v: Vec3| if v.is_finite() { v } else { Vec3::ZERO };
        self.samples[self.next] = Sample {
            at,
            position: grip.translation,
            rotation: grip.rotation,
            linear: finite(input.linear_velocity),
            angular: finite(input.angular_velocity),
        };
        self.next = (self.next + 1) % SAMPLES;
        self.len = (self.len + 1).min(SAMPLES);
    }

    /// Begins anew: a throw is made of the way since the thing was taken.
    pub fn forget(&mut self) {
        self.len = 0;
    }

    /// Linear and angular velocity, in rig space, of what is let go `now`, its centre at `offset` from the grip in the
    /// hand's own axes: the wrist's turn throws, too.
    pub fn throw(&self, now: f64, offset: Vec3) -> (Vec3, Vec3) {
        self.latest()
            .filter(|sample| now - sample.at <= THROW_WINDOW)
            .map(|sample| {
                let (linear, angular) = self.velocity(sample);
                (linear + angular.cross(sample.rotation * offset), angular)
            })
            .max_by(|(a, _), (b, _)| a.length_squared().total_cmp(&b.length_squared()))
            .map_or((Vec3::ZERO, Vec3::ZERO), |(linear, angular)| {
                (
                    linear.clamp_length_max(FASTEST),
                    angular.clamp_length_max(FASTEST_TURN),
                )
            })
    }

    fn latest(&self) -> impl Iterator<Item = &Sample> {
        (1..=self.len).map(|back| &self.samples[(self.next + SAMPLES - back) % SAMPLES])
    }

    fn velocity(&self, sample: &Sample) -> (Vec3, Vec3) {
        let before = self
            .latest()
            .find(|before| sample.at - before.at >= MEASURED_OVER);
        let seen = before.map_or((Vec3::ZERO, Vec3::ZERO), |before| {
            let dt = (sample.at - before.at) as f32;
            let turn = sample.rotation * before.rotation.inverse();
            // The short way round.
            let turn = if turn.w < 0.0 { -turn } else { turn };
            (
                (sample.position - before.position) / dt,
                turn.to_scaled_axis() / dt,
            )
        });
        // Runtimes that tell no velocity tell zero.
        let or_seen = |told: Vec3, seen| {
            if told.length_squared() > 1e-4 {
                told
            } else {
                seen
            }
        };
        (
            or_seen(sample.linear, seen.0),
            or_seen(sample.angular, seen.1),
        )
    }
}

/// Gives every hand its memory, and notes its motion.
pub(super) fn equip(
    mut commands: Commands,
    time: Res<Time>,
    bare: Query<Entity, (With<Hand>, Without<Grasp>)>,
    mut hands: Query<(&Transform, &HandInput, &mut Motion), With<Hand>>,
) {
    for hand in &bare {
        commands
            .entity(hand)
            .insert((Grasp::default(), Motion::default()));
    }
    for (grip, input, mut motion) in &mut hands {
        motion.note(time.elapsed_secs_f64(), grip, input);
    }
}

/// The person, in room space.
#[derive(SystemParam)]
pub struct Person<'w, 's> {
    rig: Query<'w, 's, &'static Transform, With<Rig>>,
    head: Query<'w, 's, &'static Transform, (With<Head>, Without<Rig>)>,
    hands: Query<
        'w,
        's,
        (
            Entity,
            &'static Hand,
            &'static HandInput,
            &'static AimPose,
            &'static Transform,
            &'static HandKind,
            &'static HandJoints,
        ),
        Without<Rig>,
    >,
}

/// One hand, in room space.
#[derive(Debug, Clone, Copy)]
pub struct HandNow {
    /// The hand.
    pub entity: Entity,
    /// Which.
    pub side: Side,
    /// What it is told to do.
    pub input: HandInput,
    /// Where it grasps.
    pub grip: Transform,
    /// Where it points from, along -z.
    pub aim: Transform,
    /// Tip of the index finger, or of the controller; not known of a mouse.
    pub tip: Option<Vec3>,
    /// Between thumb and index finger of a bare hand.
    pub pinch: Option<Vec3>,
}

impl Person<'_, '_> {
    /// Where the play space lies.
    #[must_use]
    pub fn rig(&self) -> Transform {
        self.rig.iter().next().copied().unwrap_or_default()
    }

    /// Where the head is; `None`: nowhere.
    #[must_use]
    pub fn head(&self) -> Option<Transform> {
        self.head
            .iter()
            .next()
            .map(|head| self.rig().mul_transform(*head))
    }

    /// Hands that are tracked.
    pub fn hands(&self) -> impl Iterator<Item = HandNow> + '_ {
        let rig = self.rig();
        self.hands
            .iter()
            .filter(|(_, _, input, aim, grip, ..)| {
                input.tracked && aim.0.is_finite() && grip.is_finite()
            })
            .map(move |(entity, hand, input, aim, grip, kind, joints)| {
                let aim = rig.mul_transform(aim.0);
                let joint = |index: usize| rig.transform_point(joints.joints[index].translation);
                let bare = joints.tracked && *kind == HandKind::Bare;
                let tip = match kind {
                    _ if bare => Some(joint(INDEX_TIP)),
                    HandKind::Controller => Some(aim.translation + aim.forward() * FINGER),
                    HandKind::Bare | HandKind::None => None,
                };
                HandNow {
                    entity,
                    side: hand.0,
                    input: *input,
                    grip: rig.mul_transform(*grip),
                    aim,
                    tip,
                    pinch: bare.then(|| joint(INDEX_TIP).midpoint(joint(THUMB_TIP))),
                }
            })
    }
}
