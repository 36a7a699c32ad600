//! The learning-event state chart: where a learner stands between onboarding and completion, and why.
//!
//! In: estimates of what the present event asks for, scored attempts, time. Out: a decision with every guard behind it.
//! Nobody goes on without evidence, nobody is sent back on one bad minute, nothing flips: an event lasts at least the
//! dwell time, going on needs each lower bound at its threshold, going back an upper bound below it by the hysteresis,
//! twice in a row, with new attempts in between. Time that runs out moves nobody; it tells the instructor. Low comfort
//! makes a break at once, and only the learner can put that aside.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{Activity, LearningEvent, Place};
use super::event_criteria::{Guard, GuardReport};
use super::event_rules::{ChartRules, seconds};
use super::few::Few;

mod judged;
mod waiting;

pub use judged::{Decision, Lacking, Notice, Situation, Verdict};
use judged::{attained, lacking, rest};

/// A remediate decision that counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Remediation {
    count: u8,
    attempts: u32,
    ago: Duration,
}

/// One learner's state. Constant size; stepping never allocates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    place: Place,
    /// Time in the event, breaks left out.
    in_event: Duration,
    in_activity: Duration,
    attempts_at_entry: u32,
    remediation: Option<Remediation>,
    cap_noticed: bool,
    stuck_noticed: bool,
    /// The furthest event reached, and how often the learner came back since it was.
    #[serde(default)]
    furthest: Option<LearningEvent>,
    #[serde(default)]
    returns: u8,
    /// For so long somebody's word holds, and the chart moves nobody.
    #[serde(default)]
    held: Duration,
}

/// Returns after which another one asks for no more practice: 2⁴ dwell times are most of a lesson.
const MOST_RETURNS: u8 = 4;

impl Default for Chart {
    fn default() -> Self {
        Self::beginning_at(LearningEvent::Onboarding, 0)
    }
}

impl Chart {
    /// A learner who enters an event with so many scored attempts behind them.
    #[must_use]
    pub const fn beginning_at(event: LearningEvent, attempts: u32) -> Self {
        Self {
            place: Place::In(event, Activity::Active),
            in_event: Duration::ZERO,
            in_activity: Duration::ZERO,
            attempts_at_entry: attempts,
            remediation: None,
            cap_noticed: false,
            stuck_noticed: false,
            furthest: None,
            returns: 0,
            held: Duration::ZERO,
        }
    }

    /// Somebody who can tell says where the learner stands: the event begins for them, with so many scored attempts behind
    /// them, and for `hold` nobody is moved (comfort makes a break all the same). `None`: the chart decides again at once.
    pub fn stand_at(&mut self, event: Option<LearningEvent>, attempts: u32, hold: Duration) {
        let Some(event) = event else {
            self.held = Duration::ZERO;
            return;
        };
        *self = Self {
            held: hold,
            furthest: self.furthest,
            returns: self.returns,
            ..Self::beginning_at(event, attempts)
        };
    }

    /// How long somebody's word holds still.
    #[must_use]
    pub const fn held(&self) -> Duration {
        self.held
    }

    /// The chart of a learner who moves to another event.
    fn moved_to(&self, event: LearningEvent, attempts: u32, back: bool) -> Self {
        let Place::In(left, _) = self.place else {
            return Self::beginning_at(event, attempts);
        };
        let before = self.furthest.unwrap_or(left);
        let gained = !back && (before as u8) < event as u8;
        let furthest = if gained { event } else { before };
        let returns = match (gained, back) {
            (true, _) => 0,
            (false, true) => self.returns.saturating_add(1).min(MOST_RETURNS),
            (false, false) => self.returns,
        };
        Self {
            furthest: Some(furthest),
            returns,
            ..Self::beginning_at(event, attempts)
        }
    }

    /// How many times the usual practice an event asks for: twice as much with every return (binary exponential backoff,
    /// Metcalfe & Boggs 1976), because what let the learner go on was not enough. Otherwise somebody on the edge is sent
    /// to and fro all lesson long.
    fn practice(&self) -> u32 {
        1 << self.returns.min(MOST_RETURNS)
    }

    /// Scored attempts that going on from here needs.
    #[must_use]
    pub fn attempts_needed(&self, rules: &ChartRules) -> u32 {
        rules.least_attempts.saturating_mul(self.practice())
    }

    /// How long the event lasts at least.
    #[must_use]
    pub fn dwell_needed(&self, rules: &ChartRules) -> Duration {
        rules.dwell().saturating_mul(self.practice())
    }

    /// Where the learner stands.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// Lets `dt` pass and decides. May be called at any rate.
    pub fn step(&mut self, rules: &ChartRules, situation: &Situation, dt: Duration) -> Verdict {
        let Place::In(event, activity) = self.place else {
            return self.verdict(Decision::Continue, Few::default(), Few::default(), None);
        };
        self.pass(dt, activity);
        let held = !self.held.is_zero();
        self.held = self.held.saturating_sub(dt);
        let guards = self.guards(event, rules, situation);
        let lacking = lacking(event, rules, &situation.criteria);
        if let Some(cause) = rest(activity, rules, situation) {
            self.turn_to(event, Activity::Break(cause));
            return self.verdict(Decision::Rest(cause), guards, lacking, None);
        }
        let mut notice = self.notice_time_cap(event, rules);
        let decision = if held {
            Decision::Continue
        } else if guards.iter().all(|guard| guard.passes) {
            self.go_on(event, &guards, situation.attempts)
        } else if lacking.is_empty() {
            self.remediation = None;
            Decision::Continue
        } else {
            self.remediate(event, rules, situation.attempts, &mut notice)
        };
        if let Place::In(event, activity) = self.place {
            self.turn_to(
                event,
                self.next_activity(activity, decision, rules, situation),
            );
        }
        self.verdict(decision, guards, lacking, notice)
    }

