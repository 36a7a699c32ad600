//! When a chart need not be asked: what a host of thousands of learners looks at instead of stepping every chart.

use std::time::Duration;

use super::Chart;
use crate::learning::event::{Activity, Place};
use crate::learning::event_rules::{ChartRules, seconds};

impl Chart {
    /// How many scored attempts lay behind the learner when this event began.
    #[must_use]
    pub const fn attempts_at_entry(&self) -> u32 {
        self.attempts_at_entry
    }

    /// Whether the event has lasted its dwell time: before, it is neither left nor a remediate decision counted.
    #[must_use]
    pub fn has_dwelt(&self, rules: &ChartRules) -> bool {
        self.in_event >= rules.dwell()
    }

    /// How long nothing can change by the mere passing of time: until then, with the same [`super::Situation`] as at the last
    /// step, [`Chart::step`] moves nobody and notices nothing. [`Duration::MAX`]: for ever.
    #[must_use]
    pub fn at_rest_for(&self, rules: &ChartRules) -> Duration {
        let Place::In(event, activity) = self.place else {
            return Duration::MAX;
        };
        let dwell = rules.dwell();
        let cap = seconds(rules.stage(event).time_cap, 3600.0);
        let left = |limit: Duration, so_far: Duration| limit.checked_sub(so_far);
        let intervening = activity == Activity::Intervening;
        [
            left(dwell, self.in_event),
            left(self.dwell_needed(rules), self.in_event),
            left(cap, self.in_event).filter(|_| !self.cap_noticed),
            self.remediation.and_then(|last| left(dwell, last.ago)),
            left(dwell, self.in_activity).filter(|_| intervening),
            Some(self.held),
        ]
        .into_iter()
        .flatten()
        .filter(|left| !left.is_zero())
        .min()
        .unwrap_or(Duration::MAX)
    }
}
