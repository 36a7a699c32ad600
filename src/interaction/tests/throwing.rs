//! Throws, and what they strike.

use super::*;
use crate::interaction::things::put_at_rest;
use crate::physics::Velocity;

/// Swings a held thing and lets it go on the way. What was thrown how fast.
fn swing(room: &mut Room, thing: Entity, velocity: Vec3) -> Option<f32> {
    room.take(Side::Right, thing);
    room.reach(Side::Right, Vec3::new(0.2, 1.2, 0.0), 30);
    room.frames(20);
    room.done();
    let step = velocity * FRAME.as_secs_f32();
    for _ in 0..8 {
        let at = room.hand(Side::Right).translation + step;
        room.put_hand(Side::Right, at);
        room.frame();
    }
    let at = room.hand(Side::Right).translation + step;
    room.put_hand(Side::Right, at);
    room.squeeze(Side::Right, 0.0);
    room.done().into_iter().find_map(|it| match it {
        Interaction::Thrown { target, speed } if target == thing => Some(speed),
        _ => None,
    })
}

#[test]
fn a_throw_has_the_velocity_of_the_hand_and_strikes_what_is_in_its_way() {
    let mut room = Room::new();
    let wall = room.solid(
        Form::Box(Vec3::new(3.0, 3.0, 0.05)),
        Weight::Fixed,
        Vec3::new(0.0, 1.5, -2.5),
    );
    let cube = room.cube(0.2, -0.5);
    let speed = swing(&mut room, cube, Vec3::new(0.0, 1.0, -4.0)).unwrap();
    assert!((speed - 17.0_f32.sqrt()).abs() < 0.15, "{speed}");
    let velocity = room.app.world().get::<Velocity>(cube).unwrap().linear;
    assert!(velocity.z < -3.8 && velocity.y > 0.7, "{velocity}");
    room.frames(100);
    let struck: Vec<_> = room.done();
    assert_eq!(
        struck,
        [Interaction::Struck {
            target: cube,
            hit: wall
        }],
        "once, and the wall first"
    );
}

#[test]
fn fingers_that_open_a_little_late_do_not_spoil_a_throw() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    room.take(Side::Right, cube);
    room.reach(Side::Right, Vec3::new(0.2, 1.2, 0.0), 30);
    room.reach(Side::Right, Vec3::new(0.2, 1.3, -0.5), 9);
    // The hand brakes over four frames before it opens.
    room.reach(Side::Right, Vec3::new(0.2, 1.31, -0.55), 4);
    room.done();
    room.squeeze(Side::Right, 0.0);
    let thrown = room.done();
    assert!(
        matches!(thrown.as_slice(), [Interaction::Thrown { speed, .. }] if *speed > 3.5),
        "{thrown:?}"
    );
}

#[test]
fn a_slow_hand_puts_down_and_does_not_throw() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    assert_eq!(swing(&mut room, cube, Vec3::new(0.0, 0.0, -0.4)), None);
}

#[test]
fn tracking_noise_is_no_throw() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    room.take(Side::Right, cube);
    room.reach(Side::Right, Vec3::new(0.2, 1.1, -0.3), 30);
    let rest = room.hand(Side::Right).translation;
    for frame in 0..40 {
        let noise = Vec3::new(
            (frame * 37 % 11) as f32 - 5.0,
            (frame * 53 % 7) as f32 - 3.0,
            0.0,
        ) * 4.0e-4;
        room.put_hand(Side::Right, rest + noise);
        room.frame();
    }
    room.done();
    room.squeeze(Side::Right, 0.0);
    assert!(matches!(
        room.done().as_slice(),
        [Interaction::Released { .. }]
    ));
}

