//! The tracked person: rig, head and hands. Driven by OpenXR, or by mouse and keyboard on a desktop.
//!
//! Head and hands are children of the [`Rig`]; their `Transform`s are in stage space (floor at y = 0).
//! Only the locomotion mediator in `interaction` moves the rig.

use bevy::prelude::*;

/// Root of the tracked space. Its `Transform` says where the play space lies in the room.
#[derive(Component, Debug, Default)]
#[require(Transform, Visibility)]
pub struct Rig;

/// The head (midway between the eyes); looks along its local -z.
#[derive(Component, Debug, Default)]
#[require(Transform)]
pub struct Head;

/// Left or right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Left.
    Left,
    /// Right.
    Right,
}

/// A hand or controller; its `Transform` is the grip pose.
#[derive(Component, Debug)]
#[require(Transform, Visibility, HandInput, AimPose)]
pub struct Hand(pub Side);

/// What the fingers do; 0..1 analogue values already filtered for a missing controller (then all 0).
#[derive(Component, Debug, Default, Clone, Copy, PartialEq)]
pub struct HandInput {
    /// Whether the runtime tracks it now.
    pub tracked: bool,
    /// Index trigger or pinch, 0..1.
    pub trigger: f32,
    /// Squeeze or grasp, 0..1.
    pub squeeze: f32,
    /// Stick, -1..1 each, y up.
    pub stick: Vec2,
    /// Menu button.
    pub menu: bool,
    /// Metres per second, in rig space.
    pub linear_velocity: Vec3,
    /// Radians per second, in rig space.
    pub angular_velocity: Vec3,
}

/// Where the hand points, in rig space: origin and direction (-z of the aim pose).
#[derive(Component, Debug, Default, Clone, Copy, PartialEq)]
pub struct AimPose(pub Transform);

/// A short buzz in one hand.
#[derive(Message, Debug, Clone, Copy)]
pub struct HapticPulse {
    /// Which hand.
    pub side: Side,
    /// 0..1.
    pub amplitude: f32,
    /// How long.
    pub duration: std::time::Duration,
}

/// The learner asked to have the room turned to where they look now.
#[derive(Message, Debug, Clone, Copy)]
pub struct Recenter;

/// How much higher the stage is shown for somebody seated, metres; 0: standing.
#[derive(Resource, Debug, Default, Clone, Copy, PartialEq)]
pub struct SeatedOffset(pub f32);
