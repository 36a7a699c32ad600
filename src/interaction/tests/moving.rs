//! Teleport, turns, and what is taken along.

use super::*;
use crate::interaction::locomotion::Move;
use crate::interaction::teleport_aim;

impl Room {
    fn aim_arc(&mut self, side: Side, to: Vec3) {
        let rig = self.at(self.rig);
        let hand = rig.transform_point(self.hand(side).translation);
        let direction = rig.rotation.inverse() * teleport_aim(hand, to).unwrap();
        let at =
            Transform::from_translation(self.hand(side).translation).looking_to(direction, Vec3::Y);
        self.pose_hand(side, at);
    }

    fn stick(&mut self, side: Side, to: Vec2, frames: u32) {
        self.input(side, |input| input.stick = to);
        self.frames(frames);
    }

    pub(super) fn teleport(&mut self, side: Side, to: Vec3) {
        self.aim_arc(side, to);
        self.stick(side, Vec2::Y, 5);
        self.stick(side, Vec2::ZERO, 2);
    }

    pub(super) fn stands_at(&self) -> Vec3 {
        self.at(self.rig)
            .transform_point(self.at(self.head).translation)
            .with_y(0.0)
    }
}

#[test]
fn a_stick_pushed_and_let_go_takes_the_person_to_the_marked_spot() {
    let mut room = Room::new();
    let spot = room.spot(Vec3::new(1.5, 0.0, 1.0));
    room.frames(2);
    // Anywhere on the spot leads to its middle.
    room.aim_arc(Side::Right, Vec3::new(1.6, 0.0, 1.1));
    room.stick(Side::Right, Vec2::Y, 10);
    assert!(room.done().is_empty(), "not before the stick is let go");
    room.stick(Side::Right, Vec2::ZERO, 1);
    assert_eq!(
        room.done(),
        [Interaction::Teleported {
            to: Vec3::new(1.5, 0.0, 1.0),
            spot: Some(spot)
        }]
    );
    assert!(room.stands_at().distance(Vec3::new(1.5, 0.0, 1.0)) < 1.0e-4);
    assert!(room.at(room.rig).translation.y.abs() < 1.0e-6);
}

#[test]
fn nobody_is_taken_off_the_floor_or_into_the_furniture() {
    let mut room = Room::new();
    room.frames(2);
    let before = room.at(room.rig);
    room.teleport(Side::Right, Vec3::new(4.5, 0.0, 0.0));
    room.teleport(Side::Right, Vec3::new(0.3, 0.0, -0.6));
    assert!(room.done().is_empty());
    assert_eq!(room.at(room.rig), before);
    room.teleport(Side::Left, Vec3::new(-1.5, 0.0, 0.5));
    assert!(room.stands_at().distance(Vec3::new(-1.5, 0.0, 0.5)) < 0.05);
}

#[test]
fn a_hand_that_goes_out_of_sight_while_aiming_moves_nobody() {
    let mut room = Room::new();
    let before = room.at(room.rig);
    room.aim_arc(Side::Right, Vec3::new(1.5, 0.0, 0.5));
    room.stick(Side::Right, Vec2::Y, 10);
    room.input(Side::Right, |input| *input = HandInput::default());
    room.frames(10);
    room.input(Side::Right, |input| input.tracked = true);
    room.frames(10);
    assert_eq!(room.at(room.rig), before);
}

#[test]
fn a_pinch_in_empty_air_leads_to_marked_spots_and_nowhere_else() {
    let mut room = Room::new();
    let spot = room.spot(Vec3::new(1.5, 0.0, 1.0));
    room.frames(2);
    let pinch = |room: &mut Room, frames| {
        room.input(Side::Left, |input| input.trigger = 1.0);
        room.frames(frames);
        room.input(Side::Left, |input| input.trigger = 0.0);
        room.frames(2);
    };
    room.aim_arc(Side::Left, Vec3::new(-1.5, 0.0, 1.0));
    pinch(&mut room, 40);
    room.aim_arc(Side::Left, Vec3::new(1.5, 0.0, 1.0));
    pinch(&mut room, 5);
    assert!(room.done().is_empty(), "no bare floor, and no short click");
    pinch(&mut room, 40);
    let done = room.done();
    assert!(
        matches!(done.as_slice(), [Interaction::Teleported { spot: Some(at), .. }] if *at == spot),
        "{done:?}"
    );
}

#[test]
fn what_is_held_comes_along_over_the_table_and_is_not_thrown_by_it() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    room.take(Side::Left, cube);
    room.reach(Side::Left, Vec3::new(-0.1, 1.0, -0.4), 20);
    let held_at = room
        .hand(Side::Left)
        .translation
        .distance(room.at(cube).translation);
    room.done();
    // To the other side of the table, turned, in one go.
    room.teleport(Side::Right, Vec3::new(0.0, 0.0, -2.0));
    room.stick(Side::Right, Vec2::X, 2);
    room.stick(Side::Right, Vec2::ZERO, 2);
    let hand = room
        .at(room.rig)
        .transform_point(room.hand(Side::Left).translation);
    assert!((hand.distance(room.at(cube).translation) - held_at).abs() < 1.0e-3);
    room.squeeze(Side::Left, 0.0);
    let done = room.done();
    assert!(
        matches!(done.last(), Some(Interaction::Released { .. })),
        "{done:?}"
    );
}

#[test]
fn walking_is_for_the_desktop_alone() {
    let mut room = Room::new();
    let before = room.at(room.rig);
    room.app.world_mut().write_message(Move::Walk(Vec2::Y));
    room.frames(3);
    assert_eq!(room.at(room.rig), before);
}
