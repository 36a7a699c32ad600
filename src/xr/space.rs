//! The stage: where the floor is and which way is forward, and the head in it.

use bevy::prelude::*;
use bevy_mod_openxr::helper_traits::{ToPosef, ToTransform, ToVec3};
use bevy_mod_openxr::session::OxrSession;
use bevy_mod_xr::session::{XrPreDestroySession, XrSessionCreated};
use bevy_mod_xr::spaces::{XrPrimaryReferenceSpace, XrReferenceSpace, XrSpace};
use openxr::sys::{self, Handle};
use openxr::{Posef, ReferenceSpaceType, SpaceLocationFlags, SpaceVelocityFlags, Vector3f};
use tracing::{error, info};

use super::frame::Waited;
use super::loader::explain;
use super::rig::{Head, Recenter, SeatedOffset};
use super::session::Link;

/// Height of the eyes of a standing learner over the floor, metres: only for a runtime that knows no floor.
const GUESSED_EYE_HEIGHT: f32 = 1.6;

/// The space that all poses are given in, and the head's.
#[derive(Resource)]
pub(super) struct Stage {
    kind: ReferenceSpaceType,
    /// The stage's origin in the runtime's space, without the seated offset.
    origin: Transform,
    seated: f32,
    pub space: openxr::Space,
    /// A frame in flight may still be shown in it.
    _before: Option<openxr::Space>,
    head: openxr::Space,
}

pub(super) struct SpacePlugin;

impl Plugin for SpacePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<SeatedOffset>()
            .add_message::<Recenter>()
            .add_systems(XrSessionCreated, make_stage)
            .add_systems(XrPreDestroySession, drop_stage);
    }
}

fn make_stage(
    session: Option<Res<OxrSession>>,
    seated: Res<SeatedOffset>,
    mut link: ResMut<Link>,
    mut commands: Commands,
) {
    let Some(session) = session else { return };
    match new_stage(&session, seated.0) {
        Ok(stage) => {
            info!("stage: {:?}", stage.kind);
            commands.insert_resource(primary(&stage.space));
            commands.insert_resource(stage);
        }
        Err(code) => link.fall("making the stage", code),
    }
}

fn new_stage(session: &openxr::Session<openxr::AnyGraphics>, seated: f32) -> openxr::Result<Stage> {
    let offered = session.enumerate_reference_spaces()?;
    let kind = [ReferenceSpaceType::STAGE, ReferenceSpaceType::LOCAL_FLOOR]
        .into_iter()
        .find(|kind| offered.contains(kind))
        .unwrap_or(ReferenceSpaceType::LOCAL);
    let floor = if kind == ReferenceSpaceType::LOCAL {
        -GUESSED_EYE_HEIGHT
    } else {
        0.0
    };
    let origin = Transform::from_xyz(0.0, floor, 0.0);
    Ok(Stage {
        kind,
        origin,
        seated,
        space: session.create_reference_space(kind, lowered(origin, seated))?,
        _before: None,
        head: session.create_reference_space(ReferenceSpaceType::VIEW, Posef::IDENTITY)?,
    })
}

fn drop_stage(mut commands: Commands) {
    commands.remove_resource::<XrPrimaryReferenceSpace>();
    commands.remove_resource::<Stage>();
}

/// The space under the name that `bevy_mod_xr` gives it.
fn primary(space: &openxr::Space) -> XrPrimaryReferenceSpace {
    // SAFETY: the handle is alive as long as `Stage` is, which takes this name away with itself.
    XrPrimaryReferenceSpace(XrReferenceSpace(unsafe {
        XrSpace::from_raw(space.as_raw().into_raw())
    }))
}

/// A seated learner is lifted by lowering the floor.
fn lowered(origin: Transform, seated: f32) -> Posef {
    origin
        .with_translation(origin.translation - Vec3::Y * seated)
        .to_posef()
}

/// The origin after which the head stands over it, looking forward (-z). Height stays: the floor is the floor.
fn recentred(origin: Transform, head: &Transform) -> Transform {
    let forward = head.forward();
    // Somebody who looks straight up or down has the direction of the top of the head.
    let flat = if forward.y.abs() < 0.99 {
        forward.as_vec3()
    } else {
        head.up().as_vec3() * -forward.y.signum()
    };
    let yaw = f32::atan2(-flat.x, -flat.z);
    origin.mul_transform(
        Transform::from_xyz(head.translation.x, 0.0, head.translation.z)
            .with_rotation(Quat::from_rotation_y(yaw)),
    )
}

/// Moves the stage when the learner asks for it or sits down.
pub(super) fn move_stage(
    mut asked: MessageReader<Recenter>,
    seated: Res<SeatedOffset>,
    session: Option<Res<OxrSession>>,
    stage: Option<ResMut<Stage>>,
    mut primary_space: Option<ResMut<XrPrimaryReferenceSpace>>,
    heads: Query<&Transform, With<Head>>,
) {
    let recenter = asked.read().count() > 0;
    let (Some(session), Some(mut stage)) = (session, stage) else {
        return;
    };
    let sat_down = (seated.0 - stage.seated).abs() > 1e-4;
    if !recenter && !sat_down {
        return;
    }
    let mut origin = stage.origin;
    if recenter && let Ok(head) = heads.single() {
        origin = recentred(origin, head);
    }
    // `OxrSession` has a method of the same name that leaks its space.
    let session: &openxr::Session<openxr::AnyGraphics> = &session;
    match session.create_reference_space(stage.kind, lowered(origin, seated.0)) {
        Ok(space) => {
            if let Some(primary_space) = &mut primary_space {
                **primary_space = primary(&space);
            }
            stage.origin = origin;
            stage.seated = seated.0;
            let before = std::mem::replace(&mut stage.space, space);
            stage._before = Some(before);
        }
        Err(code) => error!("the stage could not be moved: {}", explain(code)),
    }
}

