//! What can be done through the bridge, and which role may: one table, default no.

use TokenRole::{Instructor, Learner, Observer, Operator};
use serde::Serialize;

use crate::protocol::asker::TokenRole;
use crate::protocol::command::CommandBody;

/// Whom an act touches. An act upon everybody needs a token for the whole class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One learner at a time; the token's scope says which.
    Learner,
    /// Nobody in particular: what is read of the class is cut to the token's scope.
    Nobody,
    /// Everybody on this machine, or the machine itself.
    Everybody,
}

macro_rules! acts {
    ($($(#[$doc:meta])* $act:ident: $words:literal, $reach:ident, [$($role:ident),*];)*) => {
        /// What somebody who came in wants to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Act {
            $($(#[$doc])* $act,)*
        }

        /// The role matrix: the act, in words, whom it touches, and who may. Who is not named may not.
        pub const MATRIX: &[(Act, &str, Reach, &[TokenRole])] = &[
            $((Act::$act, $words, Reach::$reach, &[$($role),*]),)*
        ];
    };
}

acts! {
    /// Who is here.
    ReadRoster: "see who is here", Nobody, [Observer, Instructor, Operator];
    /// A learner's state, skills, session and events.
    ReadState: "see how a learner stands", Learner, [Observer, Instructor, Operator, Learner];
    /// Why something was decided for a learner.
    ReadExplanation: "see why something was decided", Learner, [Observer, Instructor, Operator, Learner];
    /// How likely a learner is to stall or to leave.
    ReadRisk: "see a learner's risk", Learner, [Instructor, Operator];
    /// The lessons, their graph and what they need.
    ReadLesson: "read lessons", Nobody, [Observer, Instructor, Operator, Learner];
    /// The privacy and adaptation rules in force.
    ReadPolicy: "read the rules in force", Nobody, [Observer, Instructor, Operator, Learner];
    /// Health, alerts, frame figures and governor.
    ReadHealth: "see the machine's health", Nobody, [Observer, Instructor, Operator];
    /// What was done by whom, from the audit log.
    ReadAudit: "read the audit", Everybody, [Operator];
    /// A picture or a description of what a learner sees; consent is asked for beside this.
    View: "look through a learner's eyes", Learner, [Instructor, Operator];
    /// Being the runtime that a learner's events and samples come from.
    Stream: "bring a learner's stream", Learner, [Operator, Learner];
    /// A hint, or taking it away.
    Hint: "give hints", Learner, [Instructor, Operator, Learner];
    /// Words, captions, markers, highlights, pointing.
    Message: "speak to a learner", Learner, [Instructor, Operator];
    /// Difficulty, pace, support, variety, route, and taking them back.
    Adapt: "adapt a lesson", Learner, [Instructor, Operator];
    /// Thresholds and switches of the adaptation rules.
    AdaptPolicy: "change the adaptation rules", Everybody, [Operator];
    /// Guidance, comfort and accessibility.
    Preferences: "change a learner's preferences", Learner, [Instructor, Operator, Learner];
    /// Another stage of learning than the models found.
    StageOverride: "override a learner's stage", Learner, [Instructor, Operator];
    /// A score that only a person can give.
    Rubric: "score a rubric", Learner, [Instructor, Operator];
    /// A checkpoint set while the lesson runs.
    Checkpoint: "set a checkpoint", Learner, [Instructor, Operator];
    /// Objects put into a learner's scene or taken out.
    Scene: "change a learner's scene", Learner, [Instructor, Operator];
    /// Stopping one learner's lesson and letting it go on.
    Pause: "pause a lesson", Learner, [Instructor, Operator, Learner];
    /// Offering, taking and ending a break.
    Break: "call a break", Learner, [Instructor, Operator, Learner];
    /// Stopping everybody, for safety.
    PauseAll: "pause everybody", Everybody, [Instructor, Operator];
    /// Peer, mentor and project groups.
    Group: "form groups", Everybody, [Instructor, Operator];
    /// Checking a lesson without running it.
    LessonValidate: "check a lesson", Nobody, [Instructor, Operator];
    /// Bringing a lesson onto this machine.
    LessonLoad: "load a lesson", Everybody, [Operator];
    /// Another lesson in place of the running one.
    LessonSwitch: "switch the lesson", Everybody, [Instructor, Operator];
    /// Beginning and taking up a learner's session.
    SessionStart: "start a session", Learner, [Instructor, Operator, Learner];
    /// Ending a learner's session.
    SessionEnd: "end a session", Learner, [Instructor, Operator, Learner];
    /// A copy of a learner's record.
    Export: "export a record", Learner, [Operator, Learner];
    /// Destroying a learner's record.
    Erase: "erase a record", Learner, [Operator];
    /// Writing down what a learner or a guardian agreed to.
    Consent: "record consent", Learner, [Operator];
    /// Writing down that somebody does not agree, or no longer.
    WithdrawConsent: "record that somebody does not agree", Learner, [Operator, Learner];
    /// What was agreed to, restricted and noted.
    ReadConsent: "see what was agreed to", Learner, [Instructor, Operator, Learner];
    /// How much is told of a learner.
    TelemetryLevel: "set the telemetry level", Learner, [Operator];
    /// What happened in a learner's own runtime, sent to the host.
    SendEvents: "send a learner's events", Learner, [Learner];
    /// Quality and rates of the picture.
    Governor: "set the governor", Everybody, [Operator];
    /// Draining, deploying, rolling back.
    Operate: "operate the machine", Everybody, [Operator];
    /// Pairing codes, and tokens issued, listed and revoked.
    Tokens: "manage who may come in", Everybody, [Operator];
}

impl Act {
    fn row(self) -> Option<&'static (Self, &'static str, Reach, &'static [TokenRole])> {
        MATRIX.iter().find(|(act, ..)| *act == self)
    }

    /// The act in words that follow "may".
    #[must_use]
    pub fn words(self) -> &'static str {
        self.row().map_or("do that", |(_, words, ..)| words)
    }

    /// Whom it touches.
    #[must_use]
    pub fn reach(self) -> Reach {
        self.row()
            .map_or(Reach::Everybody, |(_, _, reach, _)| *reach)
    }

    /// Who may.
    #[must_use]
    pub fn roles(self) -> &'static [TokenRole] {
        self.row().map_or(&[], |(.., roles)| roles)
    }

    /// What a command is, for the matrix.
    #[must_use]
    pub fn of(body: &CommandBody) -> Self {
        match body {
            CommandBody::GiveHint { .. } | CommandBody::FadeHint => Self::Hint,
            CommandBody::Pause | CommandBody::Resume => Self::Pause,
            CommandBody::Message { .. } => Self::Message,
            CommandBody::OfferBreak | CommandBody::Rest | CommandBody::EndBreak => Self::Break,
            CommandBody::SetDifficulty { .. }
            | CommandBody::SetPace { .. }
            | CommandBody::AddSupport { .. }
            | CommandBody::FadeSupport
            | CommandBody::Vary { .. }
            | CommandBody::ChangeApproach
            | CommandBody::MoveOn
            | CommandBody::Review
            | CommandBody::TellInstructor => Self::Adapt,
            CommandBody::Score { .. } => Self::Rubric,
            CommandBody::PointAt { .. } => Self::Message,
            CommandBody::Spawn { .. } | CommandBody::Remove { .. } => Self::Scene,
            CommandBody::EndSession => Self::SessionEnd,
            CommandBody::StartSession { lesson: None } => Self::SessionStart,
            CommandBody::StartSession { lesson: Some(_) } => Self::LessonSwitch,
            CommandBody::SetPreferences { .. } => Self::Preferences,
            CommandBody::OverrideStage { .. } => Self::StageOverride,
            CommandBody::SetCheckpoint { .. } | CommandBody::RemoveCheckpoint { .. } => {
                Self::Checkpoint
            }
            CommandBody::SetPolicy { .. } => Self::AdaptPolicy,
            CommandBody::SetTelemetry { .. } => Self::TelemetryLevel,
            CommandBody::WithdrawConsent(_) => Self::WithdrawConsent,
            CommandBody::GiveConsent(_)
            | CommandBody::Restrict { .. }
            | CommandBody::LiftRestriction { .. }
            | CommandBody::NoteAmendment(_) => Self::Consent,
            // Who may not do it learns nothing of what it would do.
            CommandBody::Try { body } => Self::of(body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The matrix again, as a table for the eye: observer, instructor, operator, learner.
    const CELLS: &[(&str, &str)] = &[
        ("ReadRoster", "xxx."),
        ("ReadState", "xxxx"),
        ("ReadExplanation", "xxxx"),
        ("ReadRisk", ".xx."),
        ("ReadLesson", "xxxx"),
        ("ReadPolicy", "xxxx"),
        ("ReadHealth", "xxx."),
        ("ReadAudit", "..x."),
        ("View", ".xx."),
        ("Stream", "..xx"),
        ("Hint", ".xxx"),
        ("Message", ".xx."),
        ("Adapt", ".xx."),
        ("AdaptPolicy", "..x."),
        ("Preferences", ".xxx"),
        ("StageOverride", ".xx."),
        ("Rubric", ".xx."),
        ("Checkpoint", ".xx."),
        ("Scene", ".xx."),
        ("Pause", ".xxx"),
        ("Break", ".xxx"),
        ("PauseAll", ".xx."),
        ("Group", ".xx."),
        ("LessonValidate", ".xx."),
        ("LessonLoad", "..x."),
        ("LessonSwitch", ".xx."),
        ("SessionStart", ".xxx"),
        ("SessionEnd", ".xxx"),
        ("Export", "..xx"),
        ("Erase", "..x."),
        ("Consent", "..x."),
        ("WithdrawConsent", "..xx"),
        ("ReadConsent", ".xxx"),
        ("TelemetryLevel", "..x."),
        ("SendEvents", "...x"),
        ("Governor", "..x."),
        ("Operate", "..x."),
        ("Tokens", "..x."),
    ];

    #[test]
    fn every_cell_of_the_matrix_is_as_agreed() {
        assert_eq!(CELLS.len(), MATRIX.len(), "an act without a line here");
        for ((name, cells), (act, ..)) in CELLS.iter().zip(MATRIX) {
            assert_eq!(*name, format!("{act:?}"));
            for (role, cell) in TokenRole::ALL.iter().zip(cells.chars()) {
                assert_eq!(act.roles().contains(role), cell == 'x', "{name}, {role}");
            }
        }
    }

    #[test]
    fn an_observer_changes_nothing() {
        for (act, ..) in MATRIX {
            let reads = format!("{act:?}").starts_with("Read");
            assert!(reads || !act.roles().contains(&Observer), "{act:?}");
        }
    }

    #[test]
    fn a_learner_touches_only_one_learner() {
        for (act, ..) in MATRIX {
            let everybody = act.reach() == Reach::Everybody;
            assert!(!everybody || !act.roles().contains(&Learner), "{act:?}");
        }
    }
}
