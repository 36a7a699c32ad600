//! Entities in, poses out.

use bevy::prelude::*;
use rapier3d::prelude as rapier;
use tracing::{debug, warn};

use super::body::{Body, Collider, Driven, Home, Sensor, Surface, Velocity};
use super::carry::DRIVEN;
use super::world::{Handles, Physics, pose, vec3, vector};
use super::{FURTHEST, Fell, LOWEST, STEP};

/// A body is in the space. What was shown last tells a change by others from our own.
#[derive(Component, Debug, Clone, Copy)]
pub(super) struct Simulated {
    pub(super) before: Transform,
    pub(super) now: Transform,
    shown: Transform,
    velocity: Velocity,
    /// Where a kinematic or driven body is on its way to; there after the next steps.
    pub(super) goal: Option<Transform>,
}

/// Has no finite place to enter the space at; tried again when somebody gives it one.
#[derive(Component, Debug, Clone, Copy)]
pub(super) struct LeftOut;

/// A driven body moved further than this in one frame is put there, not pushed through the room, metres.
const JUMP: f32 = 0.5;

/// Bodies whose entity is gone, or whose form changed, leave the space.
pub(super) fn take_out_bodies(
    mut physics: ResMut<Physics>,
    mut gone: RemovedComponents<Body>,
    mut formless: RemovedComponents<Collider>,
    changed: Query<
        Entity,
        (
            With<Simulated>,
            Or<(Changed<Body>, Changed<Collider>, Changed<Surface>)>,
        ),
    >,
    simulated: Query<(), With<Simulated>>,
    mut commands: Commands,
) {
    let physics = &mut *physics;
    for entity in gone.read().chain(formless.read()).chain(&changed) {
        if let Some(handles) = physics.bodies.remove(&entity) {
            physics.space.remove_body(handles.body);
        }
        if simulated.contains(entity) {
            commands.entity(entity).remove::<Simulated>();
        }
    }
}

/// Bodies with a form enter the space.
pub(super) fn put_in_bodies(
    mut physics: ResMut<Physics>,
    fresh: Query<
        (
            Entity,
            &Body,
            &Collider,
            &Surface,
            &Transform,
            Option<&Velocity>,
            Option<&Home>,
            Has<Sensor>,
            Has<Driven>,
        ),
        (
            Without<Simulated>,
            Or<(Without<LeftOut>, Changed<Transform>)>,
        ),
    >,
    mut commands: Commands,
) {
    let mut any = false;
    for (entity, body, form, surface, at, velocity, home, sensor, driven) in &fresh {
        let at = at.with_scale(Vec3::ONE);
        if !(at.is_finite() && at.rotation.is_normalized()) {
            warn!(%entity, "a body without a finite place is left out of the simulation; mend its Transform");
            commands.entity(entity).insert(LeftOut);
            continue;
        }
        let velocity = velocity.copied().unwrap_or_default();
        let physics = &mut *physics;
        // A body taken out and put in again in the same frame keeps one place.
        if let Some(handles) = physics.bodies.remove(&entity) {
            physics.space.remove_body(handles.body);
        }
        let rigid = match body {
            Body::Fixed => rapier::RigidBodyBuilder::fixed(),
            Body::Kinematic => rapier::RigidBodyBuilder::kinematic_position_based(),
            Body::Dynamic { .. } if driven => rapier::RigidBodyBuilder::kinematic_position_based(),
            Body::Dynamic { .. } => rapier::RigidBodyBuilder::dynamic(),
        };
        let rigid = rigid
            .pose(pose(&at))
            .linvel(vector(velocity.linear))
            .angvel(vector(velocity.angular))
            .angular_damping(0.4)
            .ccd_enabled(true)
            .user_data(if driven { DRIVEN } else { 0 });
        let mut collider = form
            .builder()
            .friction(surface.friction.clamp(0.0, 10.0))
            .restitution(surface.restitution.clamp(0.0, 1.0))
            .sensor(sensor)
            .active_events(rapier::ActiveEvents::COLLISION_EVENTS)
            .active_collision_types(
                rapier::ActiveCollisionTypes::default()
                    | rapier::ActiveCollisionTypes::KINEMATIC_FIXED,
            )
            .user_data(u128::from(entity.to_bits()));
        if let Body::Dynamic { mass } = body {
            collider = collider.mass(if mass.is_finite() {
                mass.clamp(1.0e-3, 1.0e3)
            } else {
                1.0
            });
        }
        let (body_handle, collider_handle) = physics.space.insert(rigid, collider);
        physics.bodies.insert(
            entity,
            Handles {
                body: body_handle,
                collider: collider_handle,
            },
        );
        any = true;
        let mut entity = commands.entity(entity);
        entity.remove::<LeftOut>().insert(Simulated {
            before: at,
            now: at,
            shown: at,
            velocity,
            goal: None,
        });
        if matches!(body, Body::Dynamic { .. }) {
            entity.insert(velocity);
            if home.is_none() {
                entity.insert(Home(at));
            }
        }
    }
    if any {
        // No time passes: queries of this very frame should know the newcomers.
        physics.space.integration_parameters.dt = 0.0;
        physics.space.step();
        physics.space.integration_parameters.dt = STEP;
    }
}

