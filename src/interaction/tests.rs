//! A person in a small room, driven by hand, without a renderer: what they do, and what is reported of it.

use std::time::Duration;

use bevy::prelude::*;
use bevy::time::TimeUpdateStrategy;
use bevy::transform::TransformPlugin;

use super::things::{
    Form, Grabbable, HeldBy, Socket, Solid, TeleportFloor, TeleportSpot, Touchable, Weight,
};
use super::{Interacted, Interaction, InteractionPlugin, Snapped};
use crate::physics::PhysicsPlugin;
use crate::xr::pointer::PointerAt;
use crate::xr::rig::{AimPose, Hand, HandInput, HapticPulse, Head, Rig, RigPlugin, Side};

mod comfort;
mod desk;
mod grasping;
mod moving;
mod placing;
mod pressing;
mod throwing;

const FRAME: Duration = Duration::from_nanos(13_888_889);
/// Top of the table, metres.
const TABLE: f32 = 0.75;

/// A room of 8 m by 8 m with a table before the person, who stands in the middle.
struct Room {
    app: App,
    rig: Entity,
    head: Entity,
    hands: [Entity; 2],
    happened: Vec<Interacted>,
    buzzed: Vec<HapticPulse>,
    pointed: Vec<PointerAt>,
    snapped: Vec<Snapped>,
}

impl Room {
    fn new() -> Self {
        Self::at_rate(FRAME)
    }

    fn at_rate(frame: Duration) -> Self {
        let mut app = App::new();
        app.add_plugins((
            MinimalPlugins,
            TransformPlugin,
            RigPlugin,
            PhysicsPlugin,
            InteractionPlugin,
        ))
        .insert_resource(TimeUpdateStrategy::ManualDuration(frame));
        app.update();
        let world = app.world_mut();
        let rig = world
            .query_filtered::<Entity, With<Rig>>()
            .single(world)
            .unwrap();
        let head = world
            .query_filtered::<Entity, With<Head>>()
            .single(world)
            .unwrap();
        let mut hands = [Entity::PLACEHOLDER; 2];
        for (entity, hand) in world.query::<(Entity, &Hand)>().iter(world) {
            hands[hand.0 as usize] = entity;
        }
        let mut room = Self {
            app,
            rig,
            head,
            hands,
            happened: Vec::new(),
            buzzed: Vec::new(),
            pointed: Vec::new(),
            snapped: Vec::new(),
        };
        let floor = room.solid(
            Form::Box(Vec3::new(8.0, 0.1, 8.0)),
            Weight::Fixed,
            Vec3::new(0.0, -0.05, 0.0),
        );
        room.app.world_mut().spawn((
            TeleportFloor {
                half: Vec2::splat(4.0),
            },
            Transform::default(),
            ChildOf(floor),
        ));
        room.solid(
            Form::Box(Vec3::new(1.4, 0.04, 0.7)),
            Weight::Fixed,
            Vec3::new(0.0, TABLE - 0.02, -0.6),
        );
        for side in [Side::Left, Side::Right] {
            room.input(side, |input| input.tracked = true);
            room.put_hand(side, Vec3::new(0.3 * room.sign(side), 1.1, -0.2));
        }
        room.frames(2);
        room.forget();
        room
    }

    fn sign(&self, side: Side) -> f32 {
        match side {
            Side::Left => -1.0,
            Side::Right => 1.0,
        }
    }

    fn solid(&mut self, form: Form, weight: Weight, at: Vec3) -> Entity {
        self.app
            .world_mut()
            .spawn((Solid { form, weight }, Transform::from_translation(at)))
            .id()
    }

    /// A cube of 8 cm that can be taken, on the table.
    fn cube(&mut self, x: f32, z: f32) -> Entity {
        let cube = self.solid(
            Form::Box(Vec3::splat(0.08)),
            Weight::Kilograms(0.2),
            Vec3::new(x, TABLE + 0.04, z),
        );
        self.app
            .world_mut()
            .entity_mut(cube)
            .insert((Grabbable, Touchable));
        self.frames(2);
        cube
    }

