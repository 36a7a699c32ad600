//! What to change for a learner now, and why: the adaptation policy as a pure function.
//!
//! In: estimates, requests, and how long ago things were last changed. Out: at most five recommendations, each with
//! the observations behind it. Whether they are carried out is decided elsewhere; learner and instructor outrank them.
//!
//! Precedence: comfort, then wheel-spinning, load, difficulty, engagement, review; the first that has something to say
//! is the only one to change anything, so that changes never contradict each other and the effect of one can be seen.
//! Hints run beside it, by the rule of the hint ladder. A learner who is doing well at the right difficulty is left
//! alone: there is no command for flow.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event_criteria::Bounded;
use super::few::Few;
use super::policy_rules::{HintRules, PolicyRules};
use super::policy_view::{HintView, View};

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Stop for a break now.
    Rest,
    /// Offer a break; the learner may decline.
    OfferBreak,
    /// Show this rung of the hint ladder.
    OfferHint(u8),
    /// Take the hint away.
    FadeHint,
    /// Put support in place.
    AddSupport,
    /// Take the support away again.
    FadeSupport,
    /// Set the difficulty to this multiple of the authored one.
    Difficulty(f64),
    /// Set the pace to this multiple of the authored one.
    Pace(f64),
    /// Another way to the same skill, or the prerequisite first; not more of the same.
    ChangeApproach,
    /// The same in another form.
    Vary,
    /// The skill is mastered: no more repetitions of it.
    MoveOn,
    /// Go over what is due.
    Review,
    /// Tell the instructor that more of the same doesn't help this learner.
    TellInstructor,
}

/// Which rule speaks, most urgent first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Being well.
    Comfort,
    /// More of the same doesn't help.
    WheelSpinning,
    /// Too much at once.
    Load,
    /// Too hard or too easy.
    Difficulty,
    /// Engagement against the learner's own.
    Engagement,
    /// Spaced repetition.
    Review,
    /// The hint ladder.
    Hints,
}

/// What can be behind a recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Observable {
    /// The learner asked for it: 1.
    Asked,
    /// Comfort.
    Comfort,
    /// Seconds since the last break.
    SinceBreak,
    /// Probability of wheel-spinning.
    WheelSpinning,
    /// Lower bound of the load, or its upper one where it must be low.
    Load,
    /// Bound of the probability of success.
    NextSuccess,
    /// Bound of the mastery.
    Mastery,
    /// Probability that engagement has dropped.
    EngagementDropped,
    /// Wrong attempts.
    Failures,
    /// Right attempts in a row.
    Successes,
    /// Seconds of hesitation.
    Hesitation,
    /// A review is due: 1.
    ReviewDue,
}

/// One observation behind a recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// Of what.
    pub of: Observable,
    /// What was seen.
    pub value: f64,
    /// What it was compared with.
    pub limit: f64,
}

/// A recommendation with its reasons.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recommendation {
    /// What to do.
    pub action: Action,
    /// Which rule says so.
    pub tier: Tier,
    /// What it saw.
    pub because: Few<Observation, 3>,
}

/// The recommendations for a learner, most urgent first. Equal views give equal answers; never allocates.
#[must_use]
pub fn advise(rules: &PolicyRules, view: &View) -> Few<Recommendation, 5> {
    let view = &sane(rules, view);
    let mut out = Few::default();
    if let Some(rest) = rest(rules, view) {
        out.push(rest);
        return out;
    }
    if let Some(offer) = offer_break(rules, view) {
        out.push(offer);
    }
    if let Some(notice) = notice(rules, view) {
        out.push(notice);
    }
    if let Some(change) = change(rules, view) {
        out.push(change);
    }
    if let Some(hint) = hint(&rules.hints, &view.hints) {
        out.push(hint);
    }
    out
}

/// The hint ladder: repeated failure or long hesitation offers the next hint, success takes it away, and who asks gets
/// one at once. Help comes late enough to let people think and early enough that they do not give up (Aleven &
/// Koedinger, ITS 2000; fading with success: Wood, Bruner & Ross 1976). Success speaks first.
#[must_use]
pub fn hint(rules: &HintRules, view: &HintView) -> Option<Recommendation> {
    let offer = Action::OfferHint(view.rung.saturating_add(1));
    let more = view.rung < view.rungs;
    if view.wanted && more {
        return Some(say(offer, Tier::Hints, &[(Observable::Asked, 1.0, 1.0)]));
    }
    let successes = (
        Observable::Successes,
        f64::from(view.successes),
        f64::from(rules.successes),
    );
    if view.rung > 0 && view.successes >= rules.successes {
        return Some(say(Action::FadeHint, Tier::Hints, &[successes]));
    }
    let cooling = view.since_hint.is_some_and(|since| since < rules.cool_down);
    if cooling || !more {
        return None;
    }
    if view.failures >= rules.failures {
        let failures = (
            Observable::Failures,
            f64::from(view.failures),
            f64::from(rules.failures),
        );
        return Some(say(offer, Tier::Hints, &[failures]));
    }
    let hesitation = (Observable::Hesitation, view.hesitated, rules.hesitation);
    (view.hesitated >= rules.hesitation).then(|| say(offer, Tier::Hints, &[hesitation]))
}

