//! Taking, carrying, letting go and throwing.

use std::time::Duration;

use bevy::prelude::*;

use super::hands::{Grasp, Held, Motion, Person};
use super::sockets::{Fits, Settling};
use super::things::{Grabbable, HeldBy, InSocket};
use super::{Interacted, Interaction};
use crate::physics::{Contact, Driven, Fell, Physics, Velocity};
use crate::xr::rig::{Hand, HandInput, HapticPulse, Head, Rig};

/// Fingers count as closed from here …
const CLOSE: f32 = 0.7;
/// … and as open again from here, so that a tired hand drops nothing.
const OPEN: f32 = 0.3;
/// Fingers that closed a moment too early still take what they then come to, seconds.
const EARLY: f32 = 0.15;
/// What leaves the hand faster than this was thrown, metres per second.
const THROWN: f32 = 0.8;

/// A hand out of sight for longer than this holds nothing any more, seconds.
const FORGOTTEN: f32 = 3.0;
/// A thing this far from its hand is stuck behind something, metres …
const STUCK: f32 = 0.25;
/// … and comes to the hand after this time, seconds, if there is room.
const UNSTUCK: f32 = 0.4;
/// What does not belong into a socket hops up and away from it, metres per second.
const HOP: Vec3 = Vec3::new(0.25, 0.6, 0.25);

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
    mut hands: Query<(&mut Grasp, &mut Motion), With<Hand>>,
    things: Query<&Transform, (With<Grabbable>, Without<Hand>)>,
    mut taken: Local<Vec<(Entity, Entity)>>,
    fits: Fits,
    mut interacted: MessageWriter<Interacted>,
    mut haptics: MessageWriter<HapticPulse>,
) {
    let rig = person.rig();
    for hand in person.hands() {
        let Ok((mut grasp, mut motion)) = hands.get_mut(hand.entity) else {
            continue;
        };
        let fingers = hand.input.squeeze.max(hand.input.trigger);
        let closed = if grasp.closed {
            fingers > OPEN
        } else {
            fingers > CLOSE
        };
        let was_closed = std::mem::replace(&mut grasp.closed, closed);
        grasp.closing = match (was_closed, closed) {
            (false, true) => 0.0,
            (true, true) => grasp.closing + time.delta_secs(),
            (_, false) => f32::INFINITY,
        };
        let buzz = |amplitude, millis| HapticPulse {
            side: hand.side,
            amplitude,
            duration: Duration::from_millis(millis),
        };
        if closed && grasp.closing <= EARLY && grasp.held.is_none() {
            let Some(thing) = grasp
                .near
                .filter(|thing| !taken.iter().any(|(other, _)| other == thing))
            else {
                continue;
            };
            let Ok(at) = things.get(thing) else { continue };
            let into_hand = hand.grip.to_matrix().inverse() * at.to_matrix();
            grasp.near = None;
            grasp.closing = f32::INFINITY;
            motion.forget();
            grasp.held = Some(Held {
                thing,
                offset: Transform::from_matrix(into_hand),
                rig,
                stuck: 0.0,
            });
            taken.push((thing, hand.entity));
            commands
                .entity(thing)
                .insert((HeldBy(hand.entity), Driven))
                .remove::<(InSocket, Settling, Flying)>();
            haptics.write(buzz(0.5, 30));
            interacted.write(Interacted {
                side: Some(hand.side),
                what: Interaction::Grabbed { target: thing },
            });
        } else if !closed && let Some(held) = grasp.held.take() {
            let thing = held.thing;
            // What the other hand takes in this very frame is passed on, not let go.
            if taken.iter().any(|(other, _)| *other == thing) {
                continue;
            }
            let Ok(at) = things.get(thing) else { continue };
            let (linear, angular) = motion.throw(time.elapsed_secs_f64(), held.offset.translation);
            let velocity = Velocity {
                linear: rig.rotation * linear,
                angular: rig.rotation * angular,
            };
            let speed = linear.length();
            let mut entity = commands.entity(thing);
            entity.remove::<HeldBy>();
            let what = if speed >= THROWN {
                entity.remove::<Driven>().insert((velocity, Flying));
                Interaction::Thrown {
                    target: thing,
                    speed,
                }
            } else {
                let fit = fits.of(thing, at);
                match fit {
                    Some(fit) if fit.accepted => {
                        entity.insert((Settling::from(*at), InSocket(fit.socket)));
                        haptics.write(buzz(0.9, 60));
                    }
                    Some(fit) if !fits.belongs(thing, fit.socket) => {
                        let away = fits.away(at, fit.socket);
                        entity.remove::<Driven>().insert(Velocity {
                            linear: Vec3::new(away.x, 1.0, away.y) * HOP,
                            angular: Vec3::ZERO,
                        });
                        haptics.write(buzz(0.4, 120));
                    }
                    _ => {
                        entity.remove::<Driven>().insert(velocity);
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
    for (thing, owner) in taken.drain(..) {
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

/// A hand that is out of sight holds on for a while, and then lets go without having done anything.
pub(super) fn forget_lost_hands(
    mut commands: Commands,
    time: Res<Time>,
    mut hands: Query<(Entity, &HandInput, &mut Grasp)>,
    held_by: Query<&HeldBy>,
) {
    for (hand, input, mut grasp) in &mut hands {
        if input.tracked {
            if grasp.unseen > 0.0 {
                grasp.unseen = 0.0;
            }
            continue;
        }
        grasp.near = None;
        grasp.touching.clear();
        (grasp.pointing, grasp.clicking) = (false, false);
        grasp.unseen += time.delta_secs();
        if grasp.unseen > FORGOTTEN
            && let Some(held) = grasp.held.take()
        {
            grasp.closed = false;
            if held_by.get(held.thing).is_ok_and(|by| by.0 == hand) {
                commands
                    .entity(held.thing)
                    .remove::<(HeldBy, Driven)>()
                    .insert(Velocity::default());
            }
        }
    }
}

/// What is held is where its hand is, in the same frame, as far as the solid room lets it.
pub(super) fn carry(
    time: Res<Time>,
    physics: Option<Res<Physics>>,
    person: Person,
    mut grasps: Query<&mut Grasp>,
    mut things: Query<(&mut Transform, &HeldBy), (Without<Hand>, Without<Rig>, Without<Head>)>,
) {
    let rig = person.rig();
    for hand in person.hands() {
        let Ok(mut grasp) = grasps.get_mut(hand.entity) else {
            continue;
        };
        let Some(held) = &mut grasp.held else {
            continue;
        };
        let mut at = match things.get_mut(held.thing) {
            Ok((at, by)) if by.0 == hand.entity => at,
            _ => {
                // The lesson took it away.
                grasp.held = None;
                continue;
            }
        };
        let wanted = hand.grip.mul_transform(held.offset).with_scale(at.scale);
        let mut from = *at;
        if held.rig != rig {
            let moved = rig.to_matrix() * held.rig.to_matrix().inverse();
            from = Transform::from_matrix(moved * at.to_matrix());
            held.rig = rig;
        }
        let mut next = wanted;
        if let Some(physics) = &physics {
            next = physics.carry(held.thing, &from, &wanted);
            let stuck = next.translation.distance(wanted.translation) > STUCK;
            held.stuck = if stuck {
                held.stuck + time.delta_secs()
            } else {
                0.0
            };
            if held.stuck > UNSTUCK && physics.is_free(held.thing, &wanted) {
                next = wanted;
            }
        }
        if next.is_finite() {
            *at = next;
        }
    }
}

/// Says what a thrown thing struck first.
pub(super) fn follow_flight(
    mut commands: Commands,
    mut contacts: MessageReader<Contact>,
    mut fell: MessageReader<Fell>,
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
    for Fell(thing) in fell.read() {
        if flying.contains(*thing) {
            commands.entity(*thing).remove::<Flying>();
        }
    }
}
