//! What happened: immutable events, of which a learner's state is the fold.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blur::Blurs;
use super::command::{Command, Principal, Refusal};
use super::consent::{Consent, ConsentActor, Withdrawal};
use super::ids::{AttemptId, LearnerId, LessonId, ObjectId, PanelId, SessionId, SocketId, StepId};
use super::life::{Life, LifeCause};
use super::privacy::{Amendment, Disclosure, RestrictionGround};
use crate::learning::bkt::BktParams;
use crate::learning::event::LearningEvent;
use crate::learning::event_criteria::Criterion;
use crate::learning::five::observation::Moment;
use crate::learning::quality::Quality;
use crate::learning::skill::SkillId;
pub use crate::learning::strategy::explain::Decision;

/// One line of a learner's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Position in this learner's log: 1, 2, 3 … without gaps.
    pub seq: u64,
    /// Wall-clock time, milliseconds since the Unix epoch. For people; order is `seq`.
    pub at_unix_ms: u64,
    /// Whose log this is.
    pub learner: LearnerId,
    /// In which session it happened.
    pub session: SessionId,
    /// What happened.
    pub body: EventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventBody {
    /// A session began with a fresh state of the lesson.
    SessionStarted {
        /// Which lesson.
        lesson: LessonId,
        /// Digest of the lesson's text, so that a replay knows which edition was played.
        lesson_digest: String,
        /// Seed of the learner's generator: a replay takes the same decisions.
        seed: u64,
        /// The lesson's skills and the parameters in force, so that the log alone gives the state.
        skills: BTreeMap<SkillId, BktParams>,
        /// [`super::PROTOCOL_VERSION`] of the writer.
        protocol: u16,
    },
    /// The session was taken up again after an interruption (crash, lost runtime, restart).
    SessionResumed,
    /// The learner stands before this step now.
    StepEntered {
        /// Which step.
        step: StepId,
        /// Which phase of learning it belongs to. Logs from before it was noted do not say.
        #[serde(default)]
        event: Option<LearningEvent>,
        /// Rungs of its hint ladder.
        #[serde(default)]
        hints: u8,
    },
    /// The step's goal was reached, or it was left as optional (`skipped`).
    StepCompleted {
        /// Which step.
        step: StepId,
        /// True where an optional step was passed over or given up.
        skipped: bool,
    },
    /// The learner tried.
    Attempted(Attempt),
    /// What was measured in the last few seconds of the running lesson.
    Observed {
        /// What. Boxed: it is twice as large as the rest, and logs are kept in memory.
        moment: Box<Moment>,
    },
    /// Somebody who can tell said how it is: the learner of comfort and effort, the instructor of what only they can
    /// score.
    Told {
        /// Who said it.
        by: Principal,
        /// What it is about.
        about: Told,
        /// How much, 0..1.
        value: f64,
    },
    /// The adaptation rules decided; the commands follow with what became of them.
    Decided(Decision),
    /// A command had its effect in the world.
    CommandApplied {
        /// The command. Boxed, as below: logs are kept in memory, and most of them is attempts.
        command: Box<Command>,
        /// For a hint: the level now shown (1 = first rung); 0 when hints were taken away.
        hint_level: Option<u8>,
    },
    /// A command was understood and not done.
    CommandRefused {
        /// The command.
        command: Box<Command>,
        /// Why.
        refusal: Refusal,
    },
    /// The lesson stands still.
    Paused {
        /// Who or what stopped it.
        by: PauseCause,
    },
    /// The lesson goes on.
    Resumed {
        /// Which cause ended.
        by: PauseCause,
    },
    /// The session is over.
    SessionEnded {
        /// Why.
        reason: EndReason,
    },
    /// The session's life took a turn that no other event tells of (break, review, intervention, link, idleness).
    LifeChanged {
        /// From where, for whoever reads the log; state follows from `cause` alone.
        from: Life,
        /// To where.
        to: Life,
        /// Why.
        cause: LifeCause,
        /// When, in time since the session began (monotone; interruptions by a crash left out).
        at: Duration,
    },
    /// Somebody who may speak for the learner agreed to something.
    ConsentGiven(Consent),
    /// Somebody who may speak for the learner does not agree, or no longer.
    ConsentWithdrawn(Withdrawal),
    /// A note to an earlier event, by whoever disputes it.
    AmendmentNoted(Amendment),
    /// The record may be kept, and nothing else be done with it, until the same actor lifts this.
    ProcessingRestricted {
        /// Who asks.
        actor: ConsentActor,
        /// On which ground.
        ground: RestrictionGround,
    },
    /// The actor's restriction ends.
    RestrictionLifted {
        /// Whose.
        actor: ConsentActor,
    },
    /// Records were shown or given to somebody outside the family.
    Disclosed(Disclosure),
    /// The frame in which the events just before this one happened: with it a replay decides the same.
    Timed(FrameTime),
}

/// When a frame was, to the nanosecond. Time is that of the program's run since the learner joined it; a frame counts
/// for no more than a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FrameTime {
    /// How many events before this one happened in the frame.
    pub events: u32,
    /// When the frame was.
    pub at_ns: u64,
    /// When the two frames before it were, the later one first.
    pub before_ns: [u64; 2],
    /// Frames since the last such event in which the learner took up what the step is about: when each was, and the
    /// frame before it.
    #[serde(default)]
    pub stirred_ns: Vec<[u64; 2]>,
}

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// A criterion of the learning events; comfort and strain are the learner's own.
    Criterion(Criterion),
    /// Mental effort: 0 is 1 on the nine-point scale (very, very low), 1 is 9 (very, very high; Paas 1992).
    Effort,
}