fn say(action: Action, tier: Tier, seen: &[(Observable, f64, f64)]) -> Recommendation {
    let mut because = Few::default();
    for &(of, value, limit) in seen {
        because.push(Observation { of, value, limit });
    }
    Recommendation {
        action,
        tier,
        because,
    }
}

/// The view with estimates in range and order, and what is no number left out.
fn sane(rules: &PolicyRules, view: &View) -> View {
    let checked = |estimate: Option<Bounded>| estimate.and_then(Bounded::checked);
    let share = |x: Option<f64>| x.filter(|x| x.is_finite()).map(|x| x.clamp(0.0, 1.0));
    let number = |x: f64, otherwise: f64| if x.is_finite() { x } else { otherwise };
    View {
        mastery: checked(view.mastery),
        next_success: checked(view.next_success),
        load: checked(view.load),
        comfort: checked(view.comfort),
        engagement_dropped: share(view.engagement_dropped),
        wheel_spinning: share(view.wheel_spinning),
        difficulty: within(number(view.difficulty, 1.0), rules.easiest, rules.hardest),
        pace: within(number(view.pace, 1.0), rules.slowest, rules.fastest),
        since_break: number(view.since_break, 0.0),
        hints: HintView {
            hesitated: number(view.hints.hesitated, 0.0),
            ..view.hints
        },
        ..*view
    }
}

/// A break now, because the learner wants one or is not well; nothing else matters then.
fn rest(rules: &PolicyRules, view: &View) -> Option<Recommendation> {
    if view.break_wanted {
        return Some(say(
            Action::Rest,
            Tier::Comfort,
            &[(Observable::Asked, 1.0, 1.0)],
        ));
    }
    let comfort = view.comfort?.mean;
    if view.comfort_put_aside || comfort > rules.comfort_break {
        return None;
    }
    let seen = (Observable::Comfort, comfort, rules.comfort_break);
    Some(say(Action::Rest, Tier::Comfort, &[seen]))
}

fn offer_break(rules: &PolicyRules, view: &View) -> Option<Recommendation> {
    let due = view.since_break >= rules.break_after
        && over(view.since.break_offer, rules.break_offer_cool_down);
    let seen = (Observable::SinceBreak, view.since_break, rules.break_after);
    due.then(|| say(Action::OfferBreak, Tier::Comfort, &[seen]))
}

fn notice(rules: &PolicyRules, view: &View) -> Option<Recommendation> {
    let probability = view.wheel_spinning?;
    let due =
        probability >= rules.wheel_spinning && over(view.since.notice, rules.notice_cool_down);
    let seen = (Observable::WheelSpinning, probability, rules.wheel_spinning);
    due.then(|| say(Action::TellInstructor, Tier::WheelSpinning, &[seen]))
}

/// Whether so many seconds have passed, if it ever happened. What is no number has not passed.
fn over(since: Option<f64>, cool_down: f64) -> bool {
    since.is_none_or(|since| since >= cool_down)
}

/// The one change of this moment, if any. A rule that has nothing left to change keeps the later ones silent, too.
fn change(rules: &PolicyRules, view: &View) -> Option<Recommendation> {
    if !over(view.since.change, rules.cool_down) {
        return None;
    }
    if let Some(probability) = view.wheel_spinning
        && probability >= rules.wheel_spinning
    {
        let seen = (Observable::WheelSpinning, probability, rules.wheel_spinning);
        return Some(say(Action::ChangeApproach, Tier::WheelSpinning, &[seen]));
    }
    if let Some(load) = view.load
        && load.lower > rules.load_high
    {
        return relieve(rules, view, (Observable::Load, load.lower, rules.load_high));
    }
    fit_difficulty(rules, view)
        .or_else(|| ease_off_help(rules, view))
        .or_else(|| engage(rules, view))
        .or_else(|| {
            let seen = (Observable::ReviewDue, 1.0, 1.0);
            let due = view.review_due;
            due.then(|| say(Action::Review, Tier::Review, &[seen]))
        })
}

