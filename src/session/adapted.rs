//! How the running lesson is adapted to the learner: the fold of the commands that were carried out.
//!
//! In: commands, once they had their effect. Out: what the lesson is played with now. Never: an effect of its own.

use serde::{Deserialize, Serialize};

use crate::learning::event_criteria::Criterion;
use crate::learning::strategy::action::{Modality, SupportKind};
use crate::protocol::command::{AddedObject, Command, CommandBody};
use crate::protocol::event::Told;
use crate::protocol::ids::StepId;
use crate::protocol::teaching::Checkpoint;

/// Change of the multiplier of difficulty that makes a task one logit harder: the adaptation table's `per_logit`.
/// Arbitrary until variants of one task have been measured.
const PER_LOGIT: f64 = 0.2;

/// How a lesson is adapted now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adapted {
    /// Multiple of the authored difficulty: tolerances are divided by it.
    pub difficulty: f64,
    /// Multiple of the authored pace: times are divided by it.
    pub pace: f64,
    /// Support in place: kind, level 1..3, and by which sense.
    pub support: Option<(SupportKind, u8, Modality)>,
    /// Whether the learner rests.
    pub resting: bool,
    /// A break is offered, until the next step or an answer.
    pub break_offered: bool,
    /// The learner ended a break although they had said that they are not well. Holds until they are asked again.
    pub comfort_put_aside: bool,
    /// What the rules wanted the instructor to know, and at which place in the log.
    pub for_instructor: Option<(u64, String)>,
    /// Things that the instructor put into the scene, in order.
    #[serde(default)]
    pub added: Vec<AddedObject>,
    /// Checkpoints that wait for the learner, in order.
    #[serde(default)]
    pub checkpoints: Vec<Checkpoint>,
}

impl Default for Adapted {
    fn default() -> Self {
        Self {
            difficulty: 1.0,
            pace: 1.0,
            support: None,
            resting: false,
            break_offered: false,
            comfort_put_aside: false,
            for_instructor: None,
            added: Vec::new(),
            checkpoints: Vec::new(),
        }
    }
}

impl Adapted {
    /// How much harder than authored the task is, in logit.
    #[must_use]
    pub fn logits(&self) -> f64 {
        (self.difficulty - 1.0) / PER_LOGIT
    }

    /// How much further off something may be placed than authored, for support of the kind that widens tolerances: a
    /// quarter for each level. Arbitrary.
    #[must_use]
    pub fn widening(&self) -> f64 {
        match self.support {
            Some((SupportKind::WiderTolerance, level, _)) => 1.0 + 0.25 * f64::from(level),
            _ => 1.0,
        }
    }

    /// The level of guidance in place, 0 for none.
    #[must_use]
    pub fn guidance(&self) -> u8 {
        match self.support {
            Some((SupportKind::Guidance, level, _)) => level,
            _ => 0,
        }
    }

    /// A command was carried out; `seq`: its place in the log.
    pub fn carried_out(&mut self, seq: u64, command: &Command) {
        match &command.body {
            CommandBody::SetDifficulty { multiplier } => self.difficulty = *multiplier,
            CommandBody::SetPace { multiplier } => self.pace = *multiplier,
            CommandBody::AddSupport {
                kind,
                level,
                modality,
            } => self.support = Some((*kind, *level, *modality)),
            CommandBody::FadeSupport => self.support = None,
            CommandBody::OfferBreak => self.break_offered = true,
            CommandBody::Rest => {
                self.resting = true;
                self.break_offered = false;
            }
            CommandBody::EndBreak => {
                self.resting = false;
                self.comfort_put_aside = true;
            }
            CommandBody::TellInstructor => {
                self.for_instructor = Some((seq, command.purpose.clone()));
            }
            CommandBody::Spawn { object } => self.added.push(object.clone()),
            CommandBody::Remove { object } => self.added.retain(|it| it.id != *object),
            CommandBody::SetCheckpoint { checkpoint } => self.checkpoints.push(checkpoint.clone()),
            CommandBody::RemoveCheckpoint { checkpoint } => self.check_no_more(checkpoint),
            CommandBody::GiveHint { .. }
            | CommandBody::FadeHint
            | CommandBody::StartSession { .. }
            | CommandBody::SetPreferences { .. }
            | CommandBody::OverrideStage { .. }
            | CommandBody::SetPolicy { .. }
            | CommandBody::SetTelemetry { .. }
            | CommandBody::Score { .. }
            | CommandBody::PointAt { .. }
            | CommandBody::EndSession
            | CommandBody::Try { .. }
            | CommandBody::Pause
            | CommandBody::Resume
            | CommandBody::Message { .. }
            | CommandBody::Vary { .. }
            | CommandBody::ChangeApproach
            | CommandBody::MoveOn
            | CommandBody::Review
            | CommandBody::GiveConsent(_)
            | CommandBody::WithdrawConsent(_)
            | CommandBody::Restrict { .. }
            | CommandBody::LiftRestriction { .. }
            | CommandBody::NoteAmendment(_) => {}
        }
    }

    /// Whether this is the name of a checkpoint that waits.
    #[must_use]
    pub fn checks(&self, id: &StepId) -> bool {
        self.checkpoints.iter().any(|it| it.id == *id)
    }

    /// A checkpoint was met, or missed, or is not wanted any more.
    pub(super) fn check_no_more(&mut self, id: &StepId) {
        self.checkpoints.retain(|it| it.id != *id);
    }

    /// Another step runs: an offer that was passed over is over.
    pub(super) fn step_entered(&mut self) {
        self.break_offered = false;
    }

    /// The learner said how they are.
    pub(super) fn told(&mut self, about: Told) {
        if about == Told::Criterion(Criterion::Comfort) {
            self.comfort_put_aside = false;
        }
    }
}