/// The head where it will be when the frame is shown.
pub(super) fn place_head(
    stage: Option<Res<Stage>>,
    waited: Res<Waited>,
    mut heads: Query<&mut Transform, With<Head>>,
) {
    let (Some(stage), Some(frame), Ok(mut head)) = (stage, waited.0, heads.single_mut()) else {
        return;
    };
    if let Ok(at) = stage
        .head
        .locate(&stage.space, frame.predicted_display_time)
        && located(at.location_flags)
    {
        *head = at.pose.to_transform();
    }
}

/// Where a space is and how it moves; velocities that the runtime doesn't know are 0.
///
/// `openxr::Space::relate` hands the runtime uninitialised memory to write to, which the core validation layer
/// reads and complains about.
pub(super) fn relate(
    space: &openxr::Space,
    base: &openxr::Space,
    time: openxr::Time,
) -> openxr::Result<Option<Moving>> {
    let mut velocity = sys::SpaceVelocity {
        ty: sys::SpaceVelocity::TYPE,
        next: std::ptr::null_mut(),
        velocity_flags: SpaceVelocityFlags::EMPTY,
        linear_velocity: Vector3f::default(),
        angular_velocity: Vector3f::default(),
    };
    let mut location = sys::SpaceLocation {
        ty: sys::SpaceLocation::TYPE,
        next: (&raw mut velocity).cast(),
        location_flags: SpaceLocationFlags::EMPTY,
        pose: Posef::IDENTITY,
    };
    // SAFETY: both spaces are alive; both structs are whole, chained, and outlive the call.
    let code = unsafe {
        (space.instance().fp().locate_space)(space.as_raw(), base.as_raw(), time, &raw mut location)
    };
    if code.into_raw() < 0 {
        return Err(code);
    }
    if !located(location.location_flags) {
        return Ok(None);
    }
    let known = |flag, value: Vector3f| {
        if velocity.velocity_flags.contains(flag) {
            value.to_vec3()
        } else {
            Vec3::ZERO
        }
    };
    Ok(Some(Moving {
        pose: location.pose.to_transform(),
        linear: known(SpaceVelocityFlags::LINEAR_VALID, velocity.linear_velocity),
        angular: known(SpaceVelocityFlags::ANGULAR_VALID, velocity.angular_velocity),
    }))
}

/// A pose and its velocities, metres and radians per second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moving {
    pub pose: Transform,
    pub linear: Vec3,
    pub angular: Vec3,
}

/// Whether both parts of a pose are known.
pub(super) fn located(flags: SpaceLocationFlags) -> bool {
    flags.contains(SpaceLocationFlags::ORIENTATION_VALID | SpaceLocationFlags::POSITION_VALID)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_learner_lifted_by_30_cm_has_the_floor_30_cm_lower() {
        let pose = lowered(Transform::from_xyz(1.0, 0.0, 2.0), 0.3);
        assert!((pose.position.y + 0.3).abs() < 1e-6);
        assert!((pose.position.x - 1.0).abs() < 1e-6);
    }

    #[test]
    fn looking_straight_down_still_has_a_forward() {
        let head = Transform::from_xyz(0.0, 1.6, 0.0)
            .with_rotation(Quat::from_rotation_x(-std::f32::consts::FRAC_PI_2));
        let origin = recentred(Transform::IDENTITY, &head);
        assert!(origin.forward().distance(Vec3::NEG_Z) < 1e-3);
    }

    proptest! {
        #[test]
        fn after_recentring_the_head_is_over_the_origin_and_looks_forward(
            x in -3.0_f32..3.0, z in -3.0_f32..3.0, y in 0.5_f32..2.0,
            yaw in -3.1_f32..3.1, pitch in -1.2_f32..1.2,
            old_x in -2.0_f32..2.0, old_yaw in -3.1_f32..3.1,
        ) {
            let old = Transform::from_xyz(old_x, 0.0, 0.5).with_rotation(Quat::from_rotation_y(old_yaw));
            let head = Transform::from_xyz(x, y, z)
                .with_rotation(Quat::from_rotation_y(yaw) * Quat::from_rotation_x(pitch));
            let new = recentred(old, &head);
            let world = old.mul_transform(head);
            let seen = Transform::from_matrix(new.to_matrix().inverse() * world.to_matrix());
            prop_assert!(seen.translation.x.abs() < 1e-3 && seen.translation.z.abs() < 1e-3);
            prop_assert!((seen.translation.y - y).abs() < 1e-3);
            prop_assert!(seen.forward().x.abs() < 1e-2 && seen.forward().z < 0.0);
        }
    }
}