/// Hands and sockets take bodies over and let them go.
pub(super) fn follow_drivers(
    mut physics: ResMut<Physics>,
    taken: Query<(Entity, &Body), Added<Driven>>,
    mut released: RemovedComponents<Driven>,
    mut bodies: Query<(&Body, &Velocity, &Transform, &mut Simulated, Has<Driven>)>,
) {
    let physics = &mut *physics;
    for (entity, body) in &taken {
        if let (Body::Dynamic { .. }, Some(rigid)) = (body, physics.rigid(entity)) {
            rigid.user_data = DRIVEN;
            rigid.set_body_type(rapier::RigidBodyType::KinematicPositionBased, true);
        }
    }
    for entity in released.read() {
        let Ok((Body::Dynamic { .. }, velocity, at, mut simulated, false)) = bodies.get_mut(entity)
        else {
            continue;
        };
        let Some(rigid) = physics.rigid(entity) else {
            continue;
        };
        let at = at.with_scale(Vec3::ONE);
        rigid.user_data = 0;
        rigid.set_body_type(rapier::RigidBodyType::Dynamic, true);
        if at.is_finite() {
            rigid.set_position(pose(&at), true);
            simulated.before = at;
            simulated.now = at;
            simulated.shown = at;
        }
        simulated.goal = None;
        if velocity.linear.is_finite() && velocity.angular.is_finite() {
            rigid.set_linvel(vector(velocity.linear), true);
            rigid.set_angvel(vector(velocity.angular), true);
            simulated.velocity = *velocity;
        }
    }
}

/// `Transform`s and velocities that somebody else wrote.
pub(super) fn follow_changes(
    mut physics: ResMut<Physics>,
    mut bodies: Query<(
        Entity,
        &Body,
        &mut Transform,
        &mut Simulated,
        Option<&Velocity>,
        Has<Driven>,
    )>,
) {
    let physics = &mut *physics;
    for (entity, body, mut at, mut simulated, velocity, driven) in &mut bodies {
        let moved = at.translation != simulated.shown.translation
            || at.rotation != simulated.shown.rotation;
        if moved && !(at.is_finite() && at.rotation.length_squared() > 0.5) {
            warn!(%entity, "a body was sent to no place at all; it stays where it is");
            at.translation = simulated.shown.translation;
            at.rotation = simulated.shown.rotation;
            continue;
        }
        if moved && let Some(rigid) = physics.rigid(entity) {
            let to = at.with_scale(Vec3::ONE);
            match body {
                Body::Dynamic { .. } if !driven => rigid.set_position(pose(&to), true),
                Body::Fixed => rigid.set_position(pose(&to), true),
                _ if vec3(rigid.translation()).distance(to.translation) > JUMP => {
                    rigid.set_position(pose(&to), true);
                    simulated.goal = None;
                }
                _ => simulated.goal = Some(to),
            }
            simulated.before = to;
            simulated.now = to;
            simulated.shown = to;
        }
        if let (Body::Dynamic { .. }, Some(velocity), false) = (body, velocity, driven)
            && *velocity != simulated.velocity
            && velocity.linear.is_finite()
            && velocity.angular.is_finite()
            && let Some(rigid) = physics.rigid(entity)
        {
            rigid.set_linvel(vector(velocity.linear), true);
            rigid.set_angvel(vector(velocity.angular), true);
            simulated.velocity = *velocity;
        }
    }
}

/// What falls out of the room, or is anywhere but at a finite place, starts again where it began.
pub(super) fn bring_back_fallen(
    mut physics: ResMut<Physics>,
    mut bodies: Query<(Entity, &Home, &mut Simulated), Without<Driven>>,
    mut fell: MessageWriter<Fell>,
) {
    for (entity, home, mut simulated) in &mut bodies {
        let at = simulated.now.translation;
        let lost = !simulated.now.is_finite()
            || at.y < LOWEST
            || at.length_squared() > FURTHEST * FURTHEST;
        if !lost {
            continue;
        }
        let start = home.0.with_scale(Vec3::ONE);
        let Some(rigid) = physics.rigid(entity) else {
            continue;
        };
        rigid.set_position(pose(&start), true);
        rigid.set_linvel(rapier::Vector::ZERO, true);
        rigid.set_angvel(rapier::Vector::ZERO, true);
        simulated.before = start;
        simulated.now = start;
        debug!(%entity, "fell out of the room and is back where it started");
        fell.write(Fell(entity));
    }
}

/// What is seen lies between the last two steps, so that it moves smoothly at every frame rate.
pub(super) fn show_bodies(
    physics: Res<Physics>,
    mut bodies: Query<
        (Entity, &Body, &mut Transform, &mut Simulated, &mut Velocity),
        Without<Driven>,
    >,
) {
    let between = (physics.accumulated / physics.length).clamp(0.0, 1.0);
    for (entity, body, mut at, mut simulated, mut velocity) in &mut bodies {
        let Body::Dynamic { .. } = body else {
            continue;
        };
        let shown = Transform {
            translation: simulated
                .before
                .translation
                .lerp(simulated.now.translation, between),
            rotation: simulated
                .before
                .rotation
                .slerp(simulated.now.rotation, between),
            scale: Vec3::ONE,
        };
        if shown.translation != simulated.shown.translation
            || shown.rotation != simulated.shown.rotation
        {
            at.translation = shown.translation;
            at.rotation = shown.rotation;
            simulated.shown = shown;
        }
        let Some(rigid) = physics
            .bodies
            .get(&entity)
            .and_then(|handles| physics.space.bodies.get(handles.body))
        else {
            continue;
        };
        let now = Velocity {
            linear: vec3(rigid.linvel()),
            angular: vec3(rigid.angvel()),
        };
        simulated.velocity = now;
        velocity.set_if_neq(now);
    }
}

impl Physics {
    pub(super) fn rigid(&mut self, entity: Entity) -> Option<&mut rapier::RigidBody> {
        let handles = self.bodies.get(&entity)?;
        self.space.bodies.get_mut(handles.body)
    }
}
