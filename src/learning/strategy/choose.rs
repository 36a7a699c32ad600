//! What to change for a learner now: the table's rules over what is known, at most five commands.
//!
//! In: a sound table, the learner's memory, what is known of them, the time, and a draw where consent to experiments is
//! recorded. Out: a [`Choice`], with the reason for every rule that would have spoken and was not chosen.
//! Never: an allocation (but for a table that is new to the memory), a clock, randomness of its own. May be called at any
//! rate: only the time that is passed in counts. Equal inputs give equal choices.
//!
//! Precedence: safety, then what the learner and then what the instructor set ([`Memory::note`]), then these rules by
//! priority. The frame governor touches presentation only, which no rule here does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::admit::{admissible, is_fading_due};
use super::checked::Checked;
use super::feature::{Feature, View};
use super::gain::gain;
use super::memory::Memory;
use super::message::{Message, is_experimental, trial};
use super::precedence::Principal;
use super::table::MAX_RULES;
use crate::learning::few::Few;

/// Most actions compared in one trial; further ones wait for the next.
pub const MAX_ARMS: usize = 8;

/// One number drawn for one decision.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// The learner's seed.
    pub seed: u64,
    /// Drawn from [0, 1).
    pub uniform: f64,
}

impl Draw {
    /// The draw for decision `number` of the learner with this `seed`: the same whenever it is asked for, so that a
    /// replay decides the same (SplitMix64's output function: Steele, Lea & Flood 2014).
    #[must_use]
    pub fn of(seed: u64, number: u64) -> Self {
        let golden = 0x9E37_79B9_7F4A_7C15_u64;
        let mut z = seed.wrapping_add(golden.wrapping_mul(number.wrapping_add(1)));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        Self {
            seed,
            // 53 bits: every one of them representable.
            uniform: (z >> 11) as f64 / (1_u64 << 53) as f64,
        }
    }
}

/// Why a rule did not get its way. `R` names another rule: by number here, by id in a [`super::explain::Decision`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhyNot<R> {
    /// It can't be told: this is not known.
    Absent(Feature),
    /// This keeps it silent.
    Blocked(Feature),
    /// The learner does well.
    LeftAlone,
    /// Somebody with precedence set it otherwise.
    Outranked(Principal),
    /// It spoke not long ago; seconds left.
    CoolingDown(f64),
    /// Something was changed not long ago; seconds left.
    Settling(f64),
    /// It spoke as often as it may.
    BudgetSpent,
    /// What this rule did is still in effect.
    StillActive(R),
    /// It doesn't go together with this rule.
    ConflictsWith(R),
    /// Enough was commanded lately.
    TooManyLately,
    /// A message holds no more.
    MessageFull,
    /// One change at a time.
    OneAtATime,
    /// There is nothing left to change that way.
    NothingLeft,
    /// Another was drawn.
    NotDrawn,
    /// Nothing was drawn, to see what happens without.
    HeldOut,
    /// Safety goes first, alone.
    SafetyFirst,
    /// So little is expected of it that it isn't worth a change: gain over the horizon ([`super::gain`]).
    LittleToGain(f64),
}

/// One chosen action.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    /// Number of the rule.
    pub rule: usize,
    /// What to do.
    pub action: Action,
    /// Whether it takes back what the rule did before.
    pub fading: bool,
    /// In whose name.
    pub principal: Principal,
}

/// A randomised comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// The rules that could have been chosen, each with the same probability.
    pub arms: Few<usize, MAX_ARMS>,
    /// The one that was drawn; `None`: nothing.
    pub drawn: Option<usize>,
    /// Probability of each rule.
    pub propensity: f64,
    /// Probability of nothing.
    pub propensity_of_nothing: f64,
    /// What was drawn with.
    pub draw: Draw,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Which decision of this learner, from 0.
    pub number: u64,
    /// When, on the caller's clock.
    pub at: f64,
    /// What to do, most urgent first.
    pub picks: Few<Pick, 5>,
    /// The comparison that it is part of.
    pub trial: Option<Trial>,
    /// By rule: why it was not chosen, where it would have spoken or could not be asked.
    pub(super) why_not: [Option<WhyNot<u8>>; MAX_RULES],
    /// By rule: what is expected of it, where that was asked.
    pub(super) gains: [Option<f64>; MAX_RULES],
}

