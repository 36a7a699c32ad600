//! Mouse and keyboard do what hands do.

use bevy::camera::{Camera, RenderTargetInfo};
use bevy::input::mouse::{AccumulatedMouseMotion, AccumulatedMouseScroll};
use bevy::window::PrimaryWindow;

use super::*;
use crate::interaction::InputMode;
use crate::interaction::things::{InSocket, PointerSurface, Pressable};

const SIZE: Vec2 = Vec2::new(800.0, 600.0);

impl Room {
    fn at_a_desk() -> Self {
        let mut room = Self::new();
        room.app
            .insert_resource(InputMode::Desktop)
            .init_resource::<ButtonInput<KeyCode>>()
            .init_resource::<ButtonInput<MouseButton>>()
            .init_resource::<AccumulatedMouseScroll>();
        room.app
            .world_mut()
            .spawn((Window::default(), PrimaryWindow));
        room.input(Side::Left, |input| *input = HandInput::default());
        room.frames(2);
        // What the renderer would work out of window and lens.
        let lens = Mat4::perspective_infinite_reverse_rh(1.0, SIZE.x / SIZE.y, 0.1);
        let world = room.app.world_mut();
        let mut window = world.query::<&mut Window>().single_mut(world).unwrap();
        window.resolution.set(SIZE.x, SIZE.y);
        let mut camera = world.query::<&mut Camera>().single_mut(world).unwrap();
        camera.computed.clip_from_view = lens;
        camera.computed.target_info = Some(RenderTargetInfo {
            physical_size: SIZE.as_uvec2(),
            scale_factor: 1.0,
        });
        // Looks down at the table, the right button held.
        room.app.insert_resource(AccumulatedMouseMotion {
            delta: Vec2::new(0.0, 200.0),
        });
        room.with(MouseButton::Right, true);
        room.app
            .insert_resource(AccumulatedMouseMotion { delta: Vec2::ZERO });
        room.with(MouseButton::Right, false);
        room.frames(2);
        room.forget();
        room
    }

    /// Moves the mouse over a place in the room.
    fn mouse_to(&mut self, target: Vec3) {
        let world = self.app.world_mut();
        let (camera, at) = world
            .query::<(&Camera, &GlobalTransform)>()
            .single(world)
            .unwrap();
        let cursor = camera.world_to_viewport(at, target).unwrap();
        let mut window = world.query::<&mut Window>().single_mut(world).unwrap();
        window.set_cursor_position(Some(cursor));
    }

    /// A frame in which `key` has just been pressed or let go, as the engine would tell it.
    fn with<K: Copy + Eq + std::hash::Hash + Send + Sync + 'static>(&mut self, key: K, down: bool) {
        let mut keys = self.app.world_mut().resource_mut::<ButtonInput<K>>();
        if down {
            keys.press(key);
        } else {
            keys.release(key);
        }
        self.frame();
        self.app
            .world_mut()
            .resource_mut::<ButtonInput<K>>()
            .clear();
    }

    fn drag(&mut self, from: Vec3, to: Vec3, frames: u32) {
        for frame in 1..=frames {
            self.mouse_to(from.lerp(to, frame as f32 / frames as f32));
            self.frame();
        }
    }
}

#[test]
fn a_held_button_takes_a_thing_the_mouse_carries_it_and_letting_go_puts_it_into_its_socket() {
    let mut room = Room::at_a_desk();
    let cube = room.cube(0.2, -0.6);
    let goal = Vec3::new(-0.2, TABLE + 0.05, -0.6);
    let socket = room.socket(Transform::from_translation(goal), &[cube]);
    let at = room.at(cube).translation;
    room.mouse_to(at);
    room.with(MouseButton::Left, true);
    assert_eq!(room.holder(cube), Some(room.hands[Side::Right as usize]));
    room.drag(at, goal, 40);
    room.frames(20);
    room.with(MouseButton::Left, false);
    let done = room.done();
    assert!(
        matches!(done.last(), Some(Interaction::Released { fit: Some(fit), .. }) if fit.socket == socket),
        "{done:?}"
    );
    assert!(room.app.world().get::<InSocket>(cube).is_some(), "{done:?}");
}

#[test]
fn the_wheel_pushes_and_pulls_and_with_shift_turns_what_is_held() {
    let mut room = Room::at_a_desk();
    let cube = room.cube(0.2, -0.6);
    let at = room.at(cube).translation;
    room.mouse_to(at);
    room.with(MouseButton::Left, true);
    room.drag(at, Vec3::new(0.2, 1.2, -0.6), 20);
    let eye = room.at(room.head).translation;
    let roll = |room: &mut Room, notches: f32| {
        for _ in 0..3 {
            room.app
                .world_mut()
                .resource_mut::<AccumulatedMouseScroll>()
                .delta
                .y = notches;
            room.frame();
        }
        room.app
            .world_mut()
            .resource_mut::<AccumulatedMouseScroll>()
            .delta
            .y = 0.0;
        room.frame();
    };
    let before = room.at(cube);
    roll(&mut room, -1.0);
    let pulled = room.at(cube);
    assert!(pulled.translation.distance(eye) < before.translation.distance(eye) - 0.1);
    room.with(KeyCode::ShiftLeft, true);
    roll(&mut room, 1.0);
    assert!(room.at(cube).rotation.angle_between(pulled.rotation) > 0.4);
}

