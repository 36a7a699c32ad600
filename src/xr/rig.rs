//! The tracked person: rig, head and hands. Driven by OpenXR, or by mouse and keyboard on a desktop.
//!
//! Head and hands are children of the [`Rig`]; their `Transform`s are in stage space (floor at y = 0).
//! Only the locomotion mediator in `interaction` moves the rig.

use bevy::camera::ShadowLodOrigin;
use bevy::prelude::*;
use bevy_mod_xr::session::XrTrackingRoot;

use super::body;
use super::{FrameStats, XrPhase};

/// Joints of a tracked hand, in the order of OpenXR's `XrHandJointEXT` (palm, wrist, thumb, index ...).
pub const JOINTS: usize = 26;

/// Where a learner's head is before anything tracks it, metres over the floor.
const RESTING_EYE_HEIGHT: f32 = 1.6;

/// Root of the tracked space. Its `Transform` says where the play space lies in the room.
#[derive(Component, Debug, Default)]
#[require(Transform, Visibility)]
pub struct Rig;

/// The head (midway between the eyes); looks along its local -z.
#[derive(Component, Debug, Default)]
#[require(Transform, Visibility, ShadowLodOrigin)]
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
#[require(Transform, Visibility, HandInput, AimPose, HandKind, HandJoints)]
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

/// What the runtime takes the hand for.
#[derive(Component, Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum HandKind {
    /// Nothing known; on a desktop always.
    #[default]
    None,
    /// It holds a controller.
    Controller,
    /// A bare, tracked hand.
    Bare,
}

/// The joints of a tracked hand, in rig space.
#[derive(Component, Debug, Clone, PartialEq)]
pub struct HandJoints {
    /// Whether the runtime tracks them now; the rest is stale where it doesn't.
    pub tracked: bool,
    /// Poses: -z along the finger towards its tip, +y out of the back of the hand.
    pub joints: [Transform; JOINTS],
    /// Radius of the flesh around each, metres.
    pub radii: [f32; JOINTS],
}

impl Default for HandJoints {
    fn default() -> Self {
        Self {
            tracked: false,
            joints: [Transform::IDENTITY; JOINTS],
            radii: [0.0; JOINTS],
        }
    }
}

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

/// Metres by which a seated learner is lifted to the height of a standing one; 0: not seated.
#[derive(Resource, Debug, Default, Clone, Copy, PartialEq)]
pub struct SeatedOffset(pub f32);

/// The rig with head and hands, tracked or not. Needs no renderer; shows hands where there is one.
pub struct RigPlugin;

impl Plugin for RigPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<HapticPulse>()
            .add_message::<Recenter>()
            .init_resource::<SeatedOffset>()
            .init_resource::<XrPhase>()
            .init_resource::<FrameStats>()
            .add_systems(PreStartup, spawn_rig)
            .add_systems(Startup, body::dress_hands)
            .add_systems(
                PostUpdate,
                (body::show_controllers, body::show_joints)
                    .before(TransformSystems::Propagate)
                    .before(bevy::camera::visibility::VisibilitySystems::VisibilityPropagate),
            );
    }
}

/// Takes `bevy_mod_xr`'s tracking root for the rig where it exists: the eyes are its children.
fn spawn_rig(mut commands: Commands, root: Query<Entity, With<XrTrackingRoot>>) {
    let rig = match root.iter().next() {
        Some(root) => root,
        None => commands.spawn_empty().id(),
    };
    commands
        .entity(rig)
        .insert((Name::new("rig"), Rig))
        .with_children(|rig| {
            rig.spawn((
                Name::new("head"),
                Head,
                Transform::from_xyz(0.0, RESTING_EYE_HEIGHT, 0.0),
            ));
            for (side, name, x) in [
                (Side::Left, "left hand", -0.2),
                (Side::Right, "right hand", 0.2),
            ] {
                rig.spawn((
                    Name::new(name),
                    Hand(side),
                    Transform::from_xyz(x, RESTING_EYE_HEIGHT - 0.5, -0.3),
                ));
            }
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rig_is_there_without_a_headset_and_without_a_renderer() {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, RigPlugin));
        app.update();
        let world = app.world_mut();
        let rig = world
            .query_filtered::<Entity, With<Rig>>()
            .single(world)
            .unwrap();
        let head = world
            .query_filtered::<&ChildOf, With<Head>>()
            .single(world)
            .unwrap();
        assert_eq!(head.parent(), rig);
        let mut hands = world.query::<(&Hand, &ChildOf, &HandInput)>();
        let sides: Vec<_> = hands
            .iter(world)
            .map(|(hand, parent, input)| {
                assert_eq!(parent.parent(), rig);
                assert_eq!(*input, HandInput::default());
                hand.0
            })
            .collect();
        assert_eq!(sides, [Side::Left, Side::Right]);
        assert_eq!(*world.resource::<XrPhase>(), XrPhase::Absent);
    }

    #[test]
    fn the_tracking_root_becomes_the_rig() {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, RigPlugin));
        let root = app.world_mut().spawn(XrTrackingRoot).id();
        app.update();
        assert!(app.world().entity(root).contains::<Rig>());
    }
}
