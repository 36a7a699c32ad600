//! What is known of a learner at a moment, with where it comes from.
//!
//! In: the fold of the log, the five models, what was measured meanwhile. Out: [`Fields`]. What isn't there is absent,
//! and what a model says without an interval is not said.

use crate::learning::estimate::Z_95;
use crate::learning::event_criteria::{Bounded, Criterion};
use crate::learning::five::observation::Moment;
use crate::learning::quality::Quality;
use crate::protocol::sample::{Field, Fields, Signal, SignalSet};
use crate::session::state::LearnerState;

/// What a headset should measure all the time. What there is only now and then (a carried thing's path, a rating) is
/// not missing when it isn't there.
pub const HEADSET: SignalSet = SignalSet::of(&[
    Signal::Attempts,
    Signal::SuccessRate,
    Signal::FailuresOnStep,
    Signal::StepsDone,
    Signal::HintLevel,
    Signal::OnTask,
    Signal::HeadOnTask,
    Signal::BetweenActions,
    Signal::ResponseTime,
    Signal::HeadMotion,
    Signal::FrameHealth,
    Signal::Tracking,
]);

/// What a desktop should: no head to follow, no frames that must be in time.
pub const DESKTOP: SignalSet = SignalSet::of(&[
    Signal::Attempts,
    Signal::SuccessRate,
    Signal::FailuresOnStep,
    Signal::StepsDone,
    Signal::HintLevel,
    Signal::OnTask,
    Signal::BetweenActions,
    Signal::ResponseTime,
]);

/// What the models say of the step that runs, which the log alone doesn't tell.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OfStep {
    /// Probability that its weakest skill is mastered.
    pub mastery: Option<Bounded>,
    /// Probability that the next attempt succeeds.
    pub next_success: Option<Bounded>,
}

/// What is known beside the fold of the log. `None`: nothing is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meanwhile<'a> {
    /// What the models say of the running step.
    pub of_step: Option<OfStep>,
    /// What was measured since the sample before.
    pub moment: Option<&'a Moment>,
    /// Frames and tracking, where there are any.
    pub quality: Option<Quality>,
}

/// The figures of a learner.
#[must_use]
pub fn fields_of(state: &LearnerState, meanwhile: &Meanwhile) -> Fields {
    let mut fields = Fields::default();
    let mut measured = |signal, value| fields.set(signal, Field::measured(value));
    let rate = f64::from(state.correct) / f64::from(state.attempts);
    measured(Signal::Attempts, Some(state.attempts.into()));
    // Of no attempts there is no rate.
    measured(Signal::SuccessRate, (state.attempts > 0).then_some(rate));
    measured(Signal::FailuresOnStep, Some(state.failures_on_step.into()));
    measured(Signal::StepsDone, Some(state.completed.len() as f64));
    measured(Signal::HintLevel, Some(state.hint_level.into()));
    let (five, p) = (state.models.five(), state.models.params());
    let recent = five.recent();
    measured(Signal::RecentSuccess, recent.success(1));
    measured(Signal::RecentHints, recent.hinted(1));
    measured(Signal::ErrorRun, recent.longest_error_run(1));
    if let Some(moment) = meanwhile.moment {
        if let Some(stretch) = &moment.stretch {
            measured(Signal::OnTask, stretch.on_task);
            measured(Signal::HeadOnTask, stretch.head_on_task);
            measured(Signal::PathEfficiency, stretch.path_efficiency);
            measured(Signal::BetweenActions, stretch.between_actions);
        }
        measured(Signal::ResponseTime, moment.load.response_time);
        measured(Signal::Hesitation, moment.load.hesitation);
        measured(Signal::Detour, moment.load.path);
        measured(Signal::HeadMotion, moment.load.head_motion);
        measured(Signal::OwnRating, moment.load.own_rating);
    }
    if let Some(quality) = meanwhile.quality {
        measured(Signal::FrameHealth, Some(quality.frame_health));
        measured(Signal::Tracking, Some(quality.tracking));
    }
    let load = state
        .models
        .latest()
        .and_then(|tick| tick.load.as_estimate());
    let comfort = five.shown().get(Criterion::Comfort);
    for (signal, estimate) in [
        (Signal::Mastery, meanwhile.of_step.and_then(|it| it.mastery)),
        (
            Signal::NextSuccess,
            meanwhile.of_step.and_then(|it| it.next_success),
        ),
        (Signal::Load, load),
        (Signal::Comfort, comfort),
    ] {
        fields.set(signal, inferred(estimate));
    }
    let (engagement, persistence) = (five.engagement(), five.habits().persistence());
    if let Some(index) = engagement.index(persistence, &p.engagement) {
        let interval = engagement.index_interval(persistence, Z_95, &p.engagement);
        let field = Field::inferred(index.mean, interval.low, interval.high);
        fields.set(Signal::Engagement, field);
    }
    fields
}

