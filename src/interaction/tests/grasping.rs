//! Near, touch, take, carry, let go.

use proptest::prelude::*;

use super::*;
use crate::interaction::things::Near;
use crate::xr::rig::{HandJoints, HandKind};

fn near(room: &Room, thing: Entity) -> bool {
    room.app.world().entity(thing).contains::<Near>()
}

#[test]
fn a_hand_that_comes_near_marks_what_it_would_take_and_then_touches_it_once() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    let top = Vec3::new(0.2, TABLE + 0.08, -0.5);
    room.reach(Side::Right, top + Vec3::Y * 0.12, 10);
    assert!(!near(&room, cube));
    room.reach(Side::Right, top + Vec3::Y * 0.05, 10);
    assert!(near(&room, cube));
    assert!(room.done().is_empty());
    room.reach(Side::Right, top + Vec3::Y * 0.02, 10);
    room.frames(20);
    assert_eq!(room.done(), [Interaction::Touched { target: cube }]);
    room.reach(Side::Right, top + Vec3::Y * 0.3, 10);
    assert!(!near(&room, cube));
}

#[test]
fn a_trembling_hand_between_two_things_does_not_make_them_flicker() {
    let mut room = Room::new();
    let left = room.cube(0.14, -0.5);
    let right = room.cube(0.26, -0.5);
    let between = Vec3::new(0.2, TABLE + 0.06, -0.5);
    room.reach(Side::Right, between - Vec3::X * 0.06, 10);
    room.reach(Side::Right, between, 10);
    assert!(near(&room, left) && !near(&room, right));
    for frame in 0..40 {
        let tremor = if frame % 2 == 0 { 0.004 } else { -0.004 };
        room.put_hand(Side::Right, between + Vec3::X * tremor);
        room.frame();
        assert!(near(&room, left) && !near(&room, right));
    }
}

#[test]
fn what_is_held_is_where_the_hand_is_in_the_same_frame() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    room.take(Side::Right, cube);
    assert_eq!(
        room.done().last(),
        Some(&Interaction::Grabbed { target: cube })
    );
    assert!(room.buzzed.iter().any(|pulse| pulse.side == Side::Right));
    let hand = room.hand(Side::Right);
    let offset = hand.to_matrix().inverse() * room.at(cube).to_matrix();
    for frame in 0..120 {
        let t = frame as f32 * 0.1;
        let at = Vec3::new(
            0.4 * t.sin(),
            1.25 + 0.15 * (1.3 * t).cos(),
            -0.4 + 0.2 * (0.7 * t).sin(),
        );
        let turned = Quat::from_euler(EulerRot::YXZ, t, 0.4 * t.sin(), 0.3);
        room.pose_hand(
            Side::Right,
            Transform::from_translation(at).with_rotation(turned),
        );
        room.frame();
        let wanted = Transform::from_matrix(room.hand(Side::Right).to_matrix() * offset);
        let is = room.at(cube);
        assert!(
            is.translation.distance(wanted.translation) < 1.0e-3,
            "frame {frame}"
        );
        assert!(
            is.rotation.angle_between(wanted.rotation) < 5.0e-3,
            "frame {frame}"
        );
    }
}

#[test]
fn a_held_cube_pressed_into_the_table_stays_above_it() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    room.take(Side::Right, cube);
    let lowest = TABLE + 0.04 - 1.0e-3;
    for (to, frames) in [
        (Vec3::new(0.2, 0.4, -0.5), 30),
        (Vec3::new(-0.2, 0.5, -0.6), 10),
        (Vec3::new(-0.2, 1.3, -0.6), 2),
        (Vec3::new(0.1, -0.2, -0.55), 1),
        (Vec3::new(0.1, -0.2, -0.55), 20),
    ] {
        room.reach_with(Side::Right, to, frames, |room| {
            let at = room.at(cube).translation;
            assert!(at.y > lowest, "{at}");
        });
    }
    // And it is in the hand again as soon as that comes back up.
    room.reach(Side::Right, Vec3::new(0.1, 1.2, -0.5), 10);
    assert!(
        room.at(cube)
            .translation
            .distance(room.hand(Side::Right).translation)
            < 0.06
    );
}

