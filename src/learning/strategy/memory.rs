//! What is remembered of a learner's adaptations: small, of constant size for a table, part of the learner's snapshot.
//!
//! Times are seconds on a clock that only goes forward, pauses left in or out as the caller likes, but always the same.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checked::Checked;
use super::explain::Decision;
use super::precedence::{Lever, Principal};
use super::table::{Limits, Payload};

/// Moments remembered of each rule and of all: no budget and no limit asks for more.
const REMEMBERED: usize = 12;

/// The memory of one learner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Checksum of the table that it belongs to.
    pub(super) digest: u32,
    /// The latest moment.
    pub(super) now: f64,
    /// Rules whose conditions hold, as bits.
    pub(super) entered: u64,
    /// Rules that are blocked, as bits.
    pub(super) blocked: u64,
    pub(super) left_alone: bool,
    pub(super) rules: Vec<Past>,
    /// Commands given, whatever the rule.
    pub(super) given: Times,
    pub(super) last_change: Option<f64>,
    /// By [`Lever`].
    pub(super) levers: [Moved; Lever::ALL.len()],
    pub(super) decisions: u64,
}

/// What is remembered of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Past {
    /// When it last spoke, or was held out.
    pub last: Option<f64>,
    /// When it spoke.
    pub times: Times,
    /// Until when its effect counts as active.
    pub active_until: Option<f64>,
    /// Number of attempts when its effect began, while it waits to be faded.
    pub fades_from: Option<u64>,
}

/// What is remembered of a lever.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Moved {
    /// When it was last moved.
    pub last: Option<f64>,
    /// Who holds it, and until when.
    pub held: Option<(Principal, f64)>,
}

/// The latest moments of something, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Times {
    at: [f64; REMEMBERED],
    n: u32,
}

impl Times {
    pub(super) fn push(&mut self, now: f64) {
        self.at.rotate_right(1);
        if let Some(newest) = self.at.first_mut() {
            *newest = now;
        }
        self.n = self.n.saturating_add(1).min(REMEMBERED as u32);
    }

    /// How many lie within the last `window` seconds.
    pub(super) fn within(&self, window: f64, now: f64) -> u32 {
        let known = self.at.iter().take(self.n as usize);
        // At most `REMEMBERED`.
        known.filter(|at| now - **at < window).count() as u32
    }
}

impl Memory {
    /// Nothing yet, for this table.
    #[must_use]
    pub fn new(table: &Checked) -> Self {
        Self {
            digest: table.digest,
            now: 0.0,
            entered: 0,
            blocked: 0,
            left_alone: false,
            rules: vec![Past::default(); table.len()],
            given: Times::default(),
            last_change: None,
            levers: [Moved::default(); Lever::ALL.len()],
            decisions: 0,
        }
    }

    /// Nothing yet but for so many decisions of an earlier process: numbers are given once.
    #[must_use]
    pub fn going_on(table: &Checked, decisions: u64) -> Self {
        Self {
            decisions,
            ..Self::new(table)
        }
    }

    /// Number of the next decision, from 0: with it the caller draws ([`super::choose::Draw::of`]).
    #[must_use]
    pub fn decisions(&self) -> u64 {
        self.decisions
    }

    /// Somebody else moved a lever: what learner and instructor set stays untouched for a while, and the rules forget
    /// what they did to it. To be called for every command carried out that no rule gave, hints of the ladder included.
    pub fn note(&mut self, lever: Lever, by: Principal, now: f64, table: &Checked) {
        let now = self.moment(now);
        let hold = held_for(by, &table.table().limits);
        let Some(moved) = self.levers.get_mut(lever as usize) else {
            return;
        };
        moved.last = Some(now);
        let Some(seconds) = hold else { return };
        let stronger = moved
            .held
            .is_some_and(|(holder, until)| holder < by && until > now);
        if !stronger {
            moved.held = Some((by, now + seconds));
        }
        self.forget(lever, table);
    }

    /// The world refused what this rule asked for: nothing is in effect, and only the cool-down remains. Where the table
    /// looks ahead, nothing has to be lived with either, if it was the only one that spoke then; tables that don't are as
    /// they always were, so that their logs come out the same.
    pub fn refused(&mut self, rule: usize, table: &Checked) {
        let Some(past) = self.rules.get_mut(rule) else {
            return;
        };
        past.active_until = None;
        past.fades_from = None;
        let when = past.last;
        if table.table().by_gain.is_none() {
            return;
        }
        let alone = self.rules.iter().filter(|it| it.last == when).count() == 1;
        if alone && when.is_some() && when == self.last_change {
            self.last_change = None;
        }
    }

