//! What the five models make of a log.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::learning::event::{Activity, Place};
use crate::learning::quality::Quality;
use crate::protocol::event::{Event, EventBody};
use crate::protocol::ids::{AttemptId, LearnerId, ObjectId, SessionId};
use crate::session::state::LearnerState;

/// A log that is written as it goes.
struct Log {
    state: LearnerState,
    learner: LearnerId,
    session: SessionId,
    at_unix_ms: u64,
}

impl Log {
    fn new() -> Self {
        let mut log = Self {
            state: LearnerState::default(),
            learner: LearnerId::fresh(),
            session: SessionId::fresh(),
            at_unix_ms: 1_795_000_000_000,
        };
        log.start("sorting");
        log
    }

    fn happen(&mut self, body: EventBody) {
        let event = Event {
            seq: self.state.seq + 1,
            at_unix_ms: self.at_unix_ms,
            learner: self.learner,
            session: self.session,
            body,
        };
        self.state.fold(&event).unwrap();
    }

    fn start(&mut self, lesson: &str) {
        self.happen(EventBody::SessionStarted {
            lesson: LessonId::new(lesson),
            lesson_digest: "0".to_owned(),
            seed: 1,
            skills: BTreeMap::from([(skill(), BktParams::default())]),
            protocol: 1,
        });
    }

    fn attempt(&mut self, correct: bool, quality: Quality) {
        self.attempt_with(0, correct, quality);
    }

    fn attempt_with(&mut self, hints_used: u8, correct: bool, quality: Quality) {
        self.happen(EventBody::Attempted(Attempt {
            id: AttemptId::fresh(),
            step: StepId::new("sort-it"),
            skills: vec![skill()],
            correct,
            credit: f32::from(u8::from(correct)),
            latency: Duration::from_secs(4),
            hints_used,
            position_error: None,
            rotation_error: None,
            quality,
            blurred: Default::default(),
            evidence: Evidence::Grabbed {
                object: ObjectId::new("cube"),
            },
        }));
    }

    fn moments(&mut self, how_many: u32) {
        for _ in 0..how_many {
            let moment = Moment {
                dt: Duration::from_secs(5),
                ready: true,
                ..Moment::default()
            };
            self.happen(EventBody::Observed {
                moment: Box::new(moment),
            });
        }
    }

    fn skill(&self, lesson: &str) -> Skill {
        let lesson = LessonId::new(lesson);
        *self.state.models.skill(&lesson, &skill()).unwrap()
    }
}

fn skill() -> SkillId {
    SkillId::new("sort")
}

#[test]
fn success_raises_what_is_believed_and_bad_hardware_lowers_nothing() {
    let mut log = Log::new();
    let before = log.skill("sorting");
    log.attempt(true, Quality::PERFECT);
    let after = log.skill("sorting");
    assert!(after.known.mean > before.known.mean && after.ability.mean > before.ability.mean);
    let lost = Quality {
        frame_health: 0.0,
        tracking: 0.0,
    };
    log.attempt(false, lost);
    let blamed = log.skill("sorting");
    assert_eq!(blamed.known, after.known);
    assert_eq!(blamed.ability, after.ability);
}

#[test]
fn a_success_that_the_last_hint_told_is_practice_and_no_proof() {
    let after = |hints_used| {
        let mut log = Log::new();
        log.happen(EventBody::StepEntered {
            step: StepId::new("sort-it"),
            event: None,
            hints: 3,
        });
        log.attempt_with(hints_used, true, Quality::PERFECT);
        log.skill("sorting")
    };
    let (alone, told) = (after(0), after(3));
    let p = BktParams::default();
    let practised = p.prior + (1.0 - p.prior) * p.learn;
    assert!((told.known.mean - practised).abs() < 1e-9, "{told:?}");
    assert!(alone.known.mean > told.known.mean);
    assert!(alone.ability.mean > told.ability.mean);
}

#[test]
fn what_is_known_outlives_the_session_and_another_lesson() {
    let mut log = Log::new();
    log.attempt(true, Quality::PERFECT);
    log.attempt(true, Quality::PERFECT);
    let known = log.skill("sorting").known;
    log.start("knots");
    // The same word in another lesson is another skill.
    assert!(log.skill("knots").known.mean < known.mean);
    log.start("sorting");
    assert_eq!(log.skill("sorting").known, known);
}

