//! What goes together in one message, and the draw among what is equally good.

use super::checked::Checked;
use super::choose::{Draw, Open, Trial, WhyNot};
use super::memory::Memory;
use super::precedence::Lever;
use super::table::Payload;
use crate::learning::few::Few;

/// A message in the making.
pub(super) struct Message {
    room: u32,
    lately_left: u32,
    pub changes_left: u32,
    levers: [bool; Lever::ALL.len()],
    taken: u64,
    pub resting: bool,
}

impl Message {
    pub(super) fn new(table: &Checked, memory: &Memory) -> Self {
        let limits = &table.table().limits;
        let lately = memory.given.within(limits.window, memory.now);
        Self {
            room: limits.per_message,
            lately_left: limits.per_window.saturating_sub(lately),
            changes_left: limits.changes_at_once,
            levers: [false; Lever::ALL.len()],
            taken: 0,
            resting: false,
        }
    }

    pub(super) fn admits(&self, table: &Checked, rule: usize) -> Result<(), WhyNot<u8>> {
        let (Some(compiled), Some(written)) = (table.rules.get(rule), table.rule(rule)) else {
            return Err(WhyNot::NothingLeft);
        };
        if self.resting {
            return Err(WhyNot::SafetyFirst);
        }
        if self.room == 0 {
            return Err(WhyNot::MessageFull);
        }
        // Only a break now is worth more than the limit.
        if self.lately_left == 0 && written.payload != Payload::Rest {
            return Err(WhyNot::TooManyLately);
        }
        let conflicting = compiled.conflicts & self.taken;
        if conflicting != 0 {
            // Fewer than 64.
            return Err(WhyNot::ConflictsWith(conflicting.trailing_zeros() as u8));
        }
        let lever = written.payload.lever();
        let moved = self.levers.get(lever as usize).copied().unwrap_or(false);
        if moved || (compiled.is_change && self.changes_left == 0) {
            return Err(WhyNot::OneAtATime);
        }
        Ok(())
    }

    pub(super) fn take(&mut self, table: &Checked, rule: usize) {
        let (Some(compiled), Some(written)) = (table.rules.get(rule), table.rule(rule)) else {
            return;
        };
        self.room = self.room.saturating_sub(1);
        self.lately_left = self.lately_left.saturating_sub(1);
        if compiled.is_change {
            self.changes_left = self.changes_left.saturating_sub(1);
        }
        if let Some(moved) = self.levers.get_mut(written.payload.lever() as usize) {
            *moved = true;
        }
        self.taken |= 1_u64 << rule;
    }
}

/// Whether a rule may be compared.
pub(super) fn is_experimental(table: &Checked, rule: usize) -> bool {
    let allowed = table.rule(rule).is_some_and(|rule| rule.experiment);
    allowed && table.table().experiment.is_some()
}

/// Draws one of the experimental rules of the same priority, or nothing.
pub(super) fn trial(
    table: &Checked,
    open: &Open,
    message: &Message,
    first: usize,
    draw: Draw,
) -> Option<Trial> {
    let nothing = table.table().experiment?.do_nothing;
    let priority = table.rule(first)?.priority;
    let mut arms = Few::default();
    for &rule in &table.order {
        let rule = usize::from(rule);
        let equal = table
            .rule(rule)
            .is_some_and(|rule| rule.priority == priority);
        let fresh = matches!(open.get(rule), Some(Some((_, false))));
        if equal && fresh && is_experimental(table, rule) && message.admits(table, rule).is_ok() {
            arms.push(rule);
        }
    }
    let propensity = (1.0 - nothing) / arms.len().max(1) as f64;
    let beyond = draw.uniform - nothing;
    // Rounding may carry it one past the last.
    let place = ((beyond / propensity) as usize).min(arms.len().saturating_sub(1));
    let drawn = (beyond >= 0.0).then(|| arms.iter().nth(place).copied());
    Some(Trial {
        arms,
        drawn: drawn.flatten(),
        propensity,
        propensity_of_nothing: nothing,
        draw,
    })
}
