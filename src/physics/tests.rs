use std::time::Duration;

use bevy::time::TimeUpdateStrategy;
use proptest::prelude::*;

use super::*;

fn room(frame: Duration) -> App {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, PhysicsPlugin))
        .insert_resource(TimeUpdateStrategy::ManualDuration(frame));
    app.world_mut().spawn((
        Body::Fixed,
        Collider::Box(Vec3::new(10.0, 0.1, 10.0)),
        Transform::from_xyz(0.0, -0.05, 0.0),
    ));
    app.update();
    app
}

fn cube(app: &mut App, at: Vec3) -> Entity {
    app.world_mut()
        .spawn((
            Body::Dynamic { mass: 0.2 },
            Collider::Box(Vec3::splat(0.1)),
            Transform::from_translation(at),
        ))
        .id()
}

fn at(app: &App, entity: Entity) -> Transform {
    *app.world().get::<Transform>(entity).unwrap()
}

fn run(app: &mut App, frames: u32) {
    for _ in 0..frames {
        app.update();
    }
}

const FRAME: Duration = Duration::from_nanos(13_888_889);

#[test]
fn a_cube_falls_onto_the_floor_and_rests_within_a_millimetre() {
    let mut app = room(FRAME);
    let cube = cube(&mut app, Vec3::new(0.3, 0.5, -0.2));
    run(&mut app, 200);
    let rests = at(&app, cube);
    assert!((rests.translation.y - 0.05).abs() < 1.0e-3, "{rests:?}");
    let goal = Transform::from_translation(rests.translation + Vec3::X * 0.0003);
    let error = app
        .world()
        .resource::<Physics>()
        .placement(cube, &goal)
        .unwrap();
    assert!((error.position - 0.0003).abs() < 1.0e-4, "{error:?}");
}

#[test]
fn the_same_inputs_give_the_same_result_to_the_bit() {
    let play = || {
        let mut app = room(FRAME);
        let cubes: Vec<Entity> = (0..8)
            .map(|i| {
                cube(
                    &mut app,
                    Vec3::new(0.02 * i as f32, 0.3 + 0.12 * i as f32, 0.01 * i as f32),
                )
            })
            .collect();
        run(&mut app, 240);
        cubes
            .iter()
            .flat_map(|cube| {
                let at = at(&app, *cube);
                [
                    at.translation.to_array().to_vec(),
                    at.rotation.to_array().to_vec(),
                ]
                .concat()
            })
            .map(f32::to_bits)
            .collect::<Vec<_>>()
    };
    assert_eq!(play(), play());
}

#[test]
fn the_result_hardly_depends_on_the_frame_rate() {
    let fall = |frame: Duration, frames| {
        let mut app = room(frame);
        let cube = cube(&mut app, Vec3::new(0.0, 1.5, 0.0));
        run(&mut app, frames);
        at(&app, cube).translation.y
    };
    let slow = fall(Duration::from_millis(50), 9);
    let fast = fall(Duration::from_millis(10), 45);
    assert!((slow - fast).abs() < 0.03, "{slow} {fast}");
}

#[test]
fn what_falls_out_of_the_room_comes_back_to_where_it_started() {
    let mut app = room(FRAME);
    let start = Vec3::new(7.0, 0.5, 0.0);
    let cube = cube(&mut app, start);
    let mut came_back = false;
    for _ in 0..150 {
        app.update();
        came_back |= app
            .world_mut()
            .resource_mut::<Messages<Fell>>()
            .drain()
            .any(|fell| fell == Fell(cube));
    }
    assert!(came_back);
    assert!(at(&app, cube).translation.y > LOWEST);
}

#[test]
fn a_ball_thrown_at_50_m_per_s_does_not_pass_a_thin_wall_and_the_contact_is_reported() {
    let mut app = room(FRAME);
    let wall = app
        .world_mut()
        .spawn((
            Body::Fixed,
            Collider::Box(Vec3::new(2.0, 2.0, 0.01)),
            Transform::from_xyz(0.0, 1.0, -2.0),
        ))
        .id();
    let ball = app
        .world_mut()
        .spawn((
            Body::Dynamic { mass: 0.1 },
            Collider::Sphere { radius: 0.03 },
            Velocity {
                linear: Vec3::new(0.0, 0.0, -50.0),
                angular: Vec3::ZERO,
            },
            Transform::from_xyz(0.0, 1.2, 0.0),
        ))
        .id();
    let mut touched = false;
    for _ in 0..30 {
        app.update();
        touched |= app
            .world_mut()
            .resource_mut::<Messages<Contact>>()
            .drain()
            .any(|contact| contact.other(ball) == Some(wall));
        assert!(at(&app, ball).translation.z > -2.0);
    }
    assert!(touched);
}

