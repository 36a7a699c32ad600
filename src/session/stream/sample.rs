//! What is known of a learner at a moment, with where it comes from.
//!
//! In: the fold of the log, the five models, what was measured meanwhile. Out: [`Fields`]. What isn't there is absent,
//! and what a model says without an interval is not said.

use crate::learning::estimate::Z_95;
use crate::learning::event_criteria::Bounded;
use crate::learning::five::Five;
use crate::learning::five::observation::Moment;
use crate::learning::five::params::Params;
use crate::learning::policy_view::View;
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

/// What was measured and concluded outside the log. `None`: nothing was.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meanwhile<'a> {
    /// The five models and their parameters.
    pub five: Option<(&'a Five, &'a Params)>,
    /// What they say of the running step.
    pub view: Option<&'a View>,
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
    if let Some((five, _)) = meanwhile.five {
        let recent = five.recent();
        measured(Signal::RecentSuccess, recent.success(1));
        measured(Signal::RecentHints, recent.hinted(1));
        measured(Signal::ErrorRun, recent.longest_error_run(1));
    }
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
    if let Some(view) = meanwhile.view {
        for (signal, estimate) in [
            (Signal::Mastery, view.mastery),
            (Signal::NextSuccess, view.next_success),
            (Signal::Load, view.load),
            (Signal::Comfort, view.comfort),
        ] {
            fields.set(signal, inferred(estimate));
        }
    }
    if let Some((five, p)) = meanwhile.five {
        let (engagement, persistence) = (five.engagement(), five.habits().persistence());
        if let Some(index) = engagement.index(persistence, &p.engagement) {
            let interval = engagement.index_interval(persistence, Z_95, &p.engagement);
            let field = Field::inferred(index.mean, interval.low, interval.high);
            fields.set(Signal::Engagement, field);
        }
    }
    fields
}

fn inferred(estimate: Option<Bounded>) -> Field {
    estimate.map_or(Field::Absent, |it| {
        Field::inferred(it.mean, it.lower, it.upper)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::engagement::Stretch;
    use crate::learning::estimate::Estimate;
    use crate::learning::event_criteria::Criterion;
    use crate::learning::few::Few;
    use crate::learning::five::observation::Observation;

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
        let p = Params::default();
        let mut five = Five::new(1, &p);
        let mut skills = Few::default();
        skills.push(0);
        for correct in [true, false, true] {
            let seen = Observation {
                skills,
                correct,
                ..Observation::default()
            };
            five.observe(&seen, &p);
        }
        five.told(Criterion::Comfort, 0.9, &p);
        let difficulty = Estimate {
            mean: 0.0,
            variance: 0.1,
        };
        let view = five.view(&[0], difficulty, &View::default(), &p);
        let moment = Moment {
            stretch: Some(Stretch {
                on_task: Some(0.75),
                ..Stretch::default()
            }),
            ..Moment::default()
        };
        let meanwhile = Meanwhile {
            five: Some((&five, &p)),
            view: Some(&view),
            moment: Some(&moment),
            quality: None,
        };
        let fields = fields_of(&LearnerState::default(), &meanwhile);
        let recent = Field::Measured { value: 2.0 / 3.0 };
        assert_eq!(fields.get(Signal::RecentSuccess), recent);
        let on_task = Field::Measured { value: 0.75 };
        assert_eq!(fields.get(Signal::OnTask), on_task);
        assert_eq!(fields.get(Signal::HeadOnTask), Field::Absent);
        assert_eq!(fields.get(Signal::FrameHealth), Field::Absent);
        for signal in [Signal::Mastery, Signal::NextSuccess, Signal::Comfort] {
            let Field::Inferred { value, low, high } = fields.get(signal) else {
                panic!("{signal:?} is not inferred");
            };
            assert!(low <= value && value <= high, "{signal:?}");
            // What the learner says of their comfort is taken at its word.
            assert!(low < high || signal == Signal::Comfort, "{signal:?}");
        }
    }
}
