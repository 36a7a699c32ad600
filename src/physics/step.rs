//! Time passes in the space: equal steps, and what began to touch in them.

use bevy::prelude::*;
use crossbeam_channel::Sender;
use rapier3d::prelude as rapier;

use super::body::{Body, Driven};
use super::sync::Simulated;
use super::world::{Physics, entity_of, pose, transform};
use super::{Contact, LoosePace, MAX_STEPS, STEP};

/// Steps the space by the time that passed, in equal steps, and reports what began to touch.
pub(super) fn step_and_report(
    time: Res<Time>,
    pace: Res<LoosePace>,
    mut physics: ResMut<Physics>,
    mut bodies: Query<(Entity, &Body, &mut Simulated, Has<Driven>)>,
    mut contacts: MessageWriter<Contact>,
) {
    let physics = &mut *physics;
    physics.accumulated += time.delta_secs().max(0.0);
    let bound = MAX_STEPS as f32 * STEP;
    if physics.accumulated > bound + STEP {
        physics.dropped += f64::from(physics.accumulated - bound);
        physics.accumulated = bound;
    }
    let carried =
        |(_, _, simulated, driven): (_, _, &Simulated, bool)| driven && simulated.goal.is_some();
    let length = if bodies.iter().any(carried) {
        STEP
    } else {
        pace.step()
    };
    physics.length = length;
    physics.space.integration_parameters.dt = length;
    // A hair of tolerance: a frame of exactly one step must not wait for the next because of rounding.
    let steps = ((physics.accumulated + 1.0e-6) / length).floor();
    let mut left = steps;
    while left >= 1.0 {
        physics.accumulated = (physics.accumulated - length).max(0.0);
        approach_goals(physics, &mut bodies, left);
        left -= 1.0;
        if left < 1.0 {
            remember_before(physics, &mut bodies);
        }
        let report = Report {
            begun: &physics.begun,
            lost: &physics.lost,
        };
        physics.space.step_with_events(&(), &report);
        physics.steps += 1;
    }
    if steps >= 1.0 {
        for (entity, body, mut simulated, driven) in &mut bodies {
            if let (Body::Dynamic { .. }, false) = (body, driven)
                && let Some(rigid) = physics.rigid(entity)
            {
                simulated.now = transform(rigid.position());
            }
            simulated.goal = None;
        }
    }
    contacts.write_batch(physics.contacts.try_iter());
}

/// Moves kinematic and driven bodies evenly over the steps of a frame, so that they push with their true speed.
fn approach_goals(
    physics: &mut Physics,
    bodies: &mut Query<(Entity, &Body, &mut Simulated, Has<Driven>)>,
    steps_left: f32,
) {
    for (entity, _, simulated, _) in bodies.iter() {
        let Some(goal) = simulated.goal else {
            continue;
        };
        if let Some(rigid) = physics.rigid(entity) {
            let next = rigid
                .position()
                .lerp(&pose(&goal), (1.0 / steps_left).clamp(0.0, 1.0));
            rigid.set_next_kinematic_position(next);
        }
    }
}

fn remember_before(
    physics: &Physics,
    bodies: &mut Query<(Entity, &Body, &mut Simulated, Has<Driven>)>,
) {
    for (entity, body, mut simulated, driven) in bodies.iter_mut() {
        if let (Body::Dynamic { .. }, false) = (body, driven)
            && let Some(handles) = physics.bodies.get(&entity)
            && let Some(rigid) = physics.space.bodies.get(handles.body)
        {
            simulated.before = transform(rigid.position());
        }
    }
}

/// Hands contacts that begin during a step to a bounded channel: no lock, no allocation.
struct Report<'a> {
    begun: &'a Sender<Contact>,
    lost: &'a std::sync::atomic::AtomicU64,
}

impl rapier::EventHandler for Report<'_> {
    fn handle_collision_event(
        &self,
        _: &rapier::RigidBodySet,
        colliders: &rapier::ColliderSet,
        event: rapier::CollisionEvent,
        _: Option<&rapier::ContactPair>,
    ) {
        let rapier::CollisionEvent::Started(a, b, _) = event else {
            return;
        };
        let entity = |handle| colliders.get(handle).and_then(entity_of);
        let (Some(a), Some(b)) = (entity(a), entity(b)) else {
            return;
        };
        if self.begun.try_send(Contact { a, b }).is_err() {
            self.lost.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }

    fn handle_contact_force_event(
        &self,
        _: rapier::Real,
        _: &rapier::RigidBodySet,
        _: &rapier::ColliderSet,
        _: &rapier::ContactPair,
        _: rapier::Real,
    ) {
    }

    fn handle_soft_body_tear_event(&self, _: &rapier::SoftBodySet, _: &rapier::SoftBodyTearEvent) {}
}
