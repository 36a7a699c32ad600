//! The learning-event chart's numbers: what each event asks for, and the times and margins of the chart.
//!
//! All are the sources' or, where marked, ours; none is measured. A lesson may bring its own.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::LearningEvent;
use super::event_criteria::{Basis, Criterion, Requirement};
use super::few::Few;

/// What one learning event asks for before the next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Each must hold by itself.
    pub requirements: Few<Requirement, 8>,
    /// After this many seconds in the event, breaks left out, the instructor is told.
    pub time_cap: f64,
}

/// The five stages.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stages {
    /// Of onboarding.
    pub onboarding: Stage,
    /// Of introduction.
    pub introduction: Stage,
    /// Of practice.
    pub practice: Stage,
    /// Of application.
    pub application: Stage,
    /// Of mastery.
    pub mastery: Stage,
}

/// The chart's rules.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChartRules {
    /// What each event asks for.
    pub stages: Stages,
    /// Scored attempts in the present event, and behind each performance criterion, that a decision must rest on.
    pub least_attempts: u32,
    /// Seconds in an event, breaks left out, before it may be left; also between two counted remediate decisions.
    pub dwell: f64,
    /// How far below the entry threshold a criterion must surely lie before the ground counts as lost.
    pub hysteresis: f64,
    /// A required performance that surely lies below this needs remediation, in [0, 1].
    pub remediate_below: f64,
    /// Remediate decisions in a row that lead one event back.
    pub remediations: u8,
    /// Comfort at or below this is a break, in [0, 1]; the sources' 'motion sickness at 0.4'.
    pub comfort_break: f64,
}

/// Why rules can't be used.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum BadRules {
    /// A number out of its range.
    #[error(
        "`{name}` is {value}; it must be a number in its range (shares in [0, 1], times not negative)"
    )]
    Number {
        /// Which.
        name: &'static str,
        /// What it was.
        value: f64,
    },
    /// Decisions would rest on nothing.
    #[error("`least_attempts` is 0; a decision must rest on at least one scored attempt")]
    NoAttempts,
    /// An event that anybody would pass.
    #[error(
        "{0:?} requires no performance above 0, so anybody would pass; add a required criterion"
    )]
    NothingToShow(LearningEvent),
}

impl Default for ChartRules {
    fn default() -> Self {
        Self {
            stages: Stages::default(),
            least_attempts: 5,
            dwell: 60.0,
            hysteresis: 0.05,
            remediate_below: 0.5,
            remediations: 2,
            comfort_break: 0.6,
        }
    }
}

impl ChartRules {
    /// What an event asks for.
    #[must_use]
    pub const fn stage(&self, event: LearningEvent) -> &Stage {
        match event {
            LearningEvent::Onboarding => &self.stages.onboarding,
            LearningEvent::Introduction => &self.stages.introduction,
            LearningEvent::Practice => &self.stages.practice,
            LearningEvent::Application => &self.stages.application,
            LearningEvent::Mastery => &self.stages.mastery,
        }
    }

    /// The same rules, if they can be met and nobody can pass without showing anything.
    ///
    /// # Errors
    /// [`BadRules`] names the first that is wrong.
    pub fn validated(self) -> Result<Self, BadRules> {
        let numbers = [
            ("dwell", self.dwell, f64::MAX),
            ("hysteresis", self.hysteresis, 1.0),
            ("remediate_below", self.remediate_below, 1.0),
            ("comfort_break", self.comfort_break, 1.0),
        ];
        for (name, value, max) in numbers {
            if !(0.0..=max).contains(&value) {
                return Err(BadRules::Number { name, value });
            }
        }
        if self.least_attempts == 0 {
            return Err(BadRules::NoAttempts);
        }
        for event in LearningEvent::ALL {
            let stage = self.stage(event);
            if stage.time_cap.is_nan() || stage.time_cap <= 0.0 {
                return Err(BadRules::Number {
                    name: "time_cap",
                    value: stage.time_cap,
                });
            }
            let mut shown = false;
            for requirement in stage.requirements.iter() {
                if !(0.0..=1.0).contains(&requirement.needed) {
                    return Err(BadRules::Number {
                        name: "needed",
                        value: requirement.needed,
                    });
                }
                shown |= requirement.basis == Basis::Required
                    && requirement.criterion.is_performance()
                    && requirement.needed > 0.0;
            }
            if !shown {
                return Err(BadRules::NothingToShow(event));
            }
        }
        Ok(self)
    }

    /// Seconds, or a minute if `dwell` is no number.
    pub(super) fn dwell(&self) -> Duration {
        seconds(self.dwell, 60.0)
    }
}

/// A duration of so many seconds; `otherwise` if they are no number of seconds.
pub(super) fn seconds(s: f64, otherwise: f64) -> Duration {
    Duration::try_from_secs_f64(s).unwrap_or_else(|_| {
        if s > 0.0 {
            Duration::MAX
        } else if s < 0.0 {
            Duration::ZERO
        } else {
            Duration::try_from_secs_f64(otherwise).unwrap_or_default()
        }
    })
}

impl Default for Stages {
    fn default() -> Self {
        use Criterion::{
            Comfort, Comprehension, Concept, Connections, Context, Creation, Creativity,
            Efficiency, Expertise, Exploration, Fluency, GuidedTasks, Independence, Innovation,
            Integration, Interactions, Interface, Orientation, Purpose, Quality, Recovery, Strain,
            Teaching, Transfer,
        };
        // Comfort is asked for in every event, not only the first: sickness builds up (ours).
        let comfort = (Comfort, 0.8);
        Self {
            onboarding: stage(
                &[
                    comfort,
                    (Interactions, 0.9),
                    (Orientation, 0.7),
                    (Interface, 0.8),
                ],
                &[(Strain, 0.3)],
                900.0,
            ),
            introduction: stage(
                &[
                    comfort,
                    (Concept, 0.7),
                    (GuidedTasks, 0.8),
                    (Exploration, 0.6),
                ],
                &[(Comprehension, 0.8), (Connections, 0.5)],
                1800.0,
            ),
            practice: stage(
                &[
                    comfort,
                    (Fluency, 0.8),
                    (Independence, 0.9),
                    (Efficiency, 0.6),
                    (Transfer, 0.5),
                ],
                &[(Recovery, 0.7)],
                2700.0,
            ),
            application: stage(
                &[comfort, (Purpose, 0.85), (Integration, 0.8), (Quality, 0.8)],
                &[(Creativity, 0.7), (Context, 0.7)],
                3600.0,
            ),
            mastery: stage(
                &[comfort, (Expertise, 0.9), (Quality, 0.9)],
                &[(Creation, 0.85), (Teaching, 0.8), (Innovation, 0.7)],
                5400.0,
            ),
        }
    }
}

fn stage(required: &[(Criterion, f64)], if_assessed: &[(Criterion, f64)], time_cap: f64) -> Stage {
    let mut requirements = Few::default();
    for (list, basis) in [
        (required, Basis::Required),
        (if_assessed, Basis::IfAssessed),
    ] {
        for &(criterion, needed) in list {
            requirements.push(Requirement {
                criterion,
                needed,
                basis,
            });
        }
    }
    Stage {
        requirements,
        time_cap,
    }
}
