//! A learner's state: the fold of their events, and nothing else.
//!
//! The same log gives the same state to the bit, on headset and host, in one go or from a snapshot and a tail.

use std::collections::BTreeSet;
use std::time::Duration;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::adapted::Adapted;
use super::life::{LifeLine, cause_of};
use super::models::{Models, Where};
use crate::learning::event::LearningEvent;
use crate::learning::skill::SkillId;
use crate::protocol::command::CommandBody;
use crate::protocol::event::{Attempt, EndReason, Event, EventBody, PauseCause};
use crate::protocol::ids::{LearnerId, LessonId, SessionId, StepId};
use crate::protocol::life::{Life, LifeCause};
use crate::protocol::teaching::{Preferences, TelemetryLevel};
use crate::record::consent::Consents;
use crate::record::rights::Rights;

/// What the log says about a learner.
#[derive(Component, Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LearnerState {
    /// Whose; `None` before the first event.
    pub learner: Option<LearnerId>,
    /// The running or last session.
    pub session: Option<SessionId>,
    /// Its lesson.
    pub lesson: Option<LessonId>,
    /// Digest of the edition that was begun.
    pub lesson_digest: String,
    /// Seed of the learner's generator.
    pub seed: u64,
    /// Skills of the lesson.
    pub skills: BTreeSet<SkillId>,
    /// What the five models believe, over all sessions and lessons. Boxed: it is many times larger than the rest.
    pub models: Box<Models>,
    /// The step the learner stands before.
    pub step: Option<StepId>,
    /// Which phase of learning that step belongs to, where the log says so.
    pub event: Option<LearningEvent>,
    /// Rungs of its hint ladder.
    pub hints: u8,
    /// Steps done in this session, in order.
    pub completed: Vec<CompletedStep>,
    /// Hint level shown; 0 = none.
    pub hint_level: u8,
    /// Wrong attempts on the running step.
    pub failures_on_step: u32,
    /// Attempts in this session.
    pub attempts: u32,
    /// Right ones among them.
    pub correct: u32,
    /// How the lesson is adapted.
    pub adapted: Adapted,
    /// Decisions of the adaptation rules in this learner's whole log.
    pub decisions: u64,
    /// The session's life.
    #[serde(default)]
    pub life: LifeLine,
    /// As `life` has it: why the lesson stands still, in order, each once.
    pub paused_by: Vec<PauseCause>,
    /// As `life` has it: whether the session is over …
    pub ended: bool,
    /// … and why.
    pub end_reason: Option<EndReason>,
    /// What was agreed to, over all sessions.
    #[serde(default)]
    pub consents: Consents,
    /// What was restricted, noted and disclosed, over all sessions.
    #[serde(default)]
    pub rights: Rights,
    /// How the learner likes it, over all sessions.
    #[serde(default)]
    pub preferences: Preferences,
    /// How much is told outside, over all sessions.
    #[serde(default)]
    pub telemetry: TelemetryLevel,
    /// Last event folded.
    pub seq: u64,
    /// Its wall-clock time, milliseconds since the Unix epoch: how long a learner was away.
    pub at_unix_ms: u64,
}

/// A step done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedStep {
    /// Which.
    pub step: StepId,
    /// Passed over.
    pub skipped: bool,
}

/// Why an event cannot follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// Another learner's event.
    #[error("event {seq} belongs to learner {found}, not to {expected}")]
    ForeignLearner {
        /// Place in the log.
        seq: u64,
        /// Whose log this is.
        expected: LearnerId,
        /// Whose event it is.
        found: LearnerId,
    },
    /// A gap or a repetition.
    #[error("after event {last} comes {found}: the log has a gap or a repetition")]
    OutOfOrder {
        /// Last event folded.
        last: u64,
        /// What came.
        found: u64,
    },
}