/// The figures as they are sent: of the load what results say, and no more (see [`Load::by_results`]).
///
/// [`Load::by_results`]: crate::learning::load::Load::by_results
#[must_use]
pub fn as_sent(mut fields: Fields, state: &LearnerState) -> Fields {
    let p = &state.models.params().load;
    let tick = state.models.latest();
    let load = tick.and_then(|tick| tick.load.by_results(p).as_estimate());
    fields.set(Signal::Load, inferred(load));
    fields
}

fn inferred(estimate: Option<Bounded>) -> Field {
    estimate.map_or(Field::Absent, |it| {
        Field::inferred(it.mean, it.lower, it.upper)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::learning::bkt::BktParams;
    use crate::learning::engagement::Stretch;
    use crate::learning::skill::SkillId;
    use crate::protocol::command::Principal;
    use crate::protocol::event::{Attempt, Event, EventBody, Evidence, Told};
    use crate::protocol::ids::{AttemptId, LearnerId, LessonId, SessionId, StepId};

    #[test]
    fn of_somebody_nothing_is_known_about_only_counts_are_told() {
        let fields = fields_of(&LearnerState::default(), &Meanwhile::default());
        for (signal, field) in fields.iter() {
            let counted = matches!(
                signal,
                Signal::Attempts | Signal::FailuresOnStep | Signal::StepsDone | Signal::HintLevel
            );
            let expected = match counted {
                true => Field::Measured { value: 0.0 },
                false => Field::Absent,
            };
            assert_eq!(field, expected, "{signal:?}");
        }
    }

    #[test]
    fn figures_of_models_come_with_their_interval_and_measured_ones_as_measured() {
        let (learner, session) = (LearnerId::fresh(), SessionId::fresh());
        let mut state = LearnerState::default();
        let mut happen = |body| {
            let event = Event {
                seq: state.seq + 1,
                at_unix_ms: 1_793_500_000_000,
                learner,
                session,
                body,
            };
            state.fold(&event).unwrap();
        };
        happen(EventBody::SessionStarted {
            lesson: LessonId::new("first-steps"),
            lesson_digest: String::new(),
            seed: 1,
            skills: [(SkillId::new("match"), BktParams::default())].into(),
            protocol: 1,
        });
        for correct in [true, false, true] {
            happen(EventBody::Attempted(Attempt {
                id: AttemptId::fresh(),
                step: StepId::new("place"),
                skills: vec![SkillId::new("match")],
                correct,
                credit: 1.0,
                latency: Duration::from_secs(2),
                hints_used: 0,
                position_error: None,
                rotation_error: None,
                quality: Quality::PERFECT,
                blurred: Default::default(),
                evidence: Evidence::TimedOut,
            }));
        }
        happen(EventBody::Told {
            by: Principal::Learner,
            about: Told::Criterion(Criterion::Comfort),
            value: 0.9,
        });
        let moment = Moment {
            stretch: Some(Stretch {
                seconds: 5.0,
                on_task: Some(0.75),
                ..Stretch::default()
            }),
            dt: Duration::from_secs(5),
            ready: true,
            ..Moment::default()
        };
        happen(EventBody::Observed {
            moment: Box::new(moment),
        });
        let of_step = OfStep {
            mastery: Some(Bounded {
                mean: 0.5,
                lower: 0.25,
                upper: 0.75,
                n: 3,
            }),
            next_success: None,
        };
        let meanwhile = Meanwhile {
            of_step: Some(of_step),
            moment: Some(&moment),
            quality: None,
        };
        let fields = fields_of(&state, &meanwhile);
        let recent = Field::measured(Some(2.0 / 3.0));
        assert_eq!(fields.get(Signal::RecentSuccess), recent);
        let on_task = Field::Measured { value: 0.75 };
        assert_eq!(fields.get(Signal::OnTask), on_task);
        assert_eq!(fields.get(Signal::HeadOnTask), Field::Absent);
        assert_eq!(fields.get(Signal::FrameHealth), Field::Absent);
        assert_eq!(fields.get(Signal::NextSuccess), Field::Absent);
        for signal in [Signal::Mastery, Signal::Engagement, Signal::Comfort] {
            let Field::Inferred { value, low, high } = fields.get(signal) else {
                panic!("{signal:?} is not inferred");
            };
            assert!(low <= value && value <= high, "{signal:?}");
            // What the learner says of their comfort is taken at its word.
            assert!(low < high || signal == Signal::Comfort, "{signal:?}");
        }
    }
}
