//! Buttons, gaze and panels.

use super::*;
use crate::interaction::things::{Gazeable, PointerSurface, Pressable};
use crate::xr::rig::HandKind;

const BUTTON: Vec3 = Vec3::new(0.0, TABLE + 0.02, -0.4);

fn button(room: &mut Room) -> Entity {
    let button = room.solid(
        Form::Cylinder {
            radius: 0.05,
            height: 0.04,
        },
        Weight::Driven,
        BUTTON,
    );
    room.app.world_mut().entity_mut(button).insert(Pressable);
    room.frames(2);
    button
}

fn presses(room: &mut Room) -> usize {
    room.done()
        .iter()
        .filter(|it| matches!(it, Interaction::Pressed { .. }))
        .count()
}

#[test]
fn a_button_goes_in_under_the_hand_clicks_once_and_comes_back() {
    let mut room = Room::new();
    let button = button(&mut room);
    room.reach(Side::Left, BUTTON + Vec3::Y * 0.15, 20);
    room.reach(Side::Left, BUTTON + Vec3::Y * 0.045, 10);
    assert_eq!(presses(&mut room), 0);
    assert!(room.at(button).translation.y < BUTTON.y, "goes in a little");
    room.reach(Side::Left, BUTTON - Vec3::Y * 0.05, 10);
    room.frames(30);
    assert_eq!(presses(&mut room), 1);
    assert!(room.buzzed.iter().any(|pulse| pulse.side == Side::Left));
    assert!(
        BUTTON.y - room.at(button).translation.y < 0.019,
        "its travel is limited"
    );
    room.reach(Side::Left, BUTTON + Vec3::Y * 0.15, 10);
    room.frames(30);
    assert!((room.at(button).translation.y - BUTTON.y).abs() < 1.0e-5);
    room.reach(Side::Left, BUTTON, 10);
    assert_eq!(presses(&mut room), 1, "and can be pressed again");
}

#[test]
fn a_hand_trembling_at_the_click_presses_once() {
    let mut room = Room::new();
    button(&mut room);
    // Clicks at 70 % of 18 mm.
    let click = BUTTON + Vec3::Y * (0.02 + 0.03 - 0.0126);
    room.reach(Side::Right, BUTTON + Vec3::Y * 0.15, 20);
    for frame in 0..60 {
        let tremor = if frame % 2 == 0 { -0.001 } else { 0.001 };
        room.put_hand(Side::Right, click + Vec3::Y * tremor);
        room.frame();
    }
    assert_eq!(presses(&mut room), 1);
}

#[test]
fn a_fast_hand_presses_even_if_no_frame_sees_it_on_the_way() {
    let mut room = Room::new();
    button(&mut room);
    room.reach(Side::Right, BUTTON + Vec3::Y * 0.2, 10);
    room.put_hand(Side::Right, BUTTON - Vec3::Y * 0.1);
    room.frame();
    assert_eq!(presses(&mut room), 1);
}

#[test]
fn a_hand_from_the_side_or_from_under_the_table_does_not_press() {
    let mut room = Room::new();
    button(&mut room);
    room.reach(Side::Right, BUTTON + Vec3::X * 0.3, 10);
    room.reach(Side::Right, BUTTON - Vec3::X * 0.3, 20);
    assert_eq!(presses(&mut room), 0, "from the side");
    room.reach(Side::Right, BUTTON - Vec3::new(0.3, 0.3, 0.0), 10);
    room.reach(Side::Right, BUTTON - Vec3::Y * 0.3, 10);
    room.reach(Side::Right, BUTTON - Vec3::Y * 0.01, 10);
    assert_eq!(presses(&mut room), 0, "from below");
}

#[test]
fn a_fingertip_presses_while_the_palm_is_far() {
    let mut room = Room::new();
    button(&mut room);
    let hand = room.hands[Side::Right as usize];
    room.app
        .world_mut()
        .entity_mut(hand)
        .insert(HandKind::Controller);
    let down = |height: f32| {
        Transform::from_translation(BUTTON + Vec3::Y * (0.05 + height))
            .looking_to(Vec3::NEG_Y, Vec3::NEG_Z)
    };
    for height in [0.2, 0.1, 0.06, 0.02, 0.01] {
        let grip = down(height).translation + Vec3::new(0.0, 0.12, 0.08);
        room.put_hand(Side::Right, grip);
        room.app
            .world_mut()
            .entity_mut(hand)
            .insert(AimPose(down(height)));
        room.frame();
    }
    assert_eq!(presses(&mut room), 1);
}

