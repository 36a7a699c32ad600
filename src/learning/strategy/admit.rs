//! Whether a rule that speaks may have its way, and what exactly it then does.

use super::action::Action;
use super::check::LEAST_COOL_DOWN;
use super::checked::Checked;
use super::choose::WhyNot;
use super::feature::{Feature, View};
use super::memory::Memory;
use super::table::{Aim, Limits, Payload, Rule};
use crate::learning::estimate::logit;

/// A difference that nobody notices is none.
const LEAST_STEP: f64 = 0.01;

/// Whether what this rule did is to be taken back: success without it is likely, and nothing speaks for it any more.
pub(super) fn is_fading_due(table: &Checked, memory: &Memory, view: &View, rule: usize) -> bool {
    let past = memory.rules.get(rule);
    let Some(from) = past.and_then(|past| past.fades_from) else {
        return false;
    };
    let Some(written) = table.rule(rule) else {
        return false;
    };
    let Some(fade) = &written.fade_out else {
        return false;
    };
    if view.attempts.saturating_sub(from) < u64::from(fade.attempts) {
        return false;
    }
    let latest = u32::MAX >> (32 - fade.attempts.clamp(1, 32));
    let right = (view.outcomes & latest).count_ones();
    if f64::from(right) < fade.success * f64::from(fade.attempts) {
        return false;
    }
    let still_speaks = |(other, it): (usize, &Rule)| {
        it.payload.lever() == written.payload.lever()
            && it.fade_out.is_some()
            && memory.is_entered(other)
    };
    !table.table().rules.iter().enumerate().any(still_speaks)
}

/// What the rule does now, or why it may not.
pub(super) fn admissible(
    table: &Checked,
    memory: &Memory,
    view: &View,
    number: usize,
    fading: bool,
) -> Result<Action, WhyNot<u8>> {
    let (Some(rule), Some(compiled), Some(past)) = (
        table.rule(number),
        table.rules.get(number),
        memory.rules.get(number),
    ) else {
        return Err(WhyNot::NothingLeft);
    };
    let limits = &table.table().limits;
    let now = memory.now;
    if memory.is_blocked(number) && !fading {
        let holding = compiled.blocked.iter().find(|cond| {
            // One that held before holds on up to its other threshold.
            cond.stands(view, true, false) == super::checked::Standing::Holds
        });
        let feature = holding.map_or(Feature::Load, |cond| cond.feature);
        return Err(WhyNot::Blocked(feature));
    }
    let lever = rule.payload.lever();
    let left = |last: Option<f64>, least: f64| {
        let left = last.map_or(0.0, |last| least - (now - last));
        (left > 0.0).then_some(left)
    };
    if !compiled.safety {
        let left_alone = table.table().leave_alone.as_ref();
        let silent_from = left_alone.filter(|_| memory.left_alone && !fading);
        if silent_from.is_some_and(|it| rule.priority >= it.from_priority) {
            return Err(WhyNot::LeftAlone);
        }
        if let Some(by) = memory.holder(lever) {
            return Err(WhyNot::Outranked(by));
        }
    }
    let own = if fading {
        LEAST_COOL_DOWN
    } else {
        rule.cool_down
    };
    // A break now doesn't wait for an offered one.
    let lever_last = memory
        .lever_moved(lever)
        .filter(|_| rule.payload != Payload::Rest);
    let cooling = left(past.last, own).or_else(|| left(lever_last, LEAST_COOL_DOWN));
    if let Some(seconds) = cooling {
        return Err(WhyNot::CoolingDown(seconds));
    }
    // Nobody is kept in the headset by a budget.
    let unlimited = fading || rule.payload == Payload::Rest;
    if !unlimited && past.times.within(rule.budget.window, now) >= rule.budget.times {
        return Err(WhyNot::BudgetSpent);
    }
    if compiled.is_change
        && let Some(seconds) = left(memory.last_change, limits.settle)
    {
        return Err(WhyNot::Settling(seconds));
    }
    if !fading {
        still_in_effect(table, memory, number)?;
    }
    let action = if fading {
        undone(rule, limits, view)
    } else {
        resolved(rule, limits, view)
    };
    action.ok_or(WhyNot::NothingLeft)
}