#[test]
fn a_frame_takes_a_bounded_number_of_steps_and_counts_what_it_left_out() {
    let mut app = room(Duration::from_secs(2));
    let before = app.world().resource::<Physics>().steps;
    let dropped = app.world().resource::<Physics>().dropped;
    // Bevy itself caps a frame's virtual time at 0.25 s.
    app.update();
    let physics = app.world().resource::<Physics>();
    assert!(physics.steps - before <= u64::from(MAX_STEPS));
    assert!(physics.dropped > dropped);
}

#[test]
fn a_despawned_body_leaves_the_space_and_a_changed_one_stays_once() {
    let mut app = room(FRAME);
    let gone = cube(&mut app, Vec3::new(0.0, 0.05, 0.0));
    let grown = cube(&mut app, Vec3::new(1.0, 0.05, 0.0));
    app.update();
    assert_eq!(app.world().resource::<Physics>().len(), 3);
    app.world_mut().despawn(gone);
    app.world_mut()
        .entity_mut(grown)
        .insert(Collider::Sphere { radius: 0.2 });
    run(&mut app, 3);
    assert_eq!(app.world().resource::<Physics>().len(), 2);
    assert!(
        app.world()
            .resource::<Physics>()
            .nearest(Vec3::ZERO, 0.2, |e| e == gone)
            .is_none()
    );
    assert!(app.world().resource::<Physics>().radius(grown).unwrap() > 0.19);
}

#[test]
fn a_body_without_a_finite_place_waits_for_one() {
    let mut app = room(FRAME);
    let cube = cube(&mut app, Vec3::NAN);
    run(&mut app, 3);
    assert_eq!(app.world().resource::<Physics>().len(), 1);
    assert!(
        app.world().get::<sync::LeftOut>(cube).is_some(),
        "told once, not in every frame"
    );
    *app.world_mut().get_mut::<Transform>(cube).unwrap() = Transform::from_xyz(0.0, 0.5, 0.0);
    run(&mut app, 100);
    assert_eq!(app.world().resource::<Physics>().len(), 2);
    assert!((at(&app, cube).translation.y - 0.05).abs() < 1.0e-3);
    // And one that is sent nowhere later stays where it is.
    app.world_mut()
        .get_mut::<Transform>(cube)
        .unwrap()
        .translation
        .x = f32::INFINITY;
    run(&mut app, 3);
    assert!(
        at(&app, cube)
            .translation
            .distance(Vec3::new(0.0, 0.05, 0.0))
            < 1.0e-2
    );
}

#[test]
fn queries_find_the_nearest_the_first_on_a_ray_and_all_that_overlap() {
    let mut app = room(FRAME);
    let near = cube(&mut app, Vec3::new(0.0, 0.05, -1.0));
    let far = cube(&mut app, Vec3::new(0.0, 0.05, -2.0));
    app.update();
    let physics = app.world().resource::<Physics>();
    let eye = Vec3::new(0.0, 0.05, 0.0);
    let any_cube = |entity| entity == near || entity == far;
    let (first, distance) = physics.cast_ray(eye, Dir3::NEG_Z, 5.0, any_cube).unwrap();
    assert_eq!(first, near);
    assert!((distance - 0.95).abs() < 2.0e-3);
    let second = physics
        .cast_ray(eye, Dir3::NEG_Z, 5.0, |entity| entity == far)
        .unwrap();
    assert_eq!(second.0, far);
    let (nearest, gap) = physics
        .nearest(Vec3::new(0.0, 0.05, -1.1), 0.2, any_cube)
        .unwrap();
    assert_eq!(nearest, near);
    assert!((gap - 0.05).abs() < 2.0e-3);
    assert!(
        physics
            .nearest(Vec3::new(0.0, 2.0, 0.0), 0.2, any_cube)
            .is_none()
    );
    assert!(physics.nearest(Vec3::NAN, 0.2, any_cube).is_none());
    let mut found = Vec::new();
    physics.overlapping(Vec3::new(0.0, 0.05, -1.5), 0.6, |entity| found.push(entity));
    assert!(found.contains(&near) && found.contains(&far));
}

