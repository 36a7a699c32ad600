//! The simulated space and the questions that it answers.

use bevy::platform::collections::HashMap;
use bevy::prelude::*;
use crossbeam_channel::{Receiver, Sender, bounded};
use rapier3d::prelude as rapier;

use super::{Contact, STEP};

/// Contacts that may begin in one frame; more are counted in [`Physics::contacts_lost`].
const CONTACTS: usize = 1024;

/// The simulated space. Read it to ask about nearness, rays and overlaps; only this room steps it.
#[derive(Resource)]
pub struct Physics {
    pub(super) space: rapier::PhysicsWorld,
    pub(super) bodies: HashMap<Entity, Handles>,
    pub(super) accumulated: f32,
    /// Of the steps taken last, seconds.
    pub(super) length: f32,
    pub(super) begun: Sender<Contact>,
    pub(super) contacts: Receiver<Contact>,
    pub(super) lost: std::sync::atomic::AtomicU64,
    /// Steps taken so far.
    pub steps: u64,
    /// Simulated time left out because frames were too long, seconds.
    pub dropped: f64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Handles {
    pub(super) body: rapier::RigidBodyHandle,
    pub(super) collider: rapier::ColliderHandle,
}

/// How far a body is from where it should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlacementError {
    /// Metres between the centres.
    pub position: f32,
    /// Radians of the smallest turn between the rotations, 0..π.
    pub rotation: f32,
}

impl PlacementError {
    /// Between two poses. Computed in double precision: below a tenth of a millimetre within 10 m of the origin.
    #[must_use]
    pub fn between(is: &Transform, should_be: &Transform) -> Self {
        let position = is
            .translation
            .as_dvec3()
            .distance(should_be.translation.as_dvec3());
        let turn = should_be.rotation.as_dquat().inverse() * is.rotation.as_dquat();
        // atan2 keeps small angles that acos of the cosine would round away.
        let rotation = 2.0 * turn.xyz().length().atan2(turn.w.abs());
        Self {
            position: position as f32,
            rotation: rotation as f32,
        }
    }
}

impl Default for Physics {
    fn default() -> Self {
        let mut space = rapier::PhysicsWorld::new();
        space.integration_parameters.dt = STEP;
        // Things on a table are a few centimetres: contacts begin at 4 mm and come to rest within half of one.
        space.integration_parameters.normalized_prediction_distance = 0.004;
        space.integration_parameters.normalized_allowed_linear_error = 0.0005;
        space
            .integration_parameters
            .normalized_contact_recycle_distance = 0.005;
        let (begun, contacts) = bounded(CONTACTS);
        Self {
            space,
            bodies: HashMap::default(),
            accumulated: 0.0,
            length: STEP,
            begun,
            contacts,
            lost: std::sync::atomic::AtomicU64::new(0),
            steps: 0,
            dropped: 0.0,
        }
    }
}

impl Physics {
    /// Sets gravity, m/s². -9.81 along y at the start.
    pub fn set_gravity(&mut self, gravity: Vec3) {
        self.space.gravity = vector(gravity);
    }

    /// Contacts that could not be reported because too many began in one frame.
    #[must_use]
    pub fn contacts_lost(&self) -> u64 {
        self.lost.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Number of bodies.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bodies.len()
    }

    /// Whether there are no bodies.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bodies.is_empty()
    }

    /// The body nearest to `point` among those that `counts` says yes to, at most `within` metres from its surface
    /// (0 inside of it), with that distance.
    #[must_use]
    pub fn nearest(
        &self,
        point: Vec3,
        within: f32,
        counts: impl Fn(Entity) -> bool,
    ) -> Option<(Entity, f32)> {
        if !point.is_finite() {
            return None;
        }
        let counted = |_: rapier::ColliderHandle, collider: &rapier::Collider| {
            entity_of(collider).is_some_and(&counts)
        };
        let filter = rapier::QueryFilter::new().predicate(&counted);
        let (handle, found) = self
            .space
            .project_point(vector(point), within, true, filter)?;
        let distance = if found.is_inside {
            0.0
        } else {
            (vec3(found.point) - point).length()
        };
        let entity = entity_of(self.space.colliders.get(handle)?)?;
        (distance <= within).then_some((entity, distance))
    }

    /// Distance from `point` to the surface of one body, metres; 0 inside of it.
    #[must_use]
    pub fn distance(&self, entity: Entity, point: Vec3) -> Option<f32> {
        let collider = self
            .space
            .colliders
            .get(self.bodies.get(&entity)?.collider)?;
        let found = collider
            .shape()
            .project_point(collider.position(), vector(point), true);
        Some(if found.is_inside {
            0.0
        } else {
            (vec3(found.point) - point).length()
        })
    }

    /// The first body that a ray meets within `reach` metres among those that `counts` says yes to, with the distance.
    #[must_use]
    pub fn cast_ray(
        &self,
        origin: Vec3,
        direction: Dir3,
        reach: f32,
        counts: impl Fn(Entity) -> bool,
    ) -> Option<(Entity, f32)> {
        if !origin.is_finite() {
            return None;
        }
        let counted = |_: rapier::ColliderHandle, collider: &rapier::Collider| {
            entity_of(collider).is_some_and(&counts)
        };
        let filter = rapier::QueryFilter::new().predicate(&counted);
        let ray = rapier::Ray::new(vector(origin), vector(*direction));
        let (handle, distance) = self.space.cast_ray(&ray, reach, true, filter)?;
        Some((entity_of(self.space.colliders.get(handle)?)?, distance))
    }

    /// Calls `found` for every body that a ball around `centre` (metres) overlaps.
    pub fn overlapping(&self, centre: Vec3, radius: f32, mut found: impl FnMut(Entity)) {
        if !centre.is_finite() {
            return;
        }
        let ball = rapier::SharedShape::ball(radius.max(1.0e-4));
        let at = rapier::Pose::from_translation(vector(centre));
        let pipeline = self.space.query_pipeline();
        for (_, collider) in pipeline.intersect_shape(at, &*ball) {
            if let Some(entity) = entity_of(collider) {
                found(entity);
            }
        }
    }

    /// How far a body now is from `goal`.
    #[must_use]
    pub fn placement(&self, entity: Entity, goal: &Transform) -> Option<PlacementError> {
        let body = self.space.bodies.get(self.bodies.get(&entity)?.body)?;
        Some(PlacementError::between(&transform(body.position()), goal))
    }

    /// Half a diagonal of what a body could ever take up, metres.
    #[must_use]
    pub fn radius(&self, entity: Entity) -> Option<f32> {
        let collider = self
            .space
            .colliders
            .get(self.bodies.get(&entity)?.collider)?;
        Some(collider.shape().compute_local_bounding_sphere().radius)
    }
}

pub(super) fn entity_of(collider: &rapier::Collider) -> Option<Entity> {
    Entity::try_from_bits(u64::try_from(collider.user_data).ok()?)
}

pub(super) fn vector(v: Vec3) -> rapier::Vector {
    rapier::Vector::from_array(v.to_array())
}

pub(super) fn vec3(v: rapier::Vector) -> Vec3 {
    Vec3::from_array(v.to_array())
}

pub(super) fn pose(at: &Transform) -> rapier::Pose {
    rapier::Pose::from_parts(
        vector(at.translation),
        rapier::Rotation::from_array(at.rotation.to_array()),
    )
}

/// Without the scale, which rapier does not know.
pub(super) fn transform(at: &rapier::Pose) -> Transform {
    Transform::from_translation(vec3(at.translation))
        .with_rotation(Quat::from_array(at.rotation.to_array()))
}
