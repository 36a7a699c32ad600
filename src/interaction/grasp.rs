//! Taking, carrying, letting go and throwing.

use std::time::Duration;

use bevy::prelude::*;

use super::hands::{Grasp, Held, Motion, Person};
use super::sockets::{Fits, Settling};
use super::things::{Grabbable, HeldBy, InSocket};
use super::{Interacted, Interaction};
use crate::physics::{Contact, Driven, Physics, Velocity};
use crate::xr::rig::{HapticPulse, Hand};

/// Fingers count as closed from here …
const CLOSE: f32 = 0.7;
/// … and as open again from here, so that a tired hand drops nothing.
const OPEN: f32 = 0.3;
/// What leaves the hand faster than this was thrown, metres per second.
const THROWN: f32 = 0.8;

/// A thing rests in its socket now: for eyes and ears.
#[derive(Message, Debug, Clone, Copy)]
pub struct Snapped {
    /// The thing.
    pub thing: Entity,
    /// Its socket.
    pub socket: Entity,
}

/// Thrown, and has struck nothing yet.
#[derive(Component, Debug)]
pub(super) struct Flying;

pub(super) fn grasp_and_release(
    mut commands: Commands,
    time: Res<Time>,
    person: Person,
    mut hands: Query<(&mut Grasp, &Motion), With<Hand>>,
    things: Query<&Transform, (With<Grabbable>, Without<Hand>)>,
    mut others: Local<Vec<(Entity, Entity)>>,
    fits: Fits,
    mut interacted: MessageWriter<Interacted>,
    mut haptics: MessageWriter<HapticPulse>,
) {
    for hand in person.hands() {
        let Ok((mut grasp, motion)) = hands.get_mut(hand.entity) else {
            continue;
        };
        let closing = hand.input.squeeze.max(hand.input.trigger);
        let closed = if grasp.closed { closing > OPEN } else { closing > CLOSE };
        let was_closed = std::mem::replace(&mut grasp.closed, closed);
        if closed && !was_closed && grasp.held.is_none() {
            let Some(thing) = grasp.near.take() else {
                continue;
            };
            let Ok(at) = things.get(thing) else { continue };
            let into_hand = hand.grip.to_matrix().inverse() * at.to_matrix();
            grasp.held = Some(Held {
                thing,
                offset: Transform::from_matrix(into_hand),
            });
            others.push((thing, hand.entity));
            commands
                .entity(thing)
                .insert((HeldBy(hand.entity), Driven))
                .remove::<(InSocket, Settling, Flying)>();
            haptics.write(HapticPulse {
                side: hand.side,
                amplitude: 0.5,
                duration: Duration::from_millis(30),
            });
            interacted.write(Interacted {
                side: Some(hand.side),
                what: Interaction::Grabbed { target: thing },
            });
        } else if !closed && let Some(held) = grasp.held.take() {
            let thing = held.thing;
            let Ok(at) = things.get(thing) else { continue };
            let (linear, angular) = motion.throw(time.elapsed_secs());
            let speed = linear.length();
            let mut entity = commands.entity(thing);
            entity.remove::<HeldBy>();
            let what = if speed >= THROWN {
                entity.remove::<Driven>().insert((Velocity { linear, angular }, Flying));
                Interaction::Thrown {
                    target: thing,
                    speed,
                }
            } else {
                let fit = fits.of(thing, at);
                match fit.filter(|fit| fit.accepted) {
                    Some(fit) => {
                        entity.insert((Settling::from(*at), InSocket(fit.socket)));
                        haptics.write(HapticPulse {
                            side: hand.side,
                            amplitude: 0.9,
                            duration: Duration::from_millis(60),
                        });
                    }
                    None => {
                        entity.remove::<Driven>().insert(Velocity { linear, angular });
                    }
                }
                Interaction::Released { target: thing, fit }
            };
            interacted.write(Interacted {
                side: Some(hand.side),
                what,
            });
        }
    }
    // What one hand took out of the other is no longer in the other.
    for (thing, owner) in others.drain(..) {
        for hand in person.hands() {
            if hand.entity != owner
                && let Ok((mut grasp, _)) = hands.get_mut(hand.entity)
                && grasp.held.is_some_and(|held| held.thing == thing)
            {
                grasp.held = None;
            }
        }
    }
}

/// What is held is where its hand is, in the same frame, as far as the solid room lets it.
pub(super) fn carry(
    physics: Option<Res<Physics>>,
    person: Person,
    mut grasps: Query<&mut Grasp>,
    mut things: Query<&mut Transform, (With<HeldBy>, Without<Hand>, Without<crate::xr::rig::Rig>, Without<crate::xr::rig::Head>)>,
    alive: Query<(), With<Grabbable>>,
) {
    for hand in person.hands() {
        let Ok(mut grasp) = grasps.get_mut(hand.entity) else {
            continue;
        };
        let Some(held) = grasp.held else { continue };
        if !alive.contains(held.thing) {
            // The lesson took it away.
            grasp.held = None;
            continue;
        }
        let Ok(mut at) = things.get_mut(held.thing) else {
            continue;
        };
        let wanted = hand.grip.mul_transform(held.offset);
        let next = match &physics {
            Some(physics) => physics.carry(held.thing, &at, &wanted),
            None => wanted,
        };
        if next.is_finite() {
            *at = next;
        }
    }
}

/// Says what a thrown thing struck first.
pub(super) fn follow_flight(
    mut commands: Commands,
    mut contacts: MessageReader<Contact>,
    flying: Query<Entity, With<Flying>>,
    mut interacted: MessageWriter<Interacted>,
    mut struck: Local<Vec<Entity>>,
) {
    struck.clear();
    for contact in contacts.read() {
        for thing in [contact.a, contact.b] {
            if let Some(hit) = contact.other(thing)
                && flying.contains(thing)
                && !struck.contains(&thing)
            {
                struck.push(thing);
                commands.entity(thing).remove::<Flying>();
                interacted.write(Interacted {
                    side: None,
                    what: Interaction::Struck { target: thing, hit },
                });
            }
        }
    }
}