    fn socket(&mut self, at: Transform, accepts: &[Entity]) -> Entity {
        let socket = Socket {
            accepts: accepts.to_vec(),
            reach: 0.15,
            position_tolerance: 0.04,
            rotation_tolerance: Some(0.3),
        };
        self.app.world_mut().spawn((socket, at)).id()
    }

    fn spot(&mut self, at: Vec3) -> Entity {
        self.app
            .world_mut()
            .spawn((
                TeleportSpot { radius: 0.4 },
                Transform::from_translation(at),
            ))
            .id()
    }

    fn frame(&mut self) {
        self.app.update();
        let world = self.app.world_mut();
        self.happened
            .extend(world.resource_mut::<Messages<Interacted>>().drain());
        self.buzzed
            .extend(world.resource_mut::<Messages<HapticPulse>>().drain());
        self.pointed
            .extend(world.resource_mut::<Messages<PointerAt>>().drain());
        self.snapped
            .extend(world.resource_mut::<Messages<Snapped>>().drain());
    }

    fn frames(&mut self, frames: u32) {
        for _ in 0..frames {
            self.frame();
        }
    }

    fn forget(&mut self) {
        self.happened.clear();
        self.buzzed.clear();
        self.pointed.clear();
        self.snapped.clear();
    }

    fn at(&self, entity: Entity) -> Transform {
        *self.app.world().get::<Transform>(entity).unwrap()
    }

    fn hand(&self, side: Side) -> Transform {
        self.at(self.hands[side as usize])
    }

    /// Puts a hand somewhere in rig space, aim and all.
    fn pose_hand(&mut self, side: Side, at: Transform) {
        self.app
            .world_mut()
            .entity_mut(self.hands[side as usize])
            .insert((at, AimPose(at)));
    }

    fn put_hand(&mut self, side: Side, at: Vec3) {
        let rotation = self.hand(side).rotation;
        self.pose_hand(
            side,
            Transform::from_translation(at).with_rotation(rotation),
        );
    }

    fn aim_at(&mut self, side: Side, target: Vec3) {
        let at = self.hand(side).translation;
        self.pose_hand(
            side,
            Transform::from_translation(at).looking_at(target, Vec3::Y),
        );
    }

    fn input(&mut self, side: Side, change: impl FnOnce(&mut HandInput)) {
        let hand = self.hands[side as usize];
        change(&mut self.app.world_mut().get_mut::<HandInput>(hand).unwrap());
    }

    /// Moves a hand evenly, calling `each` after each frame.
    fn reach_with(&mut self, side: Side, to: Vec3, frames: u32, mut each: impl FnMut(&Self)) {
        let from = self.hand(side).translation;
        for frame in 1..=frames {
            self.put_hand(side, from.lerp(to, frame as f32 / frames as f32));
            self.frame();
            each(self);
        }
    }

    fn reach(&mut self, side: Side, to: Vec3, frames: u32) {
        self.reach_with(side, to, frames, |_| {});
    }

    fn squeeze(&mut self, side: Side, value: f32) {
        self.input(side, |input| input.squeeze = value);
        self.frame();
    }

    /// Reaches for a thing and takes it.
    fn take(&mut self, side: Side, thing: Entity) {
        let at = self.at(thing).translation;
        self.reach(side, at + Vec3::Y * 0.15, 20);
        self.reach(side, at + Vec3::Y * 0.03, 10);
        self.squeeze(side, 1.0);
        assert_eq!(
            self.holder(thing),
            Some(self.hands[side as usize]),
            "not taken"
        );
    }

    fn holder(&self, thing: Entity) -> Option<Entity> {
        self.app.world().get::<HeldBy>(thing).map(|held| held.0)
    }

    /// What was reported since it was last asked.
    fn done(&mut self) -> Vec<Interaction> {
        self.happened.drain(..).map(|it| it.what).collect()
    }
}
