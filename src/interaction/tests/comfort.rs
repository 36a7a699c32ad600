//! Rules of comfort, as tests: who wears a headset is never moved but by their own wish, and then gently.

use proptest::prelude::*;

use super::*;
use crate::interaction::Vignette;
use crate::interaction::locomotion::SNAP;
use crate::interaction::things::Pressable;

fn flick(room: &mut Room, side: Side, to: Vec2, frames: u32) {
    room.input(side, |input| input.stick = to);
    room.frames(frames);
    room.input(side, |input| input.stick = Vec2::ZERO);
    room.frames(3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn the_camera_never_moves_without_input(seed in any::<u64>()) {
        let mut room = Room::new();
        room.spot(Vec3::new(1.0, 0.0, 1.0));
        let things = [room.cube(0.2, -0.5), room.cube(-0.2, -0.6)];
        let before = room.at(room.rig);
        let mut state = seed | 1;
        let mut random = || {
            // xorshift: the same seed, the same dance.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 24) as f32
        };
        for frame in 0..1000 {
            let head = Transform::from_xyz(random() - 0.5, 1.2 + random() * 0.6, random() - 0.5)
                .with_rotation(Quat::from_euler(EulerRot::YXZ, random() * 6.0, random() - 0.5, 0.0));
            let entity = room.head;
            room.app.world_mut().entity_mut(entity).insert(head);
            for side in [Side::Left, Side::Right] {
                let at = Transform::from_xyz(random() * 2.0 - 1.0, random() * 2.0, random() * 2.0 - 1.5)
                    .with_rotation(Quat::from_rotation_y(random() * 6.0));
                room.pose_hand(side, at);
                let (tracked, squeeze) = (random() > 0.1, random());
                // A stick that is not quite in the middle is no wish.
                let stick = Vec2::new(random() - 0.5, random() - 0.5);
                room.input(side, |input| {
                    *input = HandInput { tracked, squeeze, stick, ..default() };
                });
            }
            if frame % 200 == 100 {
                let thing = things[frame / 200 % 2];
                room.app.world_mut().entity_mut(thing).insert(Transform::from_xyz(0.0, 2.0, 0.0));
            }
            room.frame();
            prop_assert_eq!(room.at(room.rig), before);
        }
        let teleported = room.happened.iter().any(|it| matches!(it.what, Interaction::Teleported { .. }));
        prop_assert!(!teleported);
    }
}

#[test]
fn a_flick_turns_once_by_a_step_between_30_and_45_degrees_about_the_head() {
    assert!((30.0_f32.to_radians() - 1e-3..=45.0_f32.to_radians()).contains(&SNAP));
    for (side, x) in [(Side::Left, 1.0), (Side::Right, -1.0)] {
        let mut room = Room::new();
        let head = Transform::from_xyz(0.4, 1.6, -0.3);
        let entity = room.head;
        room.app.world_mut().entity_mut(entity).insert(head);
        room.frame();
        let stood = room.stands_at();
        flick(&mut room, side, Vec2::X * x, 60);
        let rig = room.at(room.rig);
        let turned = rig.rotation.to_euler(EulerRot::YXZ).0;
        assert!(
            (turned + x * SNAP).abs() < 1e-4,
            "right is to the right: {turned}"
        );
        assert!(room.stands_at().distance(stood) < 1e-4, "about the head");
        assert!(rig.up().angle_between(Vec3::Y) < 1e-4, "no roll");
        flick(&mut room, side, Vec2::X * -x, 2);
        assert!(room.at(room.rig).rotation.angle_between(Quat::IDENTITY) < 1e-3);
    }
}

#[test]
fn there_is_no_ramp_a_move_is_done_in_one_frame() {
    let mut room = Room::new();
    room.input(Side::Right, |input| input.stick = Vec2::X);
    room.frame();
    let after = room.at(room.rig);
    room.frames(30);
    assert_eq!(room.at(room.rig), after);
    // And it is told, once, because turns add up to what makes sick.
    let turned = |it: &Interacted| match it.what {
        Interaction::Turned { angle } => Some(angle),
        _ => None,
    };
    let told: Vec<f32> = room.happened.iter().filter_map(turned).collect();
    assert_eq!(told, [-std::f32::consts::FRAC_PI_6]);
}

#[test]
fn the_view_narrows_while_one_is_moved_and_opens_again() {
    let mut room = Room::new();
    assert_eq!(*room.app.world().resource::<Vignette>(), Vignette(0.0));
    room.input(Side::Right, |input| input.stick = Vec2::X);
    room.frame();
    assert!(room.app.world().resource::<Vignette>().0 > 0.9);
    room.input(Side::Right, |input| input.stick = Vec2::ZERO);
    room.frames(72);
    assert_eq!(*room.app.world().resource::<Vignette>(), Vignette(0.0));
}

#[test]
fn every_deed_can_be_done_with_one_hand() {
    for (side, other) in [(Side::Left, Side::Right), (Side::Right, Side::Left)] {
        let mut room = Room::new();
        room.input(other, |input| *input = HandInput::default());
        let cube = room.cube(0.2, -0.5);
        let button = room.solid(
            Form::Box(Vec3::new(0.08, 0.04, 0.08)),
            Weight::Driven,
            Vec3::new(-0.2, TABLE + 0.02, -0.4),
        );
        room.app.world_mut().entity_mut(button).insert(Pressable);
        let spot = room.spot(Vec3::new(1.2, 0.0, 1.0));
        let goal = Vec3::new(0.0, TABLE + 0.05, -0.5);
        let socket = room.socket(Transform::from_translation(goal), &[cube]);
        room.take(side, cube);
        let grip = room.hand(side).translation - room.at(cube).translation;
        room.reach(side, goal + grip + Vec3::Y * 0.1, 20);
        room.reach(side, goal + grip, 20);
        room.frames(20);
        room.squeeze(side, 0.0);
        room.reach(side, Vec3::new(-0.2, 1.0, -0.4), 20);
        room.reach(side, Vec3::new(-0.2, TABLE, -0.4), 10);
        room.reach(side, Vec3::new(-0.2, 1.0, -0.2), 10);
        flick(&mut room, side, Vec2::X, 3);
        room.teleport(side, Vec3::new(1.2, 0.0, 1.0));
        let done = room.done();
        let did = |what: &dyn Fn(&Interaction) -> bool| {
            assert!(done.iter().any(what), "{side:?}: {done:?}");
        };
        did(&|it| matches!(it, Interaction::Touched { target } if *target == cube));
        did(&|it| matches!(it, Interaction::Grabbed { target } if *target == cube));
        did(
            &|it| matches!(it, Interaction::Released { fit: Some(fit), .. } if fit.accepted && fit.socket == socket),
        );
        did(&|it| matches!(it, Interaction::Pressed { target } if *target == button));
        did(&|it| matches!(it, Interaction::Teleported { spot: Some(at), .. } if *at == spot));
    }
}
