//! Where a carried body may go: as near to the hand as the solid room lets it.
//!
//! A carried body is no longer the solver's: it is where its hand is, in the same frame, to the last bit, as long as
//! nothing solid is in the way. Where something is, the body is moved towards the hand in steps shorter than itself,
//! and after each step pushed out of what it went into. So it slides along a table and stays above it, however far
//! below the hand goes (the 'god object' of haptic rendering, Zilles & Salisbury 1995).

use bevy::prelude::*;
use rapier3d::parry::query::contact;
use rapier3d::prelude as rapier;

use super::world::{Physics, entity_of, pose, vec3};

/// Solid neighbours looked at; the room near a hand has fewer.
const NEIGHBOURS: usize = 24;
/// Steps towards the hand in one frame.
const STEPS: usize = 32;
/// Rounds of pushing out after a step.
const ROUNDS: usize = 6;
/// Largest turn in one step, radians.
const TURN: f32 = 0.25;
/// Kept between a carried body and a solid one, metres.
const SKIN: f32 = 2.0e-4;
/// How deep a carried body may go into a loose one, which the solver then pushes away, metres.
const PUSH: f32 = 4.0e-3;

struct Neighbour<'a> {
    shape: &'a dyn rapier::Shape,
    at: rapier::Pose,
    /// Depth that is left alone, metres.
    allowed: f32,
}

impl Physics {
    /// Where the body gets to on its way from `from` to `to`. Exactly `to` when nothing is in the way.
    ///
    /// Solid are fixed and kinematic bodies without [`super::Sensor`]; loose ones are pushed. Other carried bodies are
    /// passed through, so that two hands can bring two things together.
    #[must_use]
    pub fn carry(&self, entity: Entity, from: &Transform, to: &Transform) -> Transform {
        let Some(handles) = self.bodies.get(&entity) else {
            return *to;
        };
        let Some(carried) = self.space.colliders.get(handles.collider) else {
            return *to;
        };
        if !(to.translation.is_finite() && to.rotation.is_finite()) {
            return *from;
        }
        if carried.is_sensor() {
            return *to;
        }
        let shape = carried.shape();
        let mut swept = shape.compute_aabb(&pose(from));
        let there = shape.compute_aabb(&pose(to));
        swept.mins = swept.mins.min(there.mins) - rapier::Vector::splat(SKIN);
        swept.maxs = swept.maxs.max(there.maxs) + rapier::Vector::splat(SKIN);

        let mut neighbours: [Option<Neighbour>; NEIGHBOURS] = [const { None }; NEIGHBOURS];
        let mut count = 0;
        let filter = rapier::QueryFilter::new()
            .exclude_collider(handles.collider)
            .exclude_sensors();
        let pipeline = self.space.query_pipeline_with_filter(filter);
        for (_, collider) in pipeline.intersect_aabb_conservative(swept) {
            let Some(body) = collider
                .parent()
                .and_then(|body| self.space.bodies.get(body))
            else {
                continue;
            };
            let driven = body.user_data == DRIVEN;
            if driven || entity_of(collider).is_none() || count == NEIGHBOURS {
                continue;
            }
            neighbours[count] = Some(Neighbour {
                shape: collider.shape(),
                at: *collider.position(),
                allowed: if body.is_dynamic() { PUSH } else { 0.0 },
            });
            count += 1;
        }
        let neighbours = &neighbours[..count];
        if count == 0 {
            return *to;
        }
        advance(shape, from, to, neighbours)
    }

    /// Whether a body could be at `at` without being inside of something solid.
    #[must_use]
    pub fn is_free(&self, entity: Entity, at: &Transform) -> bool {
        let stays = self.carry(entity, at, at);
        stays.translation.distance(at.translation) < SKIN
    }
}

/// Marks bodies of entities that are [`super::Driven`] (rapier's `user_data` of the body).
pub(super) const DRIVEN: u128 = 1;

fn advance(
    shape: &dyn rapier::Shape,
    from: &Transform,
    to: &Transform,
    neighbours: &[Option<Neighbour>],
) -> Transform {
    let extents = shape.compute_local_aabb().half_extents();
    let stride = (extents.x.min(extents.y).min(extents.z) * 0.5).max(1.0e-3);
    let mut at = *from;
    for _ in 0..STEPS {
        let way = to.translation - at.translation;
        let turn = at.rotation.angle_between(to.rotation);
        let length = way.length();
        let share = (stride / length.max(1.0e-9))
            .min(TURN / turn.max(1.0e-9))
            .min(1.0);
        let mut next = Transform {
            translation: at.translation + way * share,
            rotation: at.rotation.slerp(to.rotation, share),
            scale: to.scale,
        };
        let arrived = share >= 1.0;
        if arrived {
            next = *to;
        }
        let pushed = push_out(shape, &mut next, neighbours);
        let moved =
            next.translation.distance(at.translation) + next.rotation.angle_between(at.rotation);
        at = next;
        if arrived || (pushed && moved < 1.0e-5) {
            break;
        }
    }
    at
}

/// Pushes a body out of its neighbours; says whether there was need to.
fn push_out(
    shape: &dyn rapier::Shape,
    at: &mut Transform,
    neighbours: &[Option<Neighbour>],
) -> bool {
    let mut pushed = false;
    for _ in 0..ROUNDS {
        let mut clear = true;
        for neighbour in neighbours.iter().flatten() {
            let here = pose(at);
            let Ok(Some(touch)) = contact(&neighbour.at, neighbour.shape, &here, shape, 0.0) else {
                continue;
            };
            let depth = -touch.dist - neighbour.allowed;
            if depth <= 0.0 {
                continue;
            }
            let out = vec3(touch.normal1);
            if out.is_finite() {
                at.translation += out * (depth + SKIN);
                pushed = true;
                clear = false;
            }
        }
        if clear {
            break;
        }
    }
    pushed
}
