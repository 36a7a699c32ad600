//! Turns state into commands and commands into effects, with acknowledgement.
//! In: `CommandRequested` from whatever door, the learner's state. Out: `CommandAnswered`, events of what was done,
//! [`HintShown`] and [`MessageShown`] on the learner. Never: an effect without an answer, or a second time.

use std::time::Duration;

use bevy::prelude::*;

use crate::lesson::ActiveLesson;
use crate::protocol::ids::ObjectId;
use crate::session::standing::Agreements;
use crate::session::state::LearnerState;
use crate::session::{
    ChangeAsked, CommandAnswered, CommandRequested, Folded, Happened, Learner, Stirred, WayChanged,
};

pub use advise::{Foresight, Outlook, Strategies, models};

pub mod adapted;
mod advise;
mod by_hand;
mod carry_out;
pub mod decide;
mod intervening;
mod on_site;
mod watch;

/// Everything that `adaptation` does in a frame.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
pub struct AdaptationSystems;

/// The hint that the learner sees now. On the learner; gone when none is shown.
#[derive(Component, Debug, Clone, PartialEq)]
pub struct HintShown {
    /// Rung of the step's ladder, from 1.
    pub level: u8,
    /// The words.
    pub text: String,
    /// Objects that glow.
    pub highlight: Vec<ObjectId>,
}

/// The message that the learner sees now. On the learner; gone when its time is over.
#[derive(Component, Debug, Clone, PartialEq)]
pub struct MessageShown {
    /// The words.
    pub text: String,
    /// Until this moment of `Time<Real>` (time since start).
    pub until: Duration,
}

/// Hints, pauses and messages: asked for, decided, done, answered.
pub struct AdaptationPlugin;

impl Plugin for AdaptationPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<carry_out::Waiting>()
            .init_resource::<carry_out::Answers>()
            .init_resource::<Strategies>()
            .init_resource::<Foresight>()
            .init_resource::<Agreements>()
            .register_required_components::<Learner, watch::Watch>()
            .register_required_components::<Learner, advise::Advisor>()
            .register_required_components::<Learner, Outlook>()
            .add_message::<WayChanged>()
            .add_message::<CommandRequested>()
            .add_message::<CommandAnswered>()
            .add_message::<Folded>()
            .add_message::<Stirred>()
            .add_message::<Happened>()
            .add_message::<ChangeAsked>()
            .add_systems(
                Update,
                (
                    carry_out::recall_answers,
                    watch::remember_events,
                    watch::notice_stirring,
                    watch::let_time_pass,
                    watch::climb_the_ladder,
                    advise::recall,
                    advise::let_time_pass,
                    advise::hear,
                    advise::advise,
                    carry_out::queue_commands,
                    carry_out::carry_out,
                    show_hint,
                    end_messages,
                    intervening::tell_interventions,
                )
                    .chain()
                    .in_set(AdaptationSystems),
            );
    }
}

/// Shows what the log says: the rung of the running step. So a resumed session shows its hint again.
fn show_hint(
    mut commands: Commands,
    lesson: Option<Res<ActiveLesson>>,
    learners: Query<(Entity, Ref<LearnerState>, Option<&HintShown>)>,
) {
    let Some(lesson) = lesson else { return };
    for (learner, state, shown) in &learners {
        if !state.is_changed() && !lesson.is_changed() {
            continue;
        }
        let step = state.step.as_ref().and_then(|step| lesson.step(step));
        let rung = usize::from(state.hint_level);
        let due = rung.checked_sub(1).and_then(|index| step?.hints.get(index));
        match due {
            Some(hint) => {
                let hint = HintShown {
                    level: state.hint_level,
                    text: hint.text.clone(),
                    highlight: hint.highlight.clone(),
                };
                if shown != Some(&hint) {
                    commands.entity(learner).insert(hint);
                }
            }
            None if shown.is_some() => {
                commands.entity(learner).remove::<HintShown>();
            }
            None => {}
        }
    }
}

fn end_messages(
    mut commands: Commands,
    time: Res<Time<Real>>,
    messages: Query<(Entity, &MessageShown)>,
) {
    for (learner, message) in &messages {
        if time.elapsed() >= message.until {
            commands.entity(learner).remove::<MessageShown>();
        }
    }
}

#[cfg(test)]
mod tests;