/// What was done before and stands in the way.
fn still_in_effect(table: &Checked, memory: &Memory, number: usize) -> Result<(), WhyNot<u8>> {
    let (Some(rule), Some(compiled)) = (table.rule(number), table.rules.get(number)) else {
        return Ok(());
    };
    let mut active = memory.active();
    while active != 0 {
        let other = active.trailing_zeros();
        active &= active - 1;
        let Some((there, their)) = table
            .rule(other as usize)
            .zip(table.rules.get(other as usize))
        else {
            continue;
        };
        // Fewer than 64.
        let name = other as u8;
        if compiled.conflicts >> other & 1 == 1 {
            return Err(WhyNot::ConflictsWith(name));
        }
        let same_lever = there.payload.lever() == rule.payload.lever();
        let one_at_most = matches!(rule.payload, Payload::Difficulty { .. });
        let other_way = their.direction * compiled.direction < 0;
        if same_lever && (one_at_most || other_way) {
            return Err(WhyNot::StillActive(name));
        }
    }
    Ok(())
}

/// The action with its numbers; `None`: there is nothing left to change.
fn resolved(rule: &Rule, limits: &Limits, view: &View) -> Option<Action> {
    let supported = view.mean_or(Feature::SupportLevel, 0.0);
    match rule.payload {
        Payload::Rest => Some(Action::Rest),
        Payload::OfferBreak => Some(Action::OfferBreak),
        Payload::OfferHint => {
            (view.mean_or(Feature::HintsLeft, 1.0) >= 1.0).then_some(Action::OfferHint)
        }
        Payload::AddSupport {
            kind,
            level,
            modality,
        } => (supported < f64::from(level)).then_some(Action::AddSupport {
            kind,
            level,
            modality,
        }),
        Payload::FadeSupport => (supported > 0.0).then_some(Action::FadeSupport),
        Payload::Difficulty { step, aim } => {
            let now = view.mean_or(Feature::Difficulty, 1.0);
            let step = aimed(step, aim, view);
            let to = (now + step).clamp(limits.easiest, limits.hardest);
            moved(now, to, step).map(|multiplier| Action::Difficulty { multiplier })
        }
        Payload::Pace { step, until } => {
            let now = view.mean_or(Feature::Pace, 1.0);
            let to = (now + step).clamp(limits.slowest, limits.fastest);
            let to = match until {
                Some(until) if step > 0.0 => to.min(until),
                Some(until) => to.max(until),
                None => to,
            };
            moved(now, to, step).map(|multiplier| Action::Pace { multiplier })
        }
        Payload::ChangeApproach => Some(Action::ChangeApproach),
        Payload::Vary { by, level } => Some(Action::Vary { by, level }),
        Payload::MoveOn => Some(Action::MoveOn),
        Payload::Review => Some(Action::Review),
        Payload::TellInstructor => Some(Action::TellInstructor),
    }
}

/// What takes the rule's effect back; `None`: it is gone already.
fn undone(rule: &Rule, limits: &Limits, view: &View) -> Option<Action> {
    match rule.payload {
        Payload::AddSupport { .. } => {
            let supported = view.mean_or(Feature::SupportLevel, 0.0) > 0.0;
            supported.then_some(Action::FadeSupport)
        }
        Payload::Pace { step, .. } => {
            let now = view.mean_or(Feature::Pace, 1.0);
            let to = (now - step).min(1.0).clamp(limits.slowest, limits.fastest);
            moved(now, to, -step).map(|multiplier| Action::Pace { multiplier })
        }
        _ => None,
    }
}

/// The step, smaller where success lies nearer to where it should be; never the other way.
fn aimed(step: f64, aim: Option<Aim>, view: &View) -> f64 {
    let Some((aim, success)) = aim.zip(view.get(Feature::NextSuccess)) else {
        return step;
    };
    let gap = aim.per_logit * (logit(success.mean) - logit(aim.success));
    if step < 0.0 {
        gap.clamp(step, 0.0)
    } else {
        gap.clamp(0.0, step)
    }
}

/// Where it leads, if that is the way of the step and far enough to be noticed.
fn moved(now: f64, to: f64, step: f64) -> Option<f64> {
    let far = (to - now) * step.signum() >= LEAST_STEP;
    far.then_some(to)
}