#[test]
fn a_turn_of_the_wrist_throws_and_spins() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    room.take(Side::Right, cube);
    room.reach(Side::Right, Vec3::new(0.2, 1.3, -0.3), 30);
    for step in 1..=10 {
        let turned = Quat::from_rotation_z(step as f32 * 20.0 * FRAME.as_secs_f32());
        let at = Transform::from_xyz(0.2, 1.3, -0.3).with_rotation(turned);
        room.pose_hand(Side::Right, at);
        if step == 10 {
            room.input(Side::Right, |input| input.squeeze = 0.0);
        }
        room.frame();
    }
    let velocity = *room.app.world().get::<Velocity>(cube).unwrap();
    assert!(velocity.angular.z > 15.0, "{velocity:?}");
    // 20 rad/s at 3 cm from the grip.
    assert!(
        (0.3..1.2).contains(&velocity.linear.with_y(0.0).length()),
        "{velocity:?}"
    );
}

#[test]
fn a_fault_of_tracking_does_not_throw_a_thing_through_the_wall_of_the_house() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    let speed = swing(&mut room, cube, Vec3::new(0.0, 5.0, -60.0));
    assert!(speed.is_some_and(|speed| speed <= 15.01), "{speed:?}");
}

#[test]
fn the_table_it_was_lying_on_in_the_hand_is_not_what_a_throw_strikes() {
    let mut room = Room::new();
    let cube = room.cube(0.2, -0.5);
    room.take(Side::Right, cube);
    let step = Vec3::new(0.0, 2.5, -2.5) * FRAME.as_secs_f32();
    room.done();
    // Along the table, touching it, until the very moment of the throw.
    room.reach(Side::Right, Vec3::new(0.2, TABLE + 0.02, -0.45), 10);
    for _ in 0..4 {
        let at = room.hand(Side::Right).translation + step;
        room.put_hand(Side::Right, at);
        room.frame();
    }
    room.squeeze(Side::Right, 0.0);
    room.frames(3);
    let done = room.done();
    assert!(
        done.iter()
            .any(|it| matches!(it, Interaction::Thrown { .. })),
        "{done:?}"
    );
    assert!(
        !done
            .iter()
            .any(|it| matches!(it, Interaction::Struck { .. })),
        "{done:?}"
    );
}

#[test]
fn a_throw_feels_alike_at_every_frame_rate() {
    let thrown_at = |hertz: f32| {
        let frame = Duration::from_secs_f32(1.0 / hertz);
        let mut room = Room::at_rate(frame);
        let cube = room.cube(0.2, -0.5);
        room.take(Side::Right, cube);
        room.reach(Side::Right, Vec3::new(0.2, 1.2, 0.0), 10);
        room.frames(10);
        let frames = (0.2 * hertz) as u32;
        room.done();
        room.reach(Side::Right, Vec3::new(0.2, 1.2, -0.6), frames);
        room.squeeze(Side::Right, 0.0);
        match room.done().as_slice() {
            [Interaction::Thrown { speed, .. }] => *speed,
            other => panic!("no throw at {hertz} Hz: {other:?}"),
        }
    };
    for hertz in [20.0, 72.0, 90.0, 120.0] {
        let speed = thrown_at(hertz);
        assert!((speed - 3.0).abs() < 0.3, "{speed} m/s at {hertz} Hz");
    }
}

#[test]
fn what_is_put_back_while_it_rolls_lies_still() {
    let mut room = Room::new();
    let ball = room.solid(
        Form::Ball { radius: 0.04 },
        Weight::Kilograms(0.12),
        Vec3::new(0.2, TABLE + 0.04, -0.5),
    );
    room.frames(30);
    let home = *room.app.world().get::<Transform>(ball).unwrap();
    room.app
        .world_mut()
        .get_mut::<Velocity>(ball)
        .unwrap()
        .linear = Vec3::new(-0.6, 0.0, 0.0);
    room.frames(20);
    let rolled = room.app.world().get::<Transform>(ball).unwrap().translation;
    assert!(rolled.distance(home.translation) > 0.05, "{rolled}");
    put_at_rest(&mut room.app.world_mut().commands(), ball, home);
    room.frames(100);
    let lies = room.app.world().get::<Transform>(ball).unwrap().translation;
    assert!(lies.distance(home.translation) < 0.002, "{lies}");
}
