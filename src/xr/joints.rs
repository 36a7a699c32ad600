//! Tracked fingers: joints of the bare hand, and pinch and grasp from them where no controller tells.

use bevy::prelude::*;
use bevy_mod_openxr::helper_traits::ToTransform;
use bevy_mod_openxr::resources::OxrSystemId;
use bevy_mod_openxr::session::OxrSession;
use bevy_mod_xr::session::{XrPreDestroySession, XrSessionCreated};
use openxr::{HandJoint, HandTracker};
use tracing::warn;

use super::frame::Waited;
use super::loader::explain;
use super::rig::{AimPose, Hand, HandInput, HandJoints, Side};
use super::space::{Stage, located};
use super::start::Enabled;

/// Fingertips this far apart are open, metres.
const PINCH_OPEN: f32 = 0.06;
/// Fingertips this close touch (they are centres of fingertips, not skin), metres.
const PINCH_SHUT: f32 = 0.018;
/// Mean distance of the three outer fingertips from the palm with an open hand, metres.
const GRASP_OPEN: f32 = 0.095;
/// And with a fist.
const GRASP_SHUT: f32 = 0.045;

/// The runtime's hand trackers.
#[derive(Resource)]
pub(super) struct Trackers {
    left: HandTracker,
    right: HandTracker,
}

pub(super) struct JointsPlugin;

impl Plugin for JointsPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(XrSessionCreated, make_trackers)
            .add_systems(XrPreDestroySession, drop_trackers);
    }
}

fn make_trackers(
    session: Option<Res<OxrSession>>,
    system: Res<OxrSystemId>,
    enabled: Res<Enabled>,
    mut commands: Commands,
) {
    let Some(session) = session else { return };
    let tracks = enabled.0.ext_hand_tracking
        && session
            .instance()
            .supports_hand_tracking(**system)
            .unwrap_or(false);
    if !tracks {
        return;
    }
    let tracker = |hand| session.create_hand_tracker(hand);
    match tracker(openxr::Hand::LEFT).and_then(|left| Ok((left, tracker(openxr::Hand::RIGHT)?))) {
        Ok((left, right)) => commands.insert_resource(Trackers { left, right }),
        Err(code) => warn!("fingers are not tracked: {}", explain(code)),
    }
}

fn drop_trackers(mut commands: Commands, mut hands: Query<&mut HandJoints>) {
    commands.remove_resource::<Trackers>();
    for mut joints in &mut hands {
        joints.tracked = false;
    }
}

/// Runs after the actions: a hand that they don't know is taken from its joints.
pub(super) fn read_joints(
    trackers: Option<Res<Trackers>>,
    stage: Option<Res<Stage>>,
    waited: Res<Waited>,
    mut last: Local<Option<i64>>,
    mut hands: Query<(
        &Hand,
        &mut HandJoints,
        &mut Transform,
        &mut AimPose,
        &mut HandInput,
    )>,
) {
    let (Some(trackers), Some(stage), Some(frame)) = (trackers, stage, waited.0) else {
        return;
    };
    let now = frame.predicted_display_time.as_nanos();
    let dt = last
        .replace(now)
        .map_or(0.0, |last| (now - last) as f32 * 1e-9);
    for (hand, mut joints, mut transform, mut aim, mut input) in &mut hands {
        let tracker = match hand.0 {
            Side::Left => &trackers.left,
            Side::Right => &trackers.right,
        };
        let found = stage
            .space
            .locate_hand_joints(tracker, frame.predicted_display_time)
            .ok()
            .flatten()
            .filter(|at| at.iter().all(|joint| located(joint.location_flags)));
        let Some(at) = found else {
            if joints.tracked {
                joints.tracked = false;
            }
            continue;
        };
        let before = joints
            .tracked
            .then(|| joints.joints[HandJoint::PALM.into_raw() as usize]);
        joints.tracked = true;
        for (joint, at) in joints.joints.iter_mut().zip(&at) {
            *joint = at.pose.to_transform();
        }
        for (radius, at) in joints.radii.iter_mut().zip(&at) {
            *radius = at.radius;
        }
        if !input.tracked {
            let palm = joints.joints[HandJoint::PALM.into_raw() as usize];
            let (linear, angular) = before.map_or_else(default, |before| speed(&before, &palm, dt));
            *transform = palm;
            aim.0 = palm;
            *input = HandInput {
                tracked: true,
                trigger: pinch(&joints),
                squeeze: grasp(&joints),
                linear_velocity: linear,
                angular_velocity: angular,
                ..default()
            };
        }
    }
}