impl Choice {
    /// Whether there is something to do or to log.
    #[must_use]
    pub fn is_decision(&self) -> bool {
        !self.picks.is_empty() || self.trial.is_some()
    }

    fn refuse(&mut self, rule: usize, why: WhyNot<u8>) {
        if let Some(place) = self.why_not.get_mut(rule) {
            *place = Some(why);
        }
    }
}

/// Decides. `draw` only where the learner's consent to experiments is recorded; `None` always takes the first of equals.
#[must_use]
pub fn choose(
    table: &Checked,
    memory: &mut Memory,
    view: &View,
    now: f64,
    draw: Option<Draw>,
) -> Choice {
    memory.fit(table);
    let at = memory.moment(now);
    let mut choice = Choice {
        number: memory.decisions,
        at,
        picks: Few::default(),
        trial: None,
        why_not: [None; MAX_RULES],
        gains: [None; MAX_RULES],
    };
    look(table, memory, view, &mut choice);
    let mut open = [None; MAX_RULES];
    for &rule in &table.order {
        let rule = usize::from(rule);
        let fading = is_fading_due(table, memory, view, rule);
        if !fading && !memory.is_entered(rule) {
            continue;
        }
        match admissible(table, memory, view, rule, fading) {
            Ok(action) if is_worth_it(table, view, rule, fading, &action, &mut choice) => {
                if let Some(place) = open.get_mut(rule) {
                    *place = Some((action, fading));
                }
            }
            Ok(_) => {}
            Err(why) => choice.refuse(rule, why),
        }
    }
    pick(table, memory, &open, draw, &mut choice);
    commit(table, memory, view, &choice);
    choice
}

/// Which rules' conditions hold now.
fn look(table: &Checked, memory: &mut Memory, view: &View, choice: &mut Choice) {
    if let Some(when) = &table.leave_alone {
        memory.left_alone = when.hold(view, memory.left_alone, true).is_ok();
    }
    for (i, rule) in table.rules.iter().enumerate() {
        let bit = 1_u64 << i;
        match rule.when.hold(view, memory.is_entered(i), rule.advances) {
            Ok(()) => memory.entered |= bit,
            Err(missing) => {
                memory.entered &= !bit;
                if let Some(feature) = missing {
                    choice.refuse(i, WhyNot::Absent(feature));
                }
            }
        }
        let was = memory.is_blocked(i);
        let mut blocks = rule.blocked.iter();
        let blocked =
            blocks.any(|cond| cond.stands(view, was, false) == super::checked::Standing::Holds);
        memory.blocked = memory.blocked & !bit | u64::from(blocked) << i;
    }
}

/// Notes what is expected of an action, where the table looks ahead; false where that is too little.
fn is_worth_it(
    table: &Checked,
    view: &View,
    rule: usize,
    fading: bool,
    action: &Action,
    choice: &mut Choice,
) -> bool {
    let Some(assumed) = &table.table().by_gain else {
        return true;
    };
    let safety = table.rules.get(rule).is_some_and(|it| it.safety);
    let expected = gain(assumed, view, action).filter(|it| !safety && it.is_finite());
    if let Some(place) = choice.gains.get_mut(rule) {
        *place = expected;
    }
    // What was put there for a while goes when its time has come.
    let Some(little) = expected.filter(|it| !fading && *it < assumed.least) else {
        return true;
    };
    choice.refuse(rule, WhyNot::LittleToGain(little));
    false
}

