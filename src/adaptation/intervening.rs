//! When a session is intervening or reviewing: from a hint, a support or a word that reached the learner until they got
//! on by it. In: folded events. Out: [`ChangeAsked`]. Never: changes anything itself; the session's life says what is
//! admitted.

use bevy::prelude::*;

use crate::protocol::command::{CommandBody, Principal};
use crate::protocol::event::EventBody;
use crate::protocol::life::{Life, LifeCause};
use crate::session::state::LearnerState;
use crate::session::{ChangeAsked, Folded};

pub(super) fn tell_interventions(
    mut folded: MessageReader<Folded>,
    learners: Query<&LearnerState>,
    mut asked: MessageWriter<ChangeAsked>,
) {
    for Folded { learner, event } in folded.read() {
        let Ok(state) = learners.get(*learner) else {
            continue;
        };
        if let Some(cause) = turn(&event.body, state.life()) {
            asked.write(ChangeAsked {
                learner: *learner,
                cause,
            });
        }
    }
}

/// The turn that an event brings in this life, if any.
fn turn(body: &EventBody, life: Life) -> Option<LifeCause> {
    let began = match body {
        // What learners ask for themselves is their own way to work.
        EventBody::CommandApplied { command, .. } if command.principal != Principal::Learner => {
            match command.body {
                CommandBody::GiveHint { .. }
                | CommandBody::AddSupport { .. }
                | CommandBody::ChangeApproach
                | CommandBody::Message { .. } => Some(LifeCause::InterventionBegan),
                CommandBody::Review => Some(LifeCause::ReviewBegan),
                _ => None,
            }
        }
        _ => None,
    };
    let got_on = match body {
        EventBody::Attempted(attempt) => attempt.correct,
        EventBody::StepEntered { .. } => true,
        _ => false,
    };
    match life {
        Life::Active => began,
        Life::Intervening if got_on => Some(LifeCause::InterventionEnded),
        Life::Reviewing if got_on => Some(LifeCause::ReviewEnded),
        _ => None,
    }
}