    /// What a decision in the log did to this memory: with every decision and every [`Memory::note`] in the log's order, a
    /// memory is what it was. (Which conditions held is seen anew with the next look at the learner.)
    pub fn recall(&mut self, decision: &Decision, table: &Checked) {
        self.fit(table);
        self.moment(decision.at);
        self.decisions = decision.number.saturating_add(1);
        let place = |id: &str| table.table().rules.iter().position(|rule| rule.id == id);
        let held_out = decision.trial.iter().filter(|it| it.drawn.is_none());
        for arm in held_out.flat_map(|trial| &trial.arms) {
            if let Some(rule) = place(arm) {
                self.held_out(rule, table);
            }
        }
        for chosen in &decision.chosen {
            // A rule of another table: what it did is over with it.
            if let Some(rule) = place(&chosen.rule) {
                self.spoke(rule, chosen.fading, decision.attempts, table);
            }
        }
    }

    /// A rule had its way now, or took back what it did.
    pub(super) fn spoke(&mut self, number: usize, fading: bool, attempts: u64, table: &Checked) {
        let now = self.now;
        let Some(rule) = table.rule(number) else {
            return;
        };
        let lever = rule.payload.lever();
        self.given.push(now);
        if rule.payload.is_change() {
            self.last_change = Some(now);
        }
        if let Some(moved) = self.levers.get_mut(lever as usize) {
            moved.last = Some(now);
        }
        if fading || rule.payload == Payload::FadeSupport {
            self.forget(lever, table);
        }
        let Some(past) = self.rules.get_mut(number) else {
            return;
        };
        past.last = Some(now);
        if !fading {
            past.times.push(now);
            past.active_until = Some(now + rule.expiry);
            past.fades_from = rule.fade_out.map(|_| attempts);
        }
    }

    /// A rule could have had its way and was held out: doing nothing is done for as long as doing something would be.
    pub(super) fn held_out(&mut self, number: usize, table: &Checked) {
        if let Some(past) = self.rules.get_mut(number) {
            past.last = Some(self.now);
        }
        if table.rules.get(number).is_some_and(|rule| rule.is_change) {
            self.last_change = Some(self.now);
        }
    }

    /// Another table is in force now: what it says begins anew, what was done and is held stays.
    pub(super) fn fit(&mut self, table: &Checked) {
        if self.digest == table.digest && self.rules.len() == table.len() {
            return;
        }
        let fresh = Self::new(table);
        *self = Self {
            now: self.now,
            given: self.given,
            last_change: self.last_change,
            levers: self.levers,
            decisions: self.decisions,
            ..fresh
        };
    }

    /// The present moment: never before the latest one, and always a number.
    pub(super) fn moment(&mut self, now: f64) -> f64 {
        if now.is_finite() && now > self.now {
            self.now = now;
        }
        self.now
    }

    /// What the rules did to a lever is over.
    fn forget(&mut self, lever: Lever, table: &Checked) {
        for (past, rule) in self.rules.iter_mut().zip(&table.table().rules) {
            if rule.payload.lever() == lever {
                past.active_until = None;
                past.fades_from = None;
            }
        }
    }

    /// Who holds a lever now: whoever they outrank may not move it.
    #[must_use]
    pub fn holder(&self, lever: Lever) -> Option<Principal> {
        let (by, until) = self.levers.get(lever as usize)?.held?;
        (until > self.now).then_some(by)
    }

    pub(super) fn lever_moved(&self, lever: Lever) -> Option<f64> {
        self.levers.get(lever as usize)?.last
    }

    pub(super) fn is_entered(&self, rule: usize) -> bool {
        self.entered >> rule & 1 == 1
    }

    pub(super) fn is_blocked(&self, rule: usize) -> bool {
        self.blocked >> rule & 1 == 1
    }

    /// Rules whose effect is active, as bits.
    pub(super) fn active(&self) -> u64 {
        let mut set = 0;
        for (i, past) in self.rules.iter().enumerate() {
            let active = past.active_until.is_some_and(|until| until > self.now);
            set |= u64::from(active) << i;
        }
        set
    }
}

/// How long what somebody set stays untouched; `None`: it holds nothing.
fn held_for(by: Principal, limits: &Limits) -> Option<f64> {
    match by {
        Principal::Learner => Some(limits.hold_for_learner),
        Principal::Instructor => Some(limits.hold_for_instructor),
        Principal::Safety | Principal::Governor | Principal::Automatic => None,
    }
}
