//! From interactions with entities to deeds in the lesson's names, and from throws to where they end.

use std::collections::BTreeMap;
use std::time::Duration;

use bevy::prelude::*;

use super::judge::{Deed, Fit};
use crate::interaction::{Interacted, Interaction};
use crate::lesson::placed::{LessonObject, LessonSocket};
use crate::protocol::ids::ObjectId;
use crate::session::PanelAnswered;

/// A throw that has struck nothing after this time has missed: nothing in a room flies longer.
const LONGEST_FLIGHT: Duration = Duration::from_secs(3);

/// A deed out of a log, to be judged again in its place; so a lesson can be gone through again without anybody in it.
#[derive(Message, Debug, Clone)]
pub struct Redone(pub Deed);

/// What was done in this frame, and what is still on its way.
#[derive(Resource, Debug, Default)]
pub(super) struct Deeds {
    /// Done in this frame, in order.
    pub now: Vec<Deed>,
    flights: Vec<Flight>,
    /// What was last done with each object without counting for a step yet: it may be what the next step asks.
    ahead: BTreeMap<ObjectId, Ahead>,
}

#[derive(Debug)]
struct Ahead {
    deed: Deed,
    /// It has counted as a touch; it may still count as what it is.
    touched: bool,
}

#[derive(Debug)]
struct Flight {
    object: ObjectId,
    speed: f32,
    left: Duration,
}

impl Deeds {
    /// Throws fly on; those that have flown too long come down without having struck anything.
    pub fn come_down(&mut self, passed: Duration) -> Vec<Deed> {
        let mut down = Vec::new();
        self.flights.retain_mut(|flight| {
            flight.left = flight.left.saturating_sub(passed);
            let flying = !flight.left.is_zero();
            if !flying {
                down.push(Deed::Landed {
                    object: flight.object.clone(),
                    speed: flight.speed,
                    hit: None,
                });
            }
            flying
        });
        down
    }

    /// Forgets what belonged to an earlier scene.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    fn throw(&mut self, object: ObjectId, speed: f32) {
        self.flights.retain(|flight| flight.object != object);
        self.flights.push(Flight {
            object: object.clone(),
            speed,
            left: LONGEST_FLIGHT,
        });
        self.now.push(Deed::Thrown { object, speed });
    }

    fn strike(&mut self, object: &ObjectId, hit: Option<ObjectId>) {
        if let Some(index) = self
            .flights
            .iter()
            .position(|flight| flight.object == *object)
        {
            let flight = self.flights.swap_remove(index);
            self.now.push(Deed::Landed {
                object: flight.object,
                speed: flight.speed,
                hit,
            });
        }
    }

    /// Whether a throw of this object is still to be judged.
    pub fn flying(&self, object: &ObjectId) -> bool {
        self.flights.iter().any(|flight| flight.object == *object)
    }

    /// Keeps a deed that has not counted as what it is, while the object stays as it is. `touched`: it has counted
    /// as a touch.
    pub fn keep(&mut self, deed: Deed, touched: bool) {
        match &deed {
            Deed::Grabbed { object } | Deed::Released { object, .. } => {
                self.ahead.insert(object.clone(), Ahead { deed, touched });
            }
            Deed::Thrown { object, .. } => {
                self.ahead.remove(object);
            }
            _ => {}
        }
    }

    /// A deed has counted: what was done with this object before is over.
    pub fn spend(&mut self, deed: &Deed) {
        if let Deed::Grabbed { object }
        | Deed::Released { object, .. }
        | Deed::Thrown { object, .. } = deed
        {
            self.ahead.remove(object);
        }
    }

    /// What was done with an object before a step asked for it, if it still holds.
    pub fn done_ahead(&self, object: &ObjectId, as_touch: bool) -> Option<&Deed> {
        let ahead = self.ahead.get(object)?;
        (!(as_touch && ahead.touched)).then_some(&ahead.deed)
    }
}

/// Reads what hands, head and feet did and what was answered.
pub(super) fn read_deeds(
    mut interactions: MessageReader<Interacted>,
    mut answers: MessageReader<PanelAnswered>,
    mut redone: MessageReader<Redone>,
    objects: Query<&LessonObject>,
    sockets: Query<&LessonSocket>,
    mut deeds: ResMut<Deeds>,
) {
    let name = |entity: Entity| objects.get(entity).ok().map(|object| object.0.clone());
    for Interacted { what, .. } in interactions.read() {
        match what {
            Interaction::LookedAt { target, held } => {
                if let Some(object) = name(*target) {
                    deeds.now.push(Deed::Looked {
                        object,
                        held: *held,
                    });
                }
            }
            Interaction::Turned { .. } => {}
            Interaction::Touched { target } => {
                deeds
                    .now
                    .extend(name(*target).map(|object| Deed::Touched { object }));
            }
            Interaction::Grabbed { target } => {
                if let Some(object) = name(*target) {
                    deeds.flights.retain(|flight| flight.object != object);
                    deeds.now.push(Deed::Grabbed { object });
                }
            }
            Interaction::Released { target, fit } => {
                let fit = fit.and_then(|fit| {
                    Some(Fit {
                        socket: sockets.get(fit.socket).ok()?.0.clone(),
                        accepted: fit.accepted,
                        position_error: fit.position_error,
                        rotation_error: fit.rotation_error,
                    })
                });
                deeds
                    .now
                    .extend(name(*target).map(|object| Deed::Released { object, fit }));
            }
            Interaction::Thrown { target, speed } => {
                if let Some(object) = name(*target) {
                    deeds.throw(object, *speed);
                }
            }
            Interaction::Struck { target, hit } => {
                if let Some(object) = name(*target) {
                    deeds.strike(&object, name(*hit));
                }
            }
            Interaction::Pressed { target } => {
                deeds
                    .now
                    .extend(name(*target).map(|object| Deed::Pressed { object }));
            }
            Interaction::Teleported { spot, .. } => {
                let spot = spot.and_then(name);
                deeds.now.push(Deed::Teleported { spot });
            }
        }
    }
    deeds
        .now
        .extend(answers.read().map(|answer| Deed::Answered {
            panel: answer.panel.clone(),
            choice: answer.choice,
        }));
    deeds.now.extend(redone.read().map(|deed| deed.0.clone()));
    for deed in &deeds.now {
        debug!("{deed:?}");
    }
}