impl LearnerState {
    /// The state after all `events`.
    ///
    /// # Errors
    /// [`FoldError`] at the first event that cannot follow.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Self, FoldError> {
        let mut state = Self::default();
        for event in events {
            state.fold(event)?;
        }
        Ok(state)
    }

    /// Whether the lesson stands still.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        !self.paused_by.is_empty()
    }

    /// Takes in the next event.
    ///
    /// # Errors
    /// [`FoldError`]; the state is then unchanged.
    pub fn fold(&mut self, event: &Event) -> Result<(), FoldError> {
        if let Some(expected) = self.learner
            && expected != event.learner
        {
            return Err(FoldError::ForeignLearner {
                seq: event.seq,
                expected,
                found: event.learner,
            });
        }
        if event.seq != self.seq + 1 {
            return Err(FoldError::OutOfOrder {
                last: self.seq,
                found: event.seq,
            });
        }
        self.seq = event.seq;
        self.learner = Some(event.learner);
        let away = matches!(
            event.body,
            EventBody::SessionStarted { .. } | EventBody::SessionResumed
        );
        if away || self.is_paused() {
            let passed = event.at_unix_ms.saturating_sub(self.at_unix_ms);
            self.models.rested(passed);
        }
        self.take_in(event);
        self.consents.take_in(event);
        self.rights.take_in(event);
        self.live_on(event);
        self.at_unix_ms = event.at_unix_ms;
        Ok(())
    }

    /// Where the running or last session is in its life.
    #[must_use]
    pub fn life(&self) -> Life {
        self.life.life()
    }

    /// Turns that are not admitted (in a log of before they were guarded) lead nowhere.
    fn live_on(&mut self, event: &Event) {
        let cause = match &event.body {
            EventBody::Attempted(_) => Some(LifeCause::Stirred),
            body => cause_of(body),
        };
        let at = match &event.body {
            EventBody::LifeChanged { at, .. } => *at,
            _ => Duration::ZERO,
        };
        let Some(cause) = cause else { return };
        if self.life.take(cause, at).is_ok() {
            self.paused_by.clear();
            self.paused_by.extend_from_slice(self.life.paused_by());
            self.end_reason = self.life.ended();
            self.ended = self.end_reason.is_some();
        }
    }

    fn take_in(&mut self, event: &Event) {
        match &event.body {
            EventBody::SessionStarted {
                lesson,
                lesson_digest,
                seed,
                skills,
                protocol: _,
            } => {
                // What is known of a learner outlives the session in which it was shown.
                let mut before = std::mem::take(self);
                before.models.begin(lesson, skills.iter());
                before.be_away_until(event.at_unix_ms);
                *self = Self {
                    learner: before.learner,
                    session: Some(event.session),
                    lesson: Some(lesson.clone()),
                    lesson_digest: lesson_digest.clone(),
                    seed: *seed,
                    skills: skills.keys().cloned().collect(),
                    models: before.models,
                    decisions: before.decisions,
                    consents: before.consents,
                    rights: before.rights,
                    preferences: before.preferences,
                    telemetry: before.telemetry,
                    seq: before.seq,
                    ..Self::default()
                };
            }
            EventBody::SessionResumed => self.be_away_until(event.at_unix_ms),
            EventBody::StepEntered {
                step,
                event: phase,
                hints,
            } => {
                self.step = Some(step.clone());
                self.event = *phase;
                self.hints = *hints;
                self.adapted.step_entered();
                self.failures_on_step = 0;
                self.hint_level = 0;
            }
            EventBody::StepCompleted { step, skipped } => {
                self.completed.push(CompletedStep {
                    step: step.clone(),
                    skipped: *skipped,
                });
                if self.step.as_ref() == Some(step) {
                    self.step = None;
                    self.hint_level = 0;
                    self.failures_on_step = 0;
                }
            }
            EventBody::Attempted(attempt) => self.learn_from(event.seq, attempt),
            EventBody::Observed { moment } => self.models.observed(moment),
            EventBody::Told { about, value, .. } => {
                self.models.told(*about, *value);
                self.adapted.told(*about);
            }
            EventBody::CommandApplied {
                command,
                hint_level,
            } => {
                self.adapted.carried_out(event.seq, command);
                match command.body {
                    CommandBody::GiveHint { .. } => {
                        self.hint_level = hint_level.unwrap_or(self.hint_level);
                    }
                    CommandBody::FadeHint => self.hint_level = hint_level.unwrap_or(0),
                    CommandBody::SetPreferences { patch } => {
                        self.preferences = patch.upon(&self.preferences);
                    }
                    CommandBody::SetTelemetry { level } => self.telemetry = level,
                    CommandBody::OverrideStage { event, seconds } => {
                        let hold = Duration::from_secs(u64::from(seconds));
                        self.models.stand_at(event, hold);
                    }
                    // Their own events follow.
                    _ => {}
                }
            }
            EventBody::Decided(decision) => self.decisions = decision.number + 1,
            EventBody::SessionEnded { .. } => self.step = None,
            EventBody::CommandRefused { .. }
            | EventBody::Paused { .. }
            | EventBody::Resumed { .. }
            | EventBody::LifeChanged { .. }
            // They change what may be done with the record, not where the learner stands.
            | EventBody::ConsentGiven(_)
            | EventBody::ConsentWithdrawn(_)
            | EventBody::AmendmentNoted(_)
            | EventBody::ProcessingRestricted { .. }
            | EventBody::RestrictionLifted { .. }
            | EventBody::Disclosed(_)
            | EventBody::Timed(_) => {}
        }
    }

    /// Time between two events in which no lesson ran.
    fn be_away_until(&mut self, at_unix_ms: u64) {
        // Before the first event there is nowhere to be away from.
        if self.at_unix_ms > 0 {
            self.models.away(at_unix_ms.saturating_sub(self.at_unix_ms));
        }
    }

    fn learn_from(&mut self, seq: u64, attempt: &Attempt) {
        if let Some(lesson) = &self.lesson {
            let at = Where {
                lesson,
                event: self.event,
                hints: self.hints,
                failures: self.failures_on_step,
                harder: self.adapted.logits(),
            };
            self.models.attempted(seq, attempt, &at);
        }
        self.attempts += 1;
        if self.adapted.checks(&attempt.step) {
            // Beside the steps: nothing that the running step counts.
            self.adapted.check_no_more(&attempt.step);
            self.correct += u32::from(attempt.correct);
        } else if attempt.correct {
            self.correct += 1;
        } else {
            self.failures_on_step += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::learning::bkt::BktParams;
    use crate::learning::engagement::Stretch;
    use crate::learning::event_criteria::Criterion;
    use crate::learning::five::observation::Moment;
    use crate::learning::load::window::{LoadMotion, LoadWindow};
    use crate::learning::quality::Quality;
    use crate::protocol::command::{Command, Principal, Refusal};
    use crate::protocol::consent::{
        Consent, ConsentActor, ConsentEvidence, ConsentMethod, ConsentScope, Withdrawal,
    };
    use crate::protocol::event::{Evidence, Told};
    use crate::protocol::ids::{AttemptId, CommandId, ObjectId};
    use crate::protocol::privacy::{
        Amendment, DataClass, Disclosure, Purpose, RestrictionGround, Role,
    };

    /// A chance in a million steps, so that not every one is a short binary fraction.
    fn chance(upper: u32) -> impl Strategy<Value = f64> {
        (1..upper).prop_map(|millionths| f64::from(millionths) / 1e6)
    }

    fn skill() -> impl Strategy<Value = SkillId> {
        "[a-d]".prop_map(SkillId::new)
    }

    fn step() -> impl Strategy<Value = StepId> {
        "[a-c]".prop_map(StepId::new)
    }

    fn params() -> impl Strategy<Value = BktParams> {
        let forget = prop_oneof![Just(0.0), chance(100_000)];
        (
            chance(999_999),
            chance(900_000),
            chance(300_000),
            chance(300_000),
            forget,
        )
            .prop_map(|(prior, learn, slip, guess, forget)| BktParams {
                prior,
                learn,
                slip,
                guess,
                forget,
            })
    }

    fn started() -> impl Strategy<Value = EventBody> {
        let skills = prop::collection::btree_map(skill(), params(), 0..4);
        ("[xy]", any::<u64>(), skills).prop_map(|(lesson, seed, skills)| {
            EventBody::SessionStarted {
                lesson: LessonId::new(lesson),
                lesson_digest: format!("{seed:x}"),
                seed,
                skills,
                protocol: 1,
            }
        })
    }

    /// Perfect, and anything worse.
    fn quality() -> impl Strategy<Value = Quality> {
        let share = || prop_oneof![Just(1.0), chance(1_000_000)];
        (share(), share()).prop_map(|(frame_health, tracking)| Quality {
            frame_health,
            tracking,
        })
    }

    fn attempted() -> impl Strategy<Value = EventBody> {
        let skills = prop::collection::vec(skill(), 0..3);
        let drawn = (step(), skills, any::<bool>(), 0.0_f32..1.0, quality());
        drawn.prop_map(|(step, skills, correct, credit, quality)| {
            EventBody::Attempted(Attempt {
                id: AttemptId::fresh(),
                step,
                skills,
                correct,
                credit,
                latency: Duration::from_millis(700),
                hints_used: 0,
                position_error: Some(0.013),
                rotation_error: None,
                quality,
                blurred: Default::default(),
                evidence: Evidence::Grabbed {
                    object: ObjectId::new("cube"),
                },
            })
        })
    }

    fn entered() -> impl Strategy<Value = EventBody> {
        let event = prop::option::of(prop::sample::select(LearningEvent::ALL.to_vec()));
        (step(), event, 0_u8..4).prop_map(|(step, event, hints)| EventBody::StepEntered {
            step,
            event,
            hints,
        })
    }

    fn observed() -> impl Strategy<Value = EventBody> {
        let share = || prop::option::of(chance(1_000_000));
        let motion = (share(), share()).prop_map(|(turning, entropy)| LoadMotion {
            jerk: entropy.map(|share| -5.0 - 3.0 * share),
            head_turning: turning,
            head_entropy: entropy,
            head_returns: turning.map(|share| 60.0 * share),
        });
        let window =
            (share(), share(), prop::option::of(motion)).prop_map(|(hesitation, path, motion)| {
                LoadWindow {
                    interval: path.map(|share| 0.1 + 9.0 * share),
                    interval_spread: path,
                    hesitation: hesitation.map(|share| 3.0 * share),
                    path: path.map(|share| 1.0 + share),
                    motion,
                }
            });
        let window = prop::option::of(window);
        (share(), share(), share(), quality(), any::<bool>(), window).prop_map(
            |(on_task, head_on_task, path_efficiency, quality, ready, window)| {
                EventBody::Observed {
                    moment: Box::new(Moment {
                        window,
                        dt: Duration::from_millis(5013),
                        stretch: Some(Stretch {
                            seconds: 5.013,
                            on_task,
                            head_on_task,
                            path_efficiency,
                            between_actions: on_task.map(|share| 7.0 * share),
                            quality,
                        }),
                        ready,
                        ..Moment::default()
                    }),
                }
            },
        )
    }

    fn told() -> impl Strategy<Value = EventBody> {
        let about = prop_oneof![
            Just(Told::Criterion(Criterion::Comfort)),
            Just(Told::Criterion(Criterion::Creativity)),
            Just(Told::Effort),
        ];
        (about, chance(1_000_000)).prop_map(|(about, value)| EventBody::Told {
            by: Principal::Learner,
            about,
            value,
        })
    }

    fn commanded() -> impl Strategy<Value = EventBody> {
        let body = prop_oneof![
            Just(CommandBody::GiveHint { level: None }),
            Just(CommandBody::FadeHint),
            Just(CommandBody::Pause),
        ];
        let level = prop::option::of(0_u8..4);
        (body, level, any::<bool>()).prop_map(|(body, hint_level, applied)| {
            let command = Command {
                id: CommandId::fresh(),
                learner: LearnerId::fresh(),
                principal: Principal::Instructor,
                asker: None,
                purpose: "the learner hesitates".to_owned(),
                body,
                trace: None,
            };
            if applied {
                EventBody::CommandApplied {
                    command: Box::new(command),
                    hint_level,
                }
            } else {
                EventBody::CommandRefused {
                    command: Box::new(command),
                    refusal: Refusal::NoStep,
                }
            }
        })
    }

    fn turn() -> impl Strategy<Value = LifeCause> {
        prop_oneof![
            Just(LifeCause::InterventionBegan),
            Just(LifeCause::InterventionEnded),
            Just(LifeCause::ReviewBegan),
            Just(LifeCause::ReviewEnded),
            Just(LifeCause::LinkLost),
            Just(LifeCause::LinkBack),
            Just(LifeCause::WentIdle),
            Just(LifeCause::Stirred),
        ]
    }

    fn actor() -> impl Strategy<Value = ConsentActor> {
        prop::sample::select(vec![
            ConsentActor::Learner,
            ConsentActor::Guardian,
            ConsentActor::School,
        ])
    }

    /// Consents, refusals, restrictions, notes and disclosures.
    fn about_rights() -> impl Strategy<Value = EventBody> {
        let scopes = || prop::sample::subsequence(ConsentScope::ALL.to_vec(), 1..4);
        prop_oneof![
            (scopes(), actor(), prop::option::of(any::<u64>())).prop_map(
                |(scopes, actor, until_unix_ms)| EventBody::ConsentGiven(Consent {
                    scopes: scopes.into_iter().collect(),
                    text_version: "1".to_owned(),
                    actor,
                    evidence: ConsentEvidence {
                        method: ConsentMethod::SignedForm,
                        reference: Some("form 12".to_owned()),
                    },
                    until_unix_ms,
                })
            ),
            (scopes(), actor()).prop_map(|(scopes, actor)| EventBody::ConsentWithdrawn(
                Withdrawal {
                    scopes: scopes.into_iter().collect(),
                    actor,
                }
            )),
            actor().prop_map(|actor| EventBody::ProcessingRestricted {
                actor,
                ground: RestrictionGround::Objection,
            }),
            actor().prop_map(|actor| EventBody::RestrictionLifted { actor }),
            (1_u64..9, actor()).prop_map(|(about_seq, actor)| EventBody::AmendmentNoted(
                Amendment {
                    about_seq,
                    note: "the controller had lost tracking".to_owned(),
                    actor,
                }
            )),
            Just(EventBody::Disclosed(Disclosure {
                to: Role::Researcher,
                party: "a study".to_owned(),
                purpose: Purpose::Research,
                data: [DataClass::Attempts].into(),
            })),
        ]
    }

    fn body() -> impl Strategy<Value = EventBody> {
        let cause = prop_oneof![
            Just(PauseCause::Learner),
            Just(PauseCause::Instructor),
            Just(PauseCause::Runtime),
            Just(PauseCause::Break),
        ];
        prop_oneof![
            1 => started(),
            1 => Just(EventBody::SessionResumed),
            3 => entered(),
            3 => observed(),
            1 => told(),
            2 => (step(), any::<bool>())
                .prop_map(|(step, skipped)| EventBody::StepCompleted { step, skipped }),
            8 => attempted(),
            2 => commanded(),
            2 => cause.clone().prop_map(|by| EventBody::Paused { by }),
            2 => cause.prop_map(|by| EventBody::Resumed { by }),
            2 => (turn(), 0_u64..10_000).prop_map(|(cause, at)| EventBody::LifeChanged {
                from: Life::Active,
                to: Life::Active,
                cause,
                at: Duration::from_millis(at),
            }),
            1 => Just(EventBody::SessionEnded { reason: EndReason::LearnerLeft }),
            4 => about_rights(),
        ]
    }

    /// Any log that begins with a session.
    fn log() -> impl Strategy<Value = Vec<Event>> {
        (started(), prop::collection::vec(body(), 0..60)).prop_map(|(first, rest)| {
            let (learner, session) = (LearnerId::fresh(), SessionId::fresh());
            std::iter::once(first)
                .chain(rest)
                .zip(1..)
                .map(|(body, seq)| Event {
                    seq,
                    // A quarter of a day and a bit.
                    at_unix_ms: 1_793_500_000_000 + seq * 21_600_017,
                    learner,
                    session,
                    body,
                })
                .collect()
        })
    }

    /// Bits, not values: 0 and -0 are equal and NaN is not even equal to itself.
    fn bits(state: &LearnerState) -> Vec<u64> {
        let five = state.models.five();
        let skills = state.models.skills().flat_map(|(.., skill)| {
            let (known, ability) = (skill.known, skill.ability);
            [
                known.mean,
                known.lower,
                known.upper,
                ability.mean,
                ability.variance,
            ]
        });
        let (index, weights) = (five.index(), five.weights());
        let rest = [
            index.value,
            index.lower,
            index.upper,
            five.day(),
            weights.learner(),
            weights.knowledge(),
            weights.engagement(),
            weights.assessment(),
        ];
        skills.chain(rest).map(f64::to_bits).collect()
    }

    proptest! {
        #[test]
        fn consents_and_rights_outlive_sessions_and_are_the_fold_of_the_whole_log(log in log()) {
            let state = LearnerState::of(&log).unwrap();
            prop_assert_eq!(&state.consents, &Consents::of(&log));
            prop_assert_eq!(&state.rights, &Rights::of(&log));
        }

        #[test]
        fn pauses_and_ends_are_told_as_the_life_has_them(log in log()) {
            let mut state = LearnerState::default();
            for event in &log {
                state.fold(event).unwrap();
                prop_assert_eq!(&state.paused_by[..], state.life.paused_by());
                prop_assert_eq!(state.end_reason, state.life.ended());
                prop_assert_eq!(state.ended, matches!(state.life(), Life::Ended { .. }));
            }
        }

        #[test]
        fn a_snapshot_and_the_tail_give_the_state_of_the_whole_log_to_the_bit(
            log in log(),
            cut in any::<prop::sample::Index>(),
        ) {
            let whole = LearnerState::of(&log).unwrap();
            let (head, tail) = log.split_at(cut.index(log.len() + 1));
            // The snapshot went over the wire or lay on a disk.
            let snapshot = serde_json::to_vec(&LearnerState::of(head).unwrap()).unwrap();
            let mut state: LearnerState = serde_json::from_slice(&snapshot).unwrap();
            for event in tail {
                state.fold(event).unwrap();
            }
            prop_assert_eq!(bits(&state), bits(&whole));
            prop_assert_eq!(state, whole);
        }

        #[test]
        fn a_log_that_was_written_and_read_gives_the_same_state_to_the_bit(log in log()) {
            let text = serde_json::to_vec(&log).unwrap();
            let read: Vec<Event> = serde_json::from_slice(&text).unwrap();
            let (before, after) = (LearnerState::of(&log).unwrap(), LearnerState::of(&read).unwrap());
            prop_assert_eq!(bits(&after), bits(&before));
            prop_assert_eq!(after, before);
        }

        #[test]
        fn an_event_left_out_or_told_twice_is_refused(
            log in log(),
            place in any::<prop::sample::Index>(),
        ) {
            let place = place.index(log.len());
            let mut twice = log.clone();
            twice.insert(place, log[place].clone());
            prop_assert!(LearnerState::of(&twice).is_err());
            let mut without = log;
            without.remove(place);
            // A log without its last event is a shorter log, and only the store can know.
            prop_assert_eq!(LearnerState::of(&without).is_err(), place < without.len());
        }
    }
}