#[test]
fn a_cube_stuck_behind_the_table_comes_to_its_hand_after_a_moment() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    room.take(Side::Right, cube);
    room.reach(Side::Right, Vec3::new(0.2, 0.35, -0.5), 20);
    room.frames(60);
    assert!(
        room.at(cube)
            .translation
            .distance(room.hand(Side::Right).translation)
            < 0.06
    );
}

#[test]
fn a_pinch_takes_as_well_as_a_squeeze_and_a_tired_hand_drops_nothing() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    room.reach(Side::Right, Vec3::new(0.2, TABLE + 0.1, -0.5), 20);
    room.input(Side::Right, |input| input.trigger = 0.6);
    room.frame();
    assert_eq!(room.holder(cube), None);
    room.input(Side::Right, |input| input.trigger = 0.8);
    room.frame();
    assert!(room.holder(cube).is_some());
    room.input(Side::Right, |input| input.trigger = 0.4);
    room.frame();
    assert!(room.holder(cube).is_some());
    room.input(Side::Right, |input| input.trigger = 0.2);
    room.frame();
    assert_eq!(room.holder(cube), None);
}

#[test]
fn the_fingers_of_a_bare_hand_pinch_what_is_far_from_its_palm() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    let hand = room.hands[Side::Right as usize];
    let fingers = Vec3::new(0.2, TABLE + 0.09, -0.5);
    let mut joints = HandJoints {
        tracked: true,
        ..default()
    };
    joints.joints.fill(Transform::from_translation(fingers));
    room.app
        .world_mut()
        .entity_mut(hand)
        .insert((HandKind::Bare, joints));
    room.put_hand(Side::Right, fingers + Vec3::new(0.0, 0.06, 0.1));
    room.frames(2);
    room.input(Side::Right, |input| input.trigger = 1.0);
    room.frame();
    assert_eq!(room.holder(cube), Some(hand));
}

#[test]
fn a_fist_that_comes_by_takes_nothing_but_fingers_that_close_a_moment_too_early_do() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    let top = Vec3::new(0.2, TABLE + 0.08, -0.5);
    room.reach(Side::Right, top + Vec3::Y * 0.15, 10);
    room.squeeze(Side::Right, 1.0);
    room.frames(30);
    room.reach(Side::Right, top + Vec3::Y * 0.02, 10);
    assert_eq!(room.holder(cube), None);
    room.squeeze(Side::Right, 0.0);
    room.reach(Side::Right, top + Vec3::Y * 0.1, 10);
    room.input(Side::Right, |input| input.squeeze = 1.0);
    room.reach(Side::Right, top + Vec3::Y * 0.03, 4);
    assert!(room.holder(cube).is_some());
}

#[test]
fn a_thing_goes_from_hand_to_hand_and_is_never_in_both() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    room.take(Side::Right, cube);
    room.reach(Side::Right, Vec3::new(0.0, 1.2, -0.4), 20);
    room.done();
    room.reach(Side::Left, Vec3::new(-0.05, 1.2, -0.4), 20);
    room.squeeze(Side::Left, 1.0);
    assert_eq!(room.holder(cube), Some(room.hands[Side::Left as usize]));
    room.squeeze(Side::Right, 0.0);
    room.reach(Side::Right, Vec3::new(0.4, 1.2, -0.2), 10);
    room.reach(Side::Left, Vec3::new(-0.3, 1.3, -0.3), 10);
    assert!(
        room.at(cube)
            .translation
            .distance(room.hand(Side::Left).translation)
            < 0.1
    );
    let grabs = room.done();
    assert_eq!(
        grabs
            .iter()
            .filter(|it| matches!(it, Interaction::Grabbed { .. }))
            .count(),
        1
    );
    assert!(!grabs.iter().any(|it| matches!(
        it,
        Interaction::Released { .. } | Interaction::Thrown { .. }
    )));
}

#[test]
fn two_hands_that_close_on_one_thing_at_once_leave_it_in_one_of_them() {
    let mut room = Room::new();
    let cube = room.cube(0.0, -0.5);
    let at = Vec3::new(0.0, TABLE + 0.1, -0.5);
    room.reach(Side::Left, at - Vec3::X * 0.03, 20);
    room.reach(Side::Right, at + Vec3::X * 0.03, 20);
    room.input(Side::Left, |input| input.squeeze = 1.0);
    room.input(Side::Right, |input| input.squeeze = 1.0);
    room.frame();
    let first = room.holder(cube).unwrap();
    let side = if first == room.hands[0] {
        Side::Left
    } else {
        Side::Right
    };
    room.frames(20);
    room.squeeze(side, 0.0);
    assert!(room.holder(cube).is_none_or(|holder| holder != first));
}