#[test]
fn who_was_away_is_known_less_surely_and_no_worse() {
    let mut log = Log::new();
    log.attempt(true, Quality::PERFECT);
    let before = log.skill("sorting").ability;
    assert!(log.state.models.due_after(0).is_empty());
    assert_eq!(
        log.state.models.due_after(90 * 86_400_000),
        [(&LessonId::new("sorting"), &skill())]
    );
    log.at_unix_ms += 90 * 86_400_000;
    log.happen(EventBody::SessionResumed);
    let after = log.skill("sorting").ability;
    assert_eq!(after.mean.to_bits(), before.mean.to_bits());
    assert!(after.variance > before.variance);
    assert!(log.state.models.five().review_due());
    assert!(log.state.models.due_after(0).len() == 1);
    // A clock set back is no time passed, and no reason to fail.
    log.at_unix_ms -= 365 * 86_400_000;
    log.happen(EventBody::SessionResumed);
    assert_eq!(log.skill("sorting").ability, after);
}

#[test]
fn nobody_advances_without_having_shown_anything() {
    let mut log = Log::new();
    log.moments(500);
    let place = log.state.models.five().chart().place();
    assert_eq!(
        place,
        Place::In(LearningEvent::Onboarding, Activity::Active)
    );
}

#[test]
fn who_shows_it_all_and_says_they_are_well_leaves_onboarding() {
    let mut log = Log::new();
    for _ in 0..60 {
        for evidence in [
            Evidence::Touched {
                object: ObjectId::new("cube"),
            },
            Evidence::Teleported { object: None },
            Evidence::Answered {
                panel: crate::protocol::ids::PanelId::new("question"),
                choice: 0,
            },
        ] {
            log.happen(EventBody::Attempted(Attempt {
                id: AttemptId::fresh(),
                step: StepId::new("look-and-touch"),
                skills: vec![skill()],
                correct: true,
                credit: 1.0,
                latency: Duration::from_secs(3),
                hints_used: 0,
                position_error: None,
                rotation_error: None,
                quality: Quality::PERFECT,
                blurred: Default::default(),
                evidence,
            }));
        }
    }
    log.moments(20);
    let onboarding = Place::In(LearningEvent::Onboarding, Activity::Active);
    // Nobody has asked how they are.
    assert_eq!(log.state.models.five().chart().place(), onboarding);
    log.happen(EventBody::Told {
        by: crate::protocol::command::Principal::Learner,
        about: Told::Criterion(Criterion::Comfort),
        value: 1.0,
    });
    log.moments(20);
    let introduction = Place::In(LearningEvent::Introduction, Activity::Active);
    assert_eq!(log.state.models.five().chart().place(), introduction);
}

#[test]
fn who_begins_the_same_lesson_has_the_same_parameters_once() {
    let mut alike = Alike::default();
    let mut class: Vec<Log> = (0..3).map(|_| Log::new()).collect();
    class[2].start("stacking");
    for one in &mut class {
        one.state.models.share(&mut alike);
    }
    let params = |of: usize| &class[of].state.models.params;
    assert!(Arc::ptr_eq(params(0), params(1)));
    assert!(!Arc::ptr_eq(params(0), params(2)), "another lesson");
    let before = params(1).clone();
    class[0].start("stacking");
    class[0].state.models.share(&mut alike);
    let params = |of: usize| &class[of].state.models.params;
    assert_eq!(*params(1), before, "what one begins is the other's not");
    assert!(Arc::ptr_eq(params(1), &before));
    assert!(Arc::ptr_eq(params(0), params(2)));
}

#[test]
fn shared_parameters_are_written_as_if_they_were_ones_own() {
    let mut alike = Alike::default();
    let [mut one, mut other] = [Log::new(), Log::new()];
    let alone = serde_json::to_value(&*one.state.models).unwrap();
    for log in [&mut one, &mut other] {
        log.state.models.share(&mut alike);
    }
    assert_eq!(serde_json::to_value(&*other.state.models).unwrap(), alone);
    let back: Models = serde_json::from_value(alone).unwrap();
    assert_eq!(back, *one.state.models);
}
