//! Sockets: how a thing let go lies to them, and how it finds its place.

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::SocketFit;
use super::grasp::Snapped;
use super::things::{Form, HeldBy, InSocket, Socket, Solid};
use crate::physics::{Driven, PlacementError, Velocity};

/// Time in which an accepted thing glides into place, seconds.
const GLIDE: f32 = 0.15;

/// On its way into a socket.
#[derive(Component, Debug)]
pub(super) struct Settling {
    from: Transform,
    time: f32,
}

impl From<Transform> for Settling {
    fn from(from: Transform) -> Self {
        Self { from, time: 0.0 }
    }
}

/// Judges how things lie to sockets.
#[derive(SystemParam)]
pub(super) struct Fits<'w, 's> {
    sockets: Query<'w, 's, (Entity, &'static Socket, &'static GlobalTransform)>,
    resting: Query<'w, 's, &'static InSocket>,
    solids: Query<'w, 's, &'static Solid>,
}

impl Fits<'_, '_> {
    /// The nearest free socket within its reach, whether it takes the thing or not.
    pub fn of(&self, thing: Entity, at: &Transform) -> Option<SocketFit> {
        self.sockets
            .iter()
            .filter(|(socket, ..)| !self.resting.iter().any(|rests| rests.0 == *socket))
            .map(|(entity, socket, place)| {
                (
                    entity,
                    socket,
                    self.error(thing, at, &place.compute_transform()),
                )
            })
            .filter(|(_, socket, error)| error.position <= socket.reach)
            .min_by(|(.., a), (.., b)| a.position.total_cmp(&b.position))
            .map(|(entity, socket, error)| SocketFit {
                socket: entity,
                accepted: socket.accepts.contains(&thing)
                    && error.position <= socket.position_tolerance
                    && socket
                        .rotation_tolerance
                        .is_none_or(|allowed| error.rotation <= allowed),
                position_error: error.position,
                rotation_error: error.rotation,
            })
    }

    /// Whether the socket takes this thing at all.
    pub fn belongs(&self, thing: Entity, socket: Entity) -> bool {
        self.sockets
            .get(socket)
            .is_ok_and(|(_, socket, _)| socket.accepts.contains(&thing))
    }

    /// The level direction (x, z) from a socket to what was let go beside it.
    pub fn away(&self, at: &Transform, socket: Entity) -> Vec2 {
        self.sockets.get(socket).map_or(Vec2::Y, |(.., place)| {
            let way = at.translation - place.translation();
            // From the very middle it hops towards the learner's start.
            Vec2::new(way.x, way.z).normalize_or(Vec2::Y)
        })
    }

    /// What is round looks the same however it is turned about its axis, and a ball however it lies.
    fn error(&self, thing: Entity, at: &Transform, place: &Transform) -> PlacementError {
        let mut error = PlacementError::between(at, place);
        match self.solids.get(thing).map(|solid| solid.form) {
            Ok(Form::Ball { .. }) => error.rotation = 0.0,
            Ok(Form::Cylinder { .. } | Form::Cone { .. }) => {
                error.rotation = at.up().angle_between(*place.up());
            }
            _ => {}
        }
        error
    }
}

/// What rests in a socket is held there; what was taken out of one by anything but a hand is free again, and what lost
/// its socket, too.
pub(super) fn hold(
    mut commands: Commands,
    resting: Query<Entity, (With<InSocket>, Without<Driven>)>,
    all: Query<(Entity, &InSocket)>,
    sockets: Query<(), With<Socket>>,
    mut freed: RemovedComponents<InSocket>,
    free: Query<(), (With<Driven>, Without<HeldBy>, Without<InSocket>)>,
) {
    for thing in &resting {
        commands.entity(thing).insert(Driven);
    }
    for (thing, socket) in &all {
        if !sockets.contains(socket.0) {
            commands.entity(thing).remove::<InSocket>();
        }
    }
    for thing in freed.read() {
        if free.contains(thing) {
            commands
                .entity(thing)
                .remove::<(Driven, Settling)>()
                .insert(Velocity::default());
        }
    }
}

/// Glides accepted things into place, where they stay until somebody takes them out.
pub(super) fn settle(
    mut commands: Commands,
    time: Res<Time>,
    mut settling: Query<(Entity, &mut Settling, &InSocket, &mut Transform)>,
    sockets: Query<&GlobalTransform, With<Socket>>,
    mut snapped: MessageWriter<Snapped>,
) {
    for (thing, mut glide, socket, mut at) in &mut settling {
        let Ok(place) = sockets.get(socket.0) else {
            // `hold` frees it.
            continue;
        };
        let place = place.compute_transform();
        glide.time += time.delta_secs();
        let t = (glide.time / GLIDE).min(1.0);
        let eased = t * t * (3.0 - 2.0 * t);
        at.translation = glide.from.translation.lerp(place.translation, eased);
        at.rotation = glide.from.rotation.slerp(place.rotation, eased);
        if t >= 1.0 {
            commands.entity(thing).remove::<Settling>();
            snapped.write(Snapped {
                thing,
                socket: socket.0,
            });
        }
    }
}
