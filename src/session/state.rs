//! A learner's state: the fold of their events, and nothing else.
//!
//! The same log gives the same state to the bit, on headset and host, in one go or from a snapshot and a tail.

use std::collections::BTreeMap;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::learning::bkt::{self, BktParams};
use crate::learning::skill::SkillId;
use crate::protocol::command::CommandBody;
use crate::protocol::event::{Attempt, EndReason, Event, EventBody, PauseCause};
use crate::protocol::ids::{LearnerId, LessonId, SessionId, StepId};

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
    pub skills: BTreeMap<SkillId, SkillState>,
    /// The step the learner stands before.
    pub step: Option<StepId>,
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
    /// Why the lesson stands still, in order, each once; empty: it runs.
    pub paused_by: Vec<PauseCause>,
    /// Whether the session is over …
    pub ended: bool,
    /// … and why.
    pub end_reason: Option<EndReason>,
    /// Last event folded.
    pub seq: u64,
}

/// A step done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedStep {
    /// Which.
    pub step: StepId,
    /// Passed over.
    pub skipped: bool,
}

/// What is known of one skill.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SkillState {
    /// Parameters in force, from the log.
    pub params: BktParams,
    /// P(known), 0..1.
    pub known: f64,
    /// Attempts it rests on.
    pub attempts: u32,
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
        self.take_in(event);
        Ok(())
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
                // What is known of a skill outlives the session in which it was shown.
                let before = std::mem::take(self);
                *self = Self {
                    learner: before.learner,
                    session: Some(event.session),
                    lesson: Some(lesson.clone()),
                    lesson_digest: lesson_digest.clone(),
                    seed: *seed,
                    skills: skills
                        .iter()
                        .map(|(id, params)| {
                            let state = before
                                .skills
                                .get(id)
                                .filter(|_| before.lesson.as_ref() == Some(lesson))
                                .map_or(
                                    SkillState {
                                        params: *params,
                                        known: params.prior,
                                        attempts: 0,
                                    },
                                    |kept| SkillState {
                                        params: *params,
                                        ..*kept
                                    },
                                );
                            (id.clone(), state)
                        })
                        .collect(),
                    seq: before.seq,
                    ..Self::default()
                };
            }
            EventBody::SessionResumed => {
                // The headset's and the instructor's pauses belonged to the life before.
                self.paused_by.clear();
            }
            EventBody::StepEntered { step } => {
                self.step = Some(step.clone());
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
            EventBody::Attempted(attempt) => self.learn_from(attempt),
            EventBody::CommandApplied {
                command,
                hint_level,
            } => match command.body {
                CommandBody::GiveHint { .. } => {
                    self.hint_level = hint_level.unwrap_or(self.hint_level);
                }
                CommandBody::FadeHint => self.hint_level = hint_level.unwrap_or(0),
                // Their own events follow, or they change nothing that is folded.
                _ => {}
            },
            EventBody::Decided(_) | EventBody::CommandRefused { .. } => {}
            EventBody::Paused { by } => {
                if let Err(place) = self.paused_by.binary_search(by) {
                    self.paused_by.insert(place, *by);
                }
            }
            EventBody::Resumed { by } => {
                self.paused_by.retain(|cause| cause != by);
            }
            EventBody::SessionEnded { reason } => {
                self.ended = true;
                self.end_reason = Some(*reason);
                self.step = None;
            }
        }
    }

    fn learn_from(&mut self, attempt: &Attempt) {
        self.attempts += 1;
        if attempt.correct {
            self.correct += 1;
        } else {
            self.failures_on_step += 1;
        }
        for id in &attempt.skills {
            if let Some(skill) = self.skills.get_mut(id) {
                let params = attempt.quality.weigh(&skill.params, attempt.correct);
                skill.known = bkt::update(skill.known, attempt.correct, &params);
                skill.attempts += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::learning::quality::Quality;
    use crate::protocol::command::{Command, Principal, Refusal};
    use crate::protocol::event::Evidence;
    use crate::protocol::ids::{AttemptId, CommandId, ObjectId};

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
                evidence: Evidence::Grabbed {
                    object: ObjectId::new("cube"),
                },
            })
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
                purpose: "the learner hesitates".to_owned(),
                body,
            };
            if applied {
                EventBody::CommandApplied {
                    command,
                    hint_level,
                }
            } else {
                EventBody::CommandRefused {
                    command,
                    refusal: Refusal::NoStep,
                }
            }
        })
    }

    fn body() -> impl Strategy<Value = EventBody> {
        let cause = prop_oneof![
            Just(PauseCause::Learner),
            Just(PauseCause::Instructor),
            Just(PauseCause::Runtime),
        ];
        prop_oneof![
            1 => started(),
            1 => Just(EventBody::SessionResumed),
            3 => step().prop_map(|step| EventBody::StepEntered { step }),
            2 => (step(), any::<bool>())
                .prop_map(|(step, skipped)| EventBody::StepCompleted { step, skipped }),
            8 => attempted(),
            2 => commanded(),
            2 => cause.clone().prop_map(|by| EventBody::Paused { by }),
            2 => cause.prop_map(|by| EventBody::Resumed { by }),
            1 => Just(EventBody::SessionEnded { reason: EndReason::LearnerLeft }),
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
                    at_unix_ms: 1_793_500_000_000 + seq,
                    learner,
                    session,
                    body,
                })
                .collect()
        })
    }

    /// Bits, not values: 0 and -0 are equal and NaN is not even equal to itself.
    fn bits(state: &LearnerState) -> Vec<(&SkillId, [u64; 6], u32)> {
        state
            .skills
            .iter()
            .map(|(id, skill)| {
                let params = skill.params;
                let numbers = [
                    skill.known,
                    params.prior,
                    params.learn,
                    params.slip,
                    params.guess,
                    params.forget,
                ];
                (id, numbers.map(f64::to_bits), skill.attempts)
            })
            .collect()
    }

    proptest! {
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