    fn verdict(
        &self,
        decision: Decision,
        guards: Few<GuardReport, 12>,
        lacking: Few<Lacking, 16>,
        notice: Option<Notice>,
    ) -> Verdict {
        Verdict {
            decision,
            place: self.place,
            guards,
            confidence: guards
                .iter()
                .filter_map(|guard| guard.probability)
                .product(),
            lacking,
            notice,
        }
    }

    fn pass(&mut self, dt: Duration, activity: Activity) {
        self.in_activity = self.in_activity.saturating_add(dt);
        if !matches!(activity, Activity::Break(_)) {
            self.in_event = self.in_event.saturating_add(dt);
            if let Some(remediation) = &mut self.remediation {
                remediation.ago = remediation.ago.saturating_add(dt);
            }
        }
    }

    fn new_attempts(&self, attempts: u32) -> u32 {
        attempts.saturating_sub(self.attempts_at_entry)
    }

    fn guards(
        &self,
        event: LearningEvent,
        rules: &ChartRules,
        situation: &Situation,
    ) -> Few<GuardReport, 12> {
        let mut guards = Few::default();
        for requirement in rules.stage(event).requirements.iter() {
            guards.push(GuardReport::criterion(
                requirement,
                &situation.criteria,
                rules.least_attempts,
                situation.comfort_put_aside,
            ));
        }
        if event == LearningEvent::Onboarding {
            let ready = if situation.ready { 1.0 } else { 0.0 };
            guards.push(GuardReport::fact(Guard::Ready, 1.0, ready));
        }
        guards.push(GuardReport::fact(
            Guard::Attempts,
            f64::from(self.attempts_needed(rules)),
            f64::from(self.new_attempts(situation.attempts)),
        ));
        guards.push(GuardReport::fact(
            Guard::Dwell,
            self.dwell_needed(rules).as_secs_f64(),
            self.in_event.as_secs_f64(),
        ));
        guards
    }

    fn notice_time_cap(&mut self, event: LearningEvent, rules: &ChartRules) -> Option<Notice> {
        let cap = seconds(rules.stage(event).time_cap, 3600.0);
        let due = self.in_event >= cap && !self.cap_noticed;
        self.cap_noticed |= due;
        due.then_some(Notice::TimeCap)
    }

    fn go_on(
        &mut self,
        event: LearningEvent,
        guards: &Few<GuardReport, 12>,
        attempts: u32,
    ) -> Decision {
        if let Some(next) = event.next() {
            *self = self.moved_to(next, attempts, false);
            return Decision::Advance(next);
        }
        let attained = attained(guards);
        self.place = Place::Completed(attained);
        Decision::Complete(attained)
    }

    /// Counts a remediate decision, at most one per dwell time and only with new attempts, so that neither the update
    /// rate nor the same evidence looked at twice sends anybody back.
    fn remediate(
        &mut self,
        event: LearningEvent,
        rules: &ChartRules,
        attempts: u32,
        notice: &mut Option<Notice>,
    ) -> Decision {
        let dwelt = self.in_event >= rules.dwell();
        if !dwelt || self.new_attempts(attempts) < rules.least_attempts {
            return Decision::Continue;
        }
        let count = match self.remediation {
            None => 1,
            Some(last) if last.ago >= rules.dwell() && attempts > last.attempts => {
                last.count.saturating_add(1)
            }
            Some(_) => return Decision::Remediate,
        };
        self.remediation = Some(Remediation {
            count,
            attempts,
            ago: Duration::ZERO,
        });
        // Going back on the first is never right, whatever the rules' number says.
        if count < rules.remediations.max(2) {
            return Decision::Remediate;
        }
        if let Some(previous) = event.previous() {
            *self = self.moved_to(previous, attempts, true);
            return Decision::Demote(previous);
        }
        // One notice at a time: the other comes with the next counted decision.
        if !self.stuck_noticed && notice.is_none() {
            self.stuck_noticed = true;
            *notice = Some(Notice::Stuck);
        }
        Decision::Remediate
    }

    fn next_activity(
        &self,
        activity: Activity,
        decision: Decision,
        rules: &ChartRules,
        situation: &Situation,
    ) -> Activity {
        match activity {
            _ if decision == Decision::Remediate => Activity::Intervening,
            Activity::Intervening if self.in_activity < rules.dwell() => Activity::Intervening,
            _ if situation.review_due => Activity::Review,
            _ => Activity::Active,
        }
    }

    fn turn_to(&mut self, event: LearningEvent, activity: Activity) {
        let place = Place::In(event, activity);
        if self.place != place {
            self.place = place;
            self.in_activity = Duration::ZERO;
        }
    }
}

#[cfg(test)]
#[path = "event_chart_tests.rs"]
mod tests;
