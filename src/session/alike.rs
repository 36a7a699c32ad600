//! The models' parameters, once for all learners who have the same: a host has thousands, and few kinds of lessons.
//! In: who joined, and sessions that began. Out: shared parameters. Never: another value than the learner had.

use std::sync::{Arc, Weak};

use bevy::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::state::LearnerState;
use super::{Folded, Learner};
use crate::learning::five::params::Params;
use crate::protocol::event::EventBody;

/// Kinds that are looked for; learners of a further kind keep their parameters to themselves. Arbitrary: a school has
/// fewer lessons under way at once.
const KINDS: usize = 64;

/// Parameters that somebody here has.
#[derive(Resource, Debug, Default)]
pub struct Alike(Vec<Weak<Params>>);

impl Alike {
    /// The same parameters, in the place where others who have them keep them.
    pub(super) fn of(&mut self, params: &Arc<Params>) -> Arc<Params> {
        self.0.retain(|kept| kept.strong_count() > 0);
        let mut kept = self.0.iter().filter_map(Weak::upgrade);
        if let Some(same) = kept.find(|kept| Arc::ptr_eq(kept, params) || **kept == **params) {
            return same;
        }
        if self.0.len() < KINDS {
            self.0.push(Arc::downgrade(params));
        }
        params.clone()
    }
}

/// Whoever joined, and whoever began a session, is looked at once.
pub(super) fn keep_together(
    mut alike: ResMut<Alike>,
    mut folded: MessageReader<Folded>,
    newcomers: Query<Entity, Added<Learner>>,
    mut learners: Query<&mut LearnerState>,
) {
    let begun = folded.read().filter_map(|Folded { learner, event }| {
        matches!(event.body, EventBody::SessionStarted { .. }).then_some(*learner)
    });
    for learner in begun.chain(&newcomers) {
        if let Ok(mut state) = learners.get_mut(learner) {
            // Nothing that anybody could see changes.
            state.bypass_change_detection().models.share(&mut alike);
        }
    }
}

/// Written as if nobody else had them.
pub(super) fn write<S: Serializer>(params: &Arc<Params>, to: S) -> Result<S::Ok, S::Error> {
    params.as_ref().serialize(to)
}

/// Read into a place of their own.
pub(super) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Params>, D::Error> {
    Params::deserialize(from).map(Arc::new)
}
