//! Sockets: what snaps in, what hops away.

use std::f32::consts::FRAC_PI_2;

use super::*;
use crate::interaction::things::InSocket;

/// Takes a cube to `at` and lets it go there at rest; what was reported of it.
fn place(room: &mut Room, cube: Entity, at: Transform) -> crate::interaction::SocketFit {
    room.take(Side::Right, cube);
    let into_hand = room.hand(Side::Right).to_matrix().inverse() * room.at(cube).to_matrix();
    let hand = Transform::from_matrix(at.to_matrix() * into_hand.inverse());
    room.reach(Side::Right, at.translation + Vec3::Y * 0.2, 30);
    room.pose_hand(Side::Right, hand);
    room.frames(20);
    room.done();
    room.squeeze(Side::Right, 0.0);
    match room.done().as_slice() {
        [Interaction::Released { fit: Some(fit), .. }] => *fit,
        other => panic!("no placement: {other:?}"),
    }
}

const PLACE: Transform = Transform::from_xyz(-0.3, TABLE + 0.045, -0.5);

#[test]
fn a_thing_put_into_its_socket_snaps_in_rests_there_and_can_be_taken_out_again() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    let socket = room.socket(PLACE, &[cube]);
    let off = Vec3::new(0.02, 0.01, 0.0);
    room.buzzed.clear();
    let fit = place(
        &mut room,
        cube,
        PLACE.with_translation(PLACE.translation + off),
    );
    assert!(fit.accepted && fit.socket == socket, "{fit:?}");
    assert!(
        (fit.position_error - off.length()).abs() < 2.0e-3 && fit.rotation_error < 0.01,
        "{fit:?}"
    );
    assert!(room.buzzed.iter().any(|pulse| pulse.amplitude > 0.8));
    assert_eq!(
        room.app.world().get::<InSocket>(cube).map(|it| it.0),
        Some(socket)
    );
    room.frames(30);
    assert_eq!(room.snapped.len(), 1);
    room.frames(200);
    assert!(room.at(cube).translation.distance(PLACE.translation) < 1.0e-3);
    room.take(Side::Right, cube);
    assert!(room.app.world().get::<InSocket>(cube).is_none());
    room.reach(Side::Right, Vec3::new(0.2, 1.1, -0.4), 20);
    assert!(
        room.at(cube)
            .translation
            .distance(room.hand(Side::Right).translation)
            < 0.1
    );
}

#[test]
fn a_thing_that_does_not_belong_is_named_with_its_socket_and_hops_away() {
    let mut room = Room::new();
    let wrong = room.cube(0.2, -0.5);
    let right = room.cube(0.4, -0.5);
    let socket = room.socket(PLACE, &[right]);
    let fit = place(&mut room, wrong, PLACE);
    assert!(!fit.accepted && fit.socket == socket, "{fit:?}");
    assert!(room.app.world().get::<InSocket>(wrong).is_none());
    room.reach(Side::Right, Vec3::new(0.4, 1.2, -0.2), 3);
    let mut highest = 0.0_f32;
    for _ in 0..40 {
        room.frame();
        highest = highest.max(room.at(wrong).translation.y);
    }
    assert!(highest > PLACE.translation.y + 0.01, "{highest}");
    room.frames(100);
    assert!(room.snapped.is_empty());
}

#[test]
fn the_right_thing_too_far_off_or_too_far_turned_is_a_wrong_placement() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    room.socket(PLACE, &[cube]);
    let fit = place(
        &mut room,
        cube,
        PLACE.with_translation(PLACE.translation + Vec3::X * 0.08),
    );
    assert!(!fit.accepted && fit.position_error > 0.07, "{fit:?}");
    room.frames(60);
    let fit = place(
        &mut room,
        cube,
        PLACE.with_rotation(Quat::from_rotation_y(FRAC_PI_2 / 2.0)),
    );
    assert!(!fit.accepted && fit.rotation_error > 0.6, "{fit:?}");
}

#[test]
fn what_lost_its_socket_is_free_again() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    let high = PLACE.with_translation(PLACE.translation + Vec3::Y * 0.2);
    let socket = room.socket(high, &[cube]);
    assert!(place(&mut room, cube, high).accepted);
    room.frames(30);
    room.app.world_mut().despawn(socket);
    room.frames(100);
    assert!(room.at(cube).translation.y < high.translation.y - 0.1);
}