/// Too much at once: support first, then time, then an easier task; each keeps what is learnt for longer than the next.
fn relieve(
    rules: &PolicyRules,
    view: &View,
    seen: (Observable, f64, f64),
) -> Option<Recommendation> {
    let slower = within(view.pace - rules.pace_step, rules.slowest, rules.fastest);
    let easier = within(
        view.difficulty - rules.easier_step,
        rules.easiest,
        rules.hardest,
    );
    let action = if !view.supported {
        Action::AddSupport
    } else if slower < view.pace {
        Action::Pace(slower)
    } else if easier < view.difficulty {
        Action::Difficulty(easier)
    } else {
        return None;
    };
    Some(say(action, Tier::Load, &[seen]))
}

/// Keeps the probability of success within the band. Acts only where the whole interval lies outside.
fn fit_difficulty(rules: &PolicyRules, view: &View) -> Option<Recommendation> {
    let success = view.next_success?;
    let gap = logit(0.5 * (rules.band_low + rules.band_high)) - logit(success.mean);
    if success.upper < rules.band_low {
        let seen = (Observable::NextSuccess, success.upper, rules.band_low);
        // Who surely doesn't know it yet learns more from a worked example than from an easier riddle
        // (Sweller & Cooper 1985; for those who know it the other way round: Kalyuga et al. 2003).
        if let Some(mastery) = view.mastery
            && mastery.upper < rules.novice_below
            && !view.supported
        {
            let novice = (Observable::Mastery, mastery.upper, rules.novice_below);
            return Some(say(Action::AddSupport, Tier::Difficulty, &[seen, novice]));
        }
        let down = within(rules.step_per_logit * gap, 0.0, rules.easier_step);
        let easier = within(view.difficulty - down, rules.easiest, rules.hardest);
        return (easier < view.difficulty)
            .then(|| say(Action::Difficulty(easier), Tier::Difficulty, &[seen]));
    }
    if success.lower <= rules.band_high || view.comfort.is_some_and(|c| c.lower < rules.comfort_ok)
    {
        return None;
    }
    let seen = (Observable::NextSuccess, success.lower, rules.band_high);
    // Practice beyond mastery takes time and adds little (Cen, Koedinger & Junker 2007).
    if let Some(mastery) = view.mastery
        && mastery.lower >= rules.mastered
    {
        let known = (Observable::Mastery, mastery.lower, rules.mastered);
        return Some(say(Action::MoveOn, Tier::Difficulty, &[seen, known]));
    }
    let up = within(-rules.step_per_logit * gap, 0.0, rules.harder_step);
    let harder = within(view.difficulty + up, rules.easiest, rules.hardest);
    let faster = within(view.pace + rules.pace_step, rules.slowest, rules.fastest);
    let action = if view.supported {
        Action::FadeSupport
    } else if harder > view.difficulty {
        Action::Difficulty(harder)
    } else if faster > view.pace {
        Action::Pace(faster)
    } else {
        return None;
    };
    Some(say(action, Tier::Difficulty, &[seen]))
}

/// Help that did its work goes again: support after a run of successes, slowness when the load is surely low.
fn ease_off_help(rules: &PolicyRules, view: &View) -> Option<Recommendation> {
    if view.supported && view.hints.successes >= rules.support_successes {
        let seen = (
            Observable::Successes,
            f64::from(view.hints.successes),
            f64::from(rules.support_successes),
        );
        return Some(say(Action::FadeSupport, Tier::Load, &[seen]));
    }
    let load = view.load?;
    let usual = (view.pace + rules.pace_step).min(1.0);
    let low = (Observable::Load, load.upper, rules.load_high);
    (view.pace < 1.0 && load.upper < rules.load_high)
        .then(|| say(Action::Pace(usual), Tier::Load, &[low]))
}

fn engage(rules: &PolicyRules, view: &View) -> Option<Recommendation> {
    let dropped = view.engagement_dropped?;
    // Variety is more to take in: not for somebody who may be unwell.
    let unwell = view.comfort.is_some_and(|c| c.lower < rules.comfort_ok);
    let seen = (
        Observable::EngagementDropped,
        dropped,
        rules.engagement_dropped,
    );
    (dropped >= rules.engagement_dropped && !unwell)
        .then(|| say(Action::Vary, Tier::Engagement, &[seen]))
}

/// `x` between the bounds; never panics, whatever they are.
fn within(x: f64, low: f64, high: f64) -> f64 {
    x.max(low).min(high)
}

/// Log odds, held within ±7 (one in a thousand).
fn logit(p: f64) -> f64 {
    let p = if p.is_nan() {
        0.5
    } else {
        p.clamp(0.001, 0.999)
    };
    (p / (1.0 - p)).ln()
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