/// Who or what stopped a lesson. Several may hold at once; it goes on when none does.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PauseCause {
    /// The learner opened the menu.
    Learner,
    /// The instructor paused.
    Instructor,
    /// The headset is off, out of focus, or its runtime is gone.
    Runtime,
    /// The learner takes a break; only they end it.
    Break,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Every step is done.
    LessonCompleted,
    /// The learner left.
    LearnerLeft,
    /// The process was asked to stop.
    Shutdown,
    /// Nothing was done for too long.
    Idle,
    /// The link was gone for too long.
    LinkLost,
    /// The instructor ended it.
    Instructor,
}

/// One try at a step: right, wrong or partly right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Which attempt.
    pub id: AttemptId,
    /// The step it belongs to.
    pub step: StepId,
    /// The skills it is evidence for.
    pub skills: Vec<SkillId>,
    /// Whether it met the step's goal within tolerance.
    pub correct: bool,
    /// Partial credit, 0..1; 1 where `correct`.
    pub credit: f32,
    /// From entering the step, or from the attempt before, to this one, pauses left out.
    pub latency: Duration,
    /// Hint level shown at that moment; 0 = none.
    pub hints_used: u8,
    /// Distance from the target in metres, where a place was asked for.
    pub position_error: Option<f32>,
    /// Angle from the target in radians, where a rotation was asked for.
    pub rotation_error: Option<f32>,
    /// How far the hardware could be trusted at that moment. Logs from before it was measured say nothing, and count fully.
    #[serde(default)]
    pub quality: Quality,
    /// What was seen less well at that moment, because quality was given up to keep the frame rate.
    #[serde(default, skip_serializing_if = "Blurs::is_empty")]
    pub blurred: Blurs,
    /// What was seen.
    pub evidence: Evidence,
}

/// What was seen: the interaction behind an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "interaction", rename_all = "snake_case")]
pub enum Evidence {
    /// The head turned to it and stayed.
    Looked { object: ObjectId },
    /// A hand touched it.
    Touched { object: ObjectId },
    /// A hand grasped it.
    Grabbed { object: ObjectId },
    /// It was let go in, or near, a socket; `None`: nowhere.
    Placed {
        object: ObjectId,
        socket: Option<SocketId>,
    },
    /// It was let go with speed (metres per second); `hit`: what it struck first.
    Thrown {
        object: ObjectId,
        speed: f32,
        hit: Option<ObjectId>,
    },
    /// A button was pressed.
    Pressed { object: ObjectId },
    /// The learner moved by teleport; `object`: the marked spot, if one was hit.
    Teleported { object: Option<ObjectId> },
    /// A panel's question was answered with this choice (0-based).
    Answered { panel: PanelId, choice: u32 },
    /// The step's time ran out.
    TimedOut,
    /// Nothing: a developer at the desk panel pretended that the learner had tried.
    Simulated,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::event_criteria::Bounded;
    use crate::learning::strategy::check::read;
    use crate::learning::strategy::choose::{Draw, choose};
    use crate::learning::strategy::explain::explain;
    use crate::learning::strategy::feature::{Feature, View};
    use crate::learning::strategy::memory::Memory;
    use crate::learning::strategy::precedence::Principal;
    use crate::learning::strategy::table::Table;
    use crate::protocol::command::CommandBody;

    #[test]
    fn a_decision_and_its_commands_survive_the_log() {
        let table = read(Table::DEFAULT).unwrap();
        let third = Bounded {
            mean: 0.1 + 0.2,
            lower: 0.1,
            upper: 1.0 / 3.0,
            n: 9,
        };
        let view = View::default()
            .inferred(Feature::NextSuccess, Some(third))
            .concluded(Feature::EngagementDropped, Some(0.9), 1)
            .measured(Feature::SinceBreak, 1800.0);
        let draw = Some(Draw::of(u64::MAX, 0));
        let choice = choose(&table, &mut Memory::new(&table), &view, 0.1, draw);
        let decision = explain(&table, &choice, &view, &["bkt 1".to_owned()]).unwrap();
        assert_eq!(decision.chosen.len(), 2);
        for chosen in &decision.chosen {
            let body = CommandBody::from(chosen.action);
            assert!(body.lever().is_some());
            let stored = serde_json::to_string(&body).unwrap();
            assert_eq!(serde_json::from_str::<CommandBody>(&stored).unwrap(), body);
        }
        let body = EventBody::Decided(decision);
        let stored = serde_json::to_string(&body).unwrap();
        assert!(stored.starts_with(r#"{"type":"decided""#), "{stored}");
        assert_eq!(serde_json::from_str::<EventBody>(&stored).unwrap(), body);
    }

    #[test]
    fn who_asked_in_old_logs_is_read_and_ranked_as_before() {
        let read = |name: &str| serde_json::from_str::<Principal>(name).unwrap();
        let [learner, instructor, automatic] =
            [r#""learner""#, r#""instructor""#, r#""automatic""#].map(read);
        assert!(Principal::Safety < learner && learner < instructor);
        assert!(instructor < Principal::Governor && Principal::Governor < automatic);
    }
}