#[test]
fn a_carried_cube_stays_above_the_table_and_slides_along_it() {
    let mut app = room(FRAME);
    app.world_mut().spawn((
        Body::Fixed,
        Collider::Box(Vec3::new(1.0, 0.02, 0.6)),
        Transform::from_xyz(0.0, 0.75, -0.5),
    ));
    let cube = cube(&mut app, Vec3::new(0.0, 1.0, -0.5));
    app.update();
    let physics = app.world().resource::<Physics>();
    let from = Transform::from_xyz(0.0, 0.9, -0.5);
    for below in [0.7, 0.5, 0.1, -3.0] {
        let to = Transform::from_xyz(0.2, below, -0.4);
        let mut at = from;
        for _ in 0..20 {
            at = physics.carry(cube, &at, &to);
            assert!(at.translation.y >= 0.76 + 0.05 - 1.0e-3, "{below}: {at:?}");
        }
        assert!((at.translation.x - 0.2).abs() < 0.01, "{below}: {at:?}");
    }
    let free = Transform::from_xyz(0.3, 1.4, 0.2).with_rotation(Quat::from_rotation_y(1.0));
    assert_eq!(physics.carry(cube, &from, &free), free);
    assert!(!physics.is_free(cube, &Transform::from_xyz(0.0, 0.75, -0.5)));
    assert!(physics.is_free(cube, &from));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn places_survive_the_round_trip_to_a_tenth_of_a_millimetre(
        x in -10.0f32..10.0, y in 0.5f32..10.0, z in -10.0f32..10.0, turn in -3.0f32..3.0,
        fixed in any::<bool>(),
    ) {
        let mut app = room(FRAME);
        app.world_mut().resource_mut::<Physics>().set_gravity(Vec3::ZERO);
        let goal = Transform::from_xyz(x, y, z).with_rotation(Quat::from_rotation_y(turn));
        let body = if fixed { Body::Fixed } else { Body::Dynamic { mass: 1.0 } };
        let entity = app.world_mut().spawn((body, Collider::Sphere { radius: 0.05 }, goal)).id();
        run(&mut app, 5);
        let error = PlacementError::between(&at(&app, entity), &goal);
        prop_assert!(error.position < 1.0e-4 && error.rotation < 1.0e-3, "{error:?}");
        let error = app.world().resource::<Physics>().placement(entity, &goal).unwrap();
        prop_assert!(error.position < 1.0e-4 && error.rotation < 1.0e-3, "{error:?}");
    }
}

/// Steps in a second of a room in which `driven` moves or stays, at this pace.
fn steps_in_a_second(pace: f32, driven: bool) -> u64 {
    let mut app = room(FRAME);
    app.insert_resource(LoosePace(pace));
    let loose = cube(&mut app, Vec3::new(0.3, 0.5, -0.2));
    let held = cube(&mut app, Vec3::new(-0.5, 1.0, 0.0));
    app.world_mut().entity_mut(held).insert(Driven);
    app.update();
    let before = app.world().resource::<Physics>().steps;
    for _ in 0..72 {
        if driven {
            app.world_mut()
                .get_mut::<Transform>(held)
                .unwrap()
                .translation
                .x += 0.001;
        }
        app.update();
    }
    let steps = app.world().resource::<Physics>().steps - before;
    run(&mut app, 100);
    let rests = at(&app, loose).translation.y;
    assert!(
        (rests - 0.05).abs() < 2.0e-3,
        "it lies on the floor at any pace: {rests}"
    );
    steps
}

#[test]
fn loose_things_take_fewer_steps_at_a_slower_pace_and_what_is_carried_never_does() {
    let [full, most, half, least] =
        [1.0, 0.75, 0.5, f32::NEG_INFINITY].map(|pace| steps_in_a_second(pace, false));
    assert!((118..=121).contains(&full), "{full}");
    assert!(
        most < full && half < most && least < half,
        "{full} {most} {half} {least}"
    );
    assert!((58..=61).contains(&half), "{half}");
    assert!((28..=31).contains(&least), "{least}");
    // Where a step begins within the second is luck.
    assert!(steps_in_a_second(f32::NAN, false).abs_diff(full) <= 1);
    assert!(steps_in_a_second(0.5, true).abs_diff(full) <= 1);
}