#[test]
fn a_short_click_throws_nothing() {
    let mut room = Room::at_a_desk();
    let cube = room.cube(0.2, -0.6);
    room.mouse_to(room.at(cube).translation);
    room.with(MouseButton::Left, true);
    room.with(MouseButton::Left, false);
    let done = room.done();
    assert!(
        matches!(done.last(), Some(Interaction::Released { .. })),
        "{done:?}"
    );
}

#[test]
fn a_flick_of_the_mouse_throws() {
    let mut room = Room::at_a_desk();
    let cube = room.cube(0.2, -0.6);
    let at = room.at(cube).translation;
    room.mouse_to(at);
    room.with(MouseButton::Left, true);
    room.drag(at, Vec3::new(0.2, 1.2, -0.6), 20);
    room.drag(Vec3::new(0.2, 1.2, -0.6), Vec3::new(-0.3, 1.1, -0.6), 10);
    room.with(MouseButton::Left, false);
    let done = room.done();
    assert!(
        matches!(done.last(), Some(Interaction::Thrown { .. })),
        "{done:?}"
    );
}

#[test]
fn a_short_click_presses_a_button_wherever_it_is_hit() {
    for off in [Vec3::ZERO, Vec3::new(0.03, 0.0, 0.03)] {
        let mut room = Room::at_a_desk();
        let at = Vec3::new(0.0, TABLE + 0.02, -0.5);
        let button = room.solid(
            Form::Cylinder {
                radius: 0.05,
                height: 0.04,
            },
            Weight::Driven,
            at,
        );
        room.app.world_mut().entity_mut(button).insert(Pressable);
        room.frames(3);
        room.mouse_to(at + off);
        room.with(MouseButton::Left, true);
        room.with(MouseButton::Left, false);
        room.frames(40);
        assert_eq!(room.done(), [Interaction::Pressed { target: button }]);
    }
}

#[test]
fn a_click_on_a_panel_presses_there_and_takes_nothing_behind_it() {
    let mut room = Room::at_a_desk();
    let cube = room.cube(0.0, -0.8);
    let at = room.at(cube).translation;
    let panel = room
        .app
        .world_mut()
        .spawn((
            PointerSurface {
                size: Vec2::splat(0.3),
            },
            Transform::from_xyz(0.0, 1.0, -0.55),
        ))
        .id();
    room.frames(2);
    room.mouse_to(at);
    room.with(MouseButton::Left, true);
    assert_eq!(room.holder(cube), None);
    let pressed = room.pointed.last().unwrap();
    assert!(pressed.pressed && pressed.surface == panel);
}

#[test]
fn t_teleports_to_where_the_mouse_points() {
    let mut room = Room::at_a_desk();
    let spot = room.spot(Vec3::new(0.5, 0.0, -2.5));
    room.frames(2);
    room.mouse_to(Vec3::new(0.6, 0.0, -2.5));
    room.with(KeyCode::KeyT, true);
    room.frame();
    let done = room.done();
    assert!(
        matches!(done.as_slice(), [Interaction::Teleported { spot: Some(at), .. }] if *at == spot),
        "{done:?}"
    );
}

#[test]
fn keys_walk_turn_open_the_menu_and_stop_at_the_end_of_the_floor() {
    let mut room = Room::at_a_desk();
    room.with(KeyCode::KeyS, true);
    room.frames(72);
    let z = room.stands_at().z;
    assert!((1.3..1.9).contains(&z), "{z}");
    room.frames(300);
    assert!(room.stands_at().z <= 4.0);
    room.with(KeyCode::KeyS, false);
    let before = room.at(room.rig).rotation;
    room.with(KeyCode::KeyQ, true);
    room.frames(36);
    assert!(room.at(room.rig).rotation.angle_between(before) > 0.5);
    room.with(KeyCode::Escape, true);
    let hand = room.hands[Side::Right as usize];
    assert!(room.app.world().get::<HandInput>(hand).unwrap().menu);
}

#[test]
fn nobody_walks_through_the_table() {
    let mut room = Room::at_a_desk();
    room.with(KeyCode::KeyW, true);
    room.frames(200);
    let z = room.stands_at().z;
    assert!((-0.25..0.05).contains(&z), "{z}");
}