#[test]
fn a_thing_let_go_falls_onto_the_table_and_no_socket_is_named_when_none_is_near() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    room.take(Side::Right, cube);
    room.reach(Side::Right, Vec3::new(0.0, 1.0, -0.6), 30);
    room.frames(20);
    room.done();
    room.squeeze(Side::Right, 0.0);
    assert_eq!(
        room.done(),
        [Interaction::Released {
            target: cube,
            fit: None
        }]
    );
    room.frames(100);
    let at = room.at(cube).translation;
    assert!((at.y - TABLE - 0.04).abs() < 2.0e-3, "{at}");
}

#[test]
fn a_hand_out_of_sight_holds_on_for_a_while_and_then_lets_go_without_having_done_anything() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    room.take(Side::Right, cube);
    room.reach(Side::Right, Vec3::new(0.2, 1.2, -0.5), 20);
    room.done();
    room.input(Side::Right, |input| *input = HandInput::default());
    room.frames(72);
    assert!(room.holder(cube).is_some());
    assert!((room.at(cube).translation.y - 1.2).abs() < 0.1);
    // Back in sight elsewhere, still closed: the thing comes along, and nothing was thrown.
    room.put_hand(Side::Right, Vec3::new(-0.3, 1.3, -0.4));
    room.input(Side::Right, |input| {
        input.tracked = true;
        input.squeeze = 1.0;
    });
    room.frame();
    room.squeeze(Side::Right, 0.0);
    assert!(matches!(
        room.done().as_slice(),
        [Interaction::Released { .. }]
    ));
    room.frames(60);
    room.take(Side::Right, cube);
    room.done();
    room.input(Side::Right, |input| *input = HandInput::default());
    room.frames(72 * 4);
    assert_eq!(room.holder(cube), None);
    assert!(room.done().is_empty());
    assert!((room.at(cube).translation.y - TABLE - 0.04).abs() < 5.0e-3);
}

#[test]
fn a_thing_that_the_lesson_takes_out_of_the_world_leaves_an_empty_hand() {
    let mut room = Room::new();
    let gone = room.cube(0.2, -0.5);
    let next = room.cube(-0.2, -0.5);
    room.take(Side::Right, gone);
    room.app.world_mut().despawn(gone);
    room.frames(3);
    room.squeeze(Side::Right, 0.0);
    room.take(Side::Right, next);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Wild hands, with what no runtime should send, too: nothing is lost.
    #[test]
    fn random_hands_never_lose_a_thing(
        moves in prop::collection::vec(
            (0usize..2, -1.5f32..1.5, -0.5f32..2.2, -1.5f32..1.5, -3.2f32..3.2, 0.0f32..1.0, 0u8..20),
            60..160,
        ),
    ) {
        let mut room = Room::new();
        let cubes = [room.cube(0.2, -0.5), room.cube(-0.2, -0.5), room.cube(0.0, -0.7)];
        for (hand, x, y, z, turn, squeeze, odd) in moves {
            let side = if hand == 0 { Side::Left } else { Side::Right };
            let mut at = Transform::from_xyz(x, y, z)
                .with_rotation(Quat::from_euler(EulerRot::YXZ, turn, turn * 0.5, 0.0));
            match odd {
                0 => at.translation.x = f32::NAN,
                1 => at.rotation = Quat::from_xyzw(f32::NAN, 0.0, 0.0, 1.0),
                // Straight to a thing, so that hands have something to do.
                2..=9 => at.translation = room.at(cubes[usize::from(odd) % 3]).translation + Vec3::Y * 0.02,
                _ => {}
            }
            room.pose_hand(side, at);
            room.input(side, |input| {
                input.tracked = odd != 10;
                input.squeeze = squeeze;
            });
            room.frames(2);
            for cube in cubes {
                let at = room.at(cube);
                prop_assert!(at.is_finite(), "{at:?}");
                prop_assert!(at.translation.y > crate::physics::LOWEST - 0.5, "{at:?}");
                prop_assert!(at.translation.length() < crate::physics::FURTHEST + 1.0, "{at:?}");
            }
        }
    }
}