/// Linear and angular velocity from one pose to the next, `dt` seconds later. The runtime could tell, but few do for
/// joints, and the core validation layer takes its empty answer for a mistake of ours.
fn speed(before: &Transform, now: &Transform, dt: f32) -> (Vec3, Vec3) {
    // Two frames of the same time, or a pause: there is no speed in that.
    if !(1e-4..0.25).contains(&dt) {
        return default();
    }
    let turn = (now.rotation * before.rotation.inverse()).to_scaled_axis();
    ((now.translation - before.translation) / dt, turn / dt)
}

fn at(joints: &HandJoints, joint: HandJoint) -> Vec3 {
    joints.joints[joint.into_raw() as usize].translation
}

/// 0: thumb and index finger apart, 1: they touch.
fn pinch(joints: &HandJoints) -> f32 {
    let gap = at(joints, HandJoint::THUMB_TIP).distance(at(joints, HandJoint::INDEX_TIP));
    closed(gap, PINCH_OPEN, PINCH_SHUT)
}

/// 0: open hand, 1: fist. The index finger is left out: it may point from a fist.
fn grasp(joints: &HandJoints) -> f32 {
    let palm = at(joints, HandJoint::PALM);
    let tips = [
        HandJoint::MIDDLE_TIP,
        HandJoint::RING_TIP,
        HandJoint::LITTLE_TIP,
    ];
    let mean = tips
        .iter()
        .map(|tip| at(joints, *tip).distance(palm))
        .sum::<f32>()
        / 3.0;
    closed(mean, GRASP_OPEN, GRASP_SHUT)
}

fn closed(gap: f32, open: f32, shut: f32) -> f32 {
    ((open - gap) / (open - shut)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hand(tips: f32, gap: f32) -> HandJoints {
        let mut hand = HandJoints::default();
        for tip in [
            HandJoint::MIDDLE_TIP,
            HandJoint::RING_TIP,
            HandJoint::LITTLE_TIP,
        ] {
            hand.joints[tip.into_raw() as usize].translation = Vec3::NEG_Z * tips;
        }
        hand.joints[HandJoint::INDEX_TIP.into_raw() as usize].translation = Vec3::X * gap;
        hand
    }

    #[test]
    fn an_open_hand_neither_pinches_nor_grasps() {
        let open = hand(0.11, 0.09);
        assert!(pinch(&open) <= 0.0 && grasp(&open) <= 0.0);
    }

    #[test]
    fn speed_is_way_by_time_and_a_pause_has_none() {
        let before = Transform::from_xyz(0.0, 1.0, 0.0);
        let now = Transform::from_xyz(0.02, 1.0, 0.0).with_rotation(Quat::from_rotation_y(0.1));
        let (linear, angular) = speed(&before, &now, 0.02);
        assert!(linear.distance(Vec3::X) < 1e-4 && angular.distance(Vec3::Y * 5.0) < 1e-3);
        assert_eq!(speed(&before, &now, 0.0), (Vec3::ZERO, Vec3::ZERO));
        assert_eq!(speed(&before, &now, 3.0), (Vec3::ZERO, Vec3::ZERO));
    }

    #[test]
    fn touching_fingertips_pinch_and_a_fist_grasps() {
        let shut = hand(0.04, 0.015);
        assert!(pinch(&shut) >= 1.0 && grasp(&shut) >= 1.0);
        let half = hand(0.07, 0.039);
        assert!((0.4..0.6).contains(&pinch(&half)) && (0.4..0.6).contains(&grasp(&half)));
    }
}