#[test]
fn a_look_is_timed_alike_at_every_frame_rate_and_a_glance_away_does_not_end_it() {
    for hertz in [20.0, 72.0, 120.0] {
        let mut room = Room::at_rate(Duration::from_secs_f32(1.0 / hertz));
        let target = room
            .app
            .world_mut()
            .spawn((Gazeable, Transform::from_xyz(1.0, 1.6, -2.0)))
            .id();
        room.frames(3);
        room.forget();
        let turn = |room: &mut Room, to: Vec3| {
            let head = room.head;
            let at = room.at(head).looking_at(to, Vec3::Y);
            room.app.world_mut().entity_mut(head).insert(at);
        };
        room.frames(10);
        assert!(room.done().is_empty(), "not looked at yet");
        turn(&mut room, Vec3::new(1.05, 1.65, -2.0));
        room.frames((2.0 * hertz) as u32);
        let held = match room.done().last() {
            Some(Interaction::LookedAt { target: seen, held }) if *seen == target => *held,
            other => panic!("not seen: {other:?}"),
        };
        assert!((held - 2.0).abs() < 0.06, "{held} s at {hertz} Hz");
        turn(&mut room, Vec3::new(-1.0, 1.6, -1.0));
        room.frames((0.1 * hertz) as u32);
        turn(&mut room, Vec3::new(1.0, 1.6, -2.0));
        room.frames(2);
        assert!(
            matches!(room.done().last(), Some(Interaction::LookedAt { held, .. }) if *held > 1.9)
        );
    }
}

fn panel(room: &mut Room) -> Entity {
    let panel = room
        .app
        .world_mut()
        .spawn((
            PointerSurface {
                size: Vec2::new(0.8, 0.6),
            },
            Transform::from_xyz(0.0, 1.4, -1.5),
        ))
        .id();
    room.frames(2);
    room.forget();
    panel
}

#[test]
fn a_ray_points_at_a_panel_and_the_trigger_presses_there() {
    let mut room = Room::new();
    let panel = panel(&mut room);
    room.put_hand(Side::Left, Vec3::new(-0.3, 0.9, 0.2));
    room.aim_at(Side::Left, Vec3::new(-0.3, -1.0, 0.1));
    // A quarter to the right and a third up from the lower edge.
    room.aim_at(Side::Right, Vec3::new(0.2, 1.3, -1.5));
    room.frame();
    let [seen] = room.pointed.as_slice() else {
        panic!("{:?}", room.pointed);
    };
    assert_eq!(seen.surface, panel);
    assert!(
        seen.uv.distance(Vec2::new(0.75, 2.0 / 3.0)) < 1.0e-3,
        "{seen:?}"
    );
    assert!(!seen.pressed);
    room.pointed.clear();
    room.input(Side::Right, |input| input.trigger = 1.0);
    room.frame();
    // Hysteresis: half let go is still pressed.
    room.input(Side::Right, |input| input.trigger = 0.5);
    room.frame();
    room.input(Side::Right, |input| input.trigger = 0.1);
    room.frame();
    let pressed: Vec<bool> = room.pointed.iter().map(|it| it.pressed).collect();
    assert_eq!(pressed, [true, true, false]);
}

#[test]
fn nothing_is_pointed_at_from_behind_beside_or_with_full_hands() {
    let mut room = Room::new();
    panel(&mut room);
    room.put_hand(Side::Left, Vec3::new(-0.3, 0.9, 0.2));
    room.aim_at(Side::Left, Vec3::new(-0.3, -1.0, 0.1));
    room.put_hand(Side::Right, Vec3::new(0.0, 1.4, -2.5));
    room.aim_at(Side::Right, Vec3::new(0.0, 1.4, -1.5));
    room.frame();
    room.put_hand(Side::Right, Vec3::new(0.0, 1.4, 0.0));
    room.aim_at(Side::Right, Vec3::new(0.5, 1.4, -1.5));
    room.frame();
    assert!(room.pointed.is_empty(), "{:?}", room.pointed);
    let cube = room.cube(0.2, -0.5);
    room.pose_hand(Side::Right, Transform::from_xyz(0.2, 1.0, -0.4));
    room.take(Side::Right, cube);
    room.reach(Side::Right, Vec3::new(0.0, 1.4, -0.3), 10);
    room.forget();
    room.aim_at(Side::Right, Vec3::new(0.0, 1.4, -1.5));
    room.frames(2);
    assert!(room.pointed.is_empty(), "{:?}", room.pointed);
}

#[test]
fn a_fingertip_on_a_panel_presses_by_touching_it() {
    let mut room = Room::new();
    let panel = panel(&mut room);
    let hand = room.hands[Side::Right as usize];
    room.app
        .world_mut()
        .entity_mut(hand)
        .insert(HandKind::Controller);
    room.put_hand(Side::Left, Vec3::new(-0.3, 0.9, 0.2));
    room.aim_at(Side::Left, Vec3::new(-0.3, -1.0, 0.1));
    room.pose_hand(Side::Right, Transform::from_xyz(0.1, 1.4, -1.0));
    room.frames(2);
    room.forget();
    // The tip is 5 cm before the aim's origin.
    room.reach(Side::Right, Vec3::new(0.1, 1.4, -1.43), 20);
    assert!(
        room.pointed
            .iter()
            .all(|it| it.surface == panel && !it.pressed)
    );
    room.forget();
    room.reach(Side::Right, Vec3::new(0.1, 1.4, -1.47), 10);
    assert!(room.pointed.last().unwrap().pressed);
    room.reach(Side::Right, Vec3::new(0.1, 1.4, -1.40), 10);
    assert!(!room.pointed.last().unwrap().pressed);
}