/// The rules by urgency; those of one priority by what is expected of them, and where nothing is, behind, as written.
fn ranked(table: &Checked, choice: &Choice) -> ([u8; MAX_RULES], usize) {
    let mut ranked = [0; MAX_RULES];
    for (place, rule) in ranked.iter_mut().zip(&table.order) {
        *place = *rule;
    }
    let n = table.order.len().min(MAX_RULES);
    if table.table().by_gain.is_some()
        && let Some(ranked) = ranked.get_mut(..n)
    {
        let urgency = |rule: u8| {
            let number = usize::from(rule);
            let safety = table.rules.get(number).is_some_and(|it| it.safety);
            (!safety, table.rule(number).map(|it| it.priority))
        };
        let worth = |rule: u8| {
            let gain = choice.gains.get(usize::from(rule)).copied().flatten();
            gain.unwrap_or(f64::NEG_INFINITY)
        };
        ranked.sort_unstable_by(|&a, &b| {
            let by_worth = || worth(b).total_cmp(&worth(a));
            let as_written = || a.cmp(&b);
            urgency(a)
                .cmp(&urgency(b))
                .then_with(by_worth)
                .then_with(as_written)
        });
    }
    (ranked, n)
}

/// By rule: what it would do, and whether that takes back what it did.
pub(super) type Open = [Option<(Action, bool)>; MAX_RULES];

/// From what is admissible, what goes together.
fn pick(table: &Checked, memory: &Memory, open: &Open, draw: Option<Draw>, choice: &mut Choice) {
    let mut message = Message::new(table, memory);
    let (ranked, n) = ranked(table, choice);
    for rule in ranked.into_iter().take(n).map(usize::from) {
        let Some((action, fading)) = open.get(rule).copied().flatten() else {
            continue;
        };
        let drawn_already = choice.trial.is_some_and(|trial| trial.has(rule));
        if drawn_already {
            continue;
        }
        if let Err(why) = message.admits(table, rule) {
            choice.refuse(rule, why);
            continue;
        }
        let in_trial = !fading && is_experimental(table, rule);
        let draw = draw.filter(|draw| in_trial && draw.uniform.is_finite());
        if draw.is_some() && choice.trial.is_some() {
            // A second comparison in the same message would blur both.
            choice.refuse(rule, WhyNot::OneAtATime);
            continue;
        }
        let (rule, action) = match draw {
            None => (rule, action),
            Some(draw) => {
                let Some(trial) = trial(table, open, &message, rule, draw) else {
                    continue;
                };
                choice.trial = Some(trial);
                let lost = if trial.drawn.is_some() {
                    WhyNot::NotDrawn
                } else {
                    WhyNot::HeldOut
                };
                for &arm in trial.arms.iter().filter(|arm| trial.drawn != Some(**arm)) {
                    choice.refuse(arm, lost);
                }
                let drawn = trial
                    .drawn
                    .and_then(|arm| Some((arm, open.get(arm)?.as_ref()?.0)));
                let Some(drawn) = drawn else {
                    // Nothing shall be seen in its place.
                    message.changes_left = 0;
                    continue;
                };
                drawn
            }
        };
        let safety = table.rules.get(rule).is_some_and(|rule| rule.safety);
        choice.picks.push(Pick {
            rule,
            action,
            fading,
            principal: if safety {
                Principal::Safety
            } else {
                Principal::Automatic
            },
        });
        message.take(table, rule);
        if action == Action::Rest {
            message.resting = true;
        }
    }
}

impl Trial {
    fn has(&self, rule: usize) -> bool {
        self.arms.iter().any(|arm| *arm == rule)
    }
}

/// Remembers what was decided.
fn commit(table: &Checked, memory: &mut Memory, view: &View, choice: &Choice) {
    if !choice.is_decision() {
        return;
    }
    memory.decisions = memory.decisions.saturating_add(1);
    let held_out = choice.trial.filter(|trial| trial.drawn.is_none());
    for arm in held_out.iter().flat_map(|trial| trial.arms.iter()) {
        memory.held_out(*arm, table);
    }
    for pick in choice.picks.iter() {
        memory.spoke(pick.rule, pick.fading, view.attempts, table);
    }
}
