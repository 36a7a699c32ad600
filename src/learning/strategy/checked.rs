//! A table that was found sound, in the form that is fast to ask: names resolved, sets as bits.

use super::feature::{Feature, View};
use super::table::{Bound, Payload, Rule, Strategy, Table, direction};
use crate::learning::hints::HintRules;

/// A sound table. Only [`super::check::check`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    pub(super) table: Table,
    pub(super) rules: Vec<Compiled>,
    pub(super) leave_alone: Option<Conditions>,
    /// Rules by urgency: comfort, then priority, then as written.
    pub(super) order: Vec<u8>,
    pub(super) digest: u32,
}

/// What is asked of a rule again and again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Compiled {
    pub when: Conditions,
    pub blocked: Vec<Cond>,
    pub conflicts: u64,
    pub direction: i8,
    pub advances: bool,
    pub is_change: bool,
    pub safety: bool,
}

/// All and any.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Conditions {
    pub all: Vec<Cond>,
    pub any: Vec<Cond>,
}

/// One condition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cond {
    pub feature: Feature,
    pub bound: Bound,
    pub above: bool,
    pub enter: f64,
    pub leave: f64,
}

/// How a condition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Holds,
    Fails,
    Absent,
}

impl Checked {
    /// The table as written.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Its name and a checksum of its content, for logs: an edited table can't pass for the one it was.
    #[must_use]
    pub fn edition(&self) -> String {
        format!("{} ({:08x})", self.table.name, self.digest)
    }

    /// The hint ladder's numbers.
    #[must_use]
    pub fn hints(&self) -> &HintRules {
        &self.table.hints
    }

    /// The rule of that number.
    #[must_use]
    pub fn rule(&self, number: usize) -> Option<&Rule> {
        self.table.rules.get(number)
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.rules.len()
    }

    /// Never: a sound table has rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.rules.is_empty()
    }
}

impl Compiled {
    /// Of a rule whose features are all known.
    pub(super) fn of(rule: &Rule, when: Conditions, blocked: Vec<Cond>, conflicts: u64) -> Self {
        Self {
            when,
            blocked,
            conflicts,
            direction: direction(&rule.payload),
            advances: rule.payload.advances(),
            is_change: rule.payload.is_change(),
            safety: rule.strategy == Strategy::Comfort,
        }
    }
}

impl Cond {
    /// Whether it holds; `entered`: it held a moment ago. With `of_evidence` a value that rests on nothing doesn't count.
    pub(super) fn stands(&self, view: &View, entered: bool, of_evidence: bool) -> Standing {
        let Some(seen) = view.get(self.feature) else {
            return Standing::Absent;
        };
        if of_evidence && seen.n == 0 {
            return Standing::Absent;
        }
        let value = match self.bound {
            Bound::Lower => seen.lower,
            Bound::Mean => seen.mean,
            Bound::Upper => seen.upper,
        };
        let threshold = if entered { self.leave } else { self.enter };
        let holds = if self.above {
            value >= threshold
        } else {
            value <= threshold
        };
        if holds {
            Standing::Holds
        } else {
            Standing::Fails
        }
    }
}

impl Conditions {
    /// Whether they hold; else what is absent, if that is the reason.
    pub(super) fn hold(
        &self,
        view: &View,
        entered: bool,
        of_evidence: bool,
    ) -> Result<(), Option<Feature>> {
        let mut missing = None;
        for cond in &self.all {
            match cond.stands(view, entered, of_evidence) {
                Standing::Holds => {}
                Standing::Fails => return Err(None),
                Standing::Absent => missing = missing.or(Some(cond.feature)),
            }
        }
        if missing.is_some() {
            return Err(missing);
        }
        if self.any.is_empty() {
            return Ok(());
        }
        for cond in &self.any {
            match cond.stands(view, entered, of_evidence) {
                Standing::Holds => return Ok(()),
                Standing::Fails => {}
                Standing::Absent => missing = missing.or(Some(cond.feature)),
            }
        }
        Err(missing)
    }

    /// All of them, for an explanation.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Cond> {
        self.all.iter().chain(&self.any)
    }
}

/// Name of a payload as a table writes it.
pub(super) fn name_of(payload: &Payload) -> &'static str {
    match payload {
        Payload::Rest => "rest",
        Payload::OfferBreak => "offer_break",
        Payload::OfferHint => "offer_hint",
        Payload::AddSupport { .. } => "add_support",
        Payload::FadeSupport => "fade_support",
        Payload::Difficulty { .. } => "difficulty",
        Payload::Pace { .. } => "pace",
        Payload::ChangeApproach => "change_approach",
        Payload::Vary { .. } => "vary",
        Payload::MoveOn => "move_on",
        Payload::Review => "review",
        Payload::TellInstructor => "tell_instructor",
    }
}
