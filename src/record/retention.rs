//! How long records are kept, and the sweeper that ends it. No single reading of the wall clock is trusted: it may
//! jump, and a headset without a clock battery wakes up in 1970.
//!
//! Each sweep reads the clock; readings within [`APART`] are one sighting. Of two sightings in a row at most one may be
//! wrong; then the earlier of the two readings is no later than now, whichever is wrong ("believed"), and the later
//! one, where it is the second, is no earlier than the first sighting was ("not after"). What was there at the first
//! sighting is no younger than that. Records go when even the latest time they can be of is so long before even the
//! earliest time it can be. The times inside events are not asked, so a clock that is ahead or behind while a learner
//! plays changes nothing. A clock that stays wrong for longer than [`APART`], through two sweeps, is believed.
//! All of it errs towards keeping, by up to two pauses between sweeps.

use redb::{ReadableDatabase, ReadableTable};
use serde::{Deserialize, Serialize};

use super::audit::{Action, By, Tombstone};
use super::error::{Fault, RecordError};
use super::purpose::RetentionPolicy;
use super::sealed::{LearnerHead, Sightings, audit_place, follow};
use super::store::Store;
use super::writing::{AUDIT, HEADS, Writing, open_head};
use crate::protocol::ids::LearnerId;

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;
/// Readings of the clock closer than this are one sighting: a wrong clock should be noticed within half a day (our choice).
const APART: u64 = DAY / 2;

/// Days for which records are kept, by purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// For teaching: a learner's events, after their last activity.
    pub teaching: u64,
    /// For accounting for what was done: audit entries, tombstones and erasures among them.
    pub audit: u64,
}

impl From<&RetentionPolicy> for Retention {
    /// The periods of the one policy that `docs/privacy.md` is made from.
    fn from(policy: &RetentionPolicy) -> Self {
        Self {
            teaching: u64::from(policy.log_days),
            audit: u64::from(policy.audit_days),
        }
    }
}

impl Default for Retention {
    /// As the policy that is delivered.
    fn default() -> Self {
        Self::from(&RetentionPolicy::default())
    }
}

/// What the sweeper did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SweepReport {
    /// Whose time is over: erased, or to be erased.
    pub erased: Vec<Tombstone>,
    /// Learners kept.
    pub kept: u64,
    /// Audit entries removed, or to be removed.
    pub audit_removed: u64,
    /// Recordings of movements whose time is over: forgotten. Not counted by a dry run.
    pub motion_forgotten: u64,
    /// The time that it went by, milliseconds since the Unix epoch; 0: none is believed yet.
    pub believed_unix_ms: u64,
    /// True where the wall clock is days off that: it jumped, or nobody swept for days.
    pub clock_in_doubt: bool,
}

impl Sightings {
    /// The clock shows this. Returns the latest time that the sighting before can have been (`u64::MAX`: unknown);
    /// `None`: this is the same sighting still.
    pub(super) fn see(&mut self, now: u64) -> Option<u64> {
        if self.last != 0 && now.abs_diff(self.last) < APART {
            return None;
        }
        // The first one confirms nothing.
        self.believed = self.believed.max(self.last.min(now));
        let not_after = if self.last <= now { now } else { u64::MAX };
        // 0 says that there was none.
        self.last = now.max(1);
        Some(not_after)
    }

    /// Whether these days are over for what is of this time at the latest.
    fn over(&self, not_after: u64, days: u64) -> bool {
        not_after.saturating_add(days.saturating_mul(DAY)) <= self.believed && not_after < u64::MAX
    }
}

/// A learner's head after a sighting.
fn sighted(head: &LearnerHead, not_after: u64) -> LearnerHead {
    if head.events == head.noticed_events {
        LearnerHead {
            not_after_unix_ms: head.not_after_unix_ms.min(not_after),
            ..*head
        }
    } else {
        LearnerHead {
            noticed_events: head.events,
            not_after_unix_ms: u64::MAX,
            ..*head
        }
    }
}

/// Whether a learner has not been here for these days.
fn gone(head: &LearnerHead, clock: &Sightings, days: u64) -> bool {
    head.events == head.noticed_events && clock.over(head.not_after_unix_ms, days)
}

impl Store {
    /// Erases whoever has not been here for as long as records are kept, and audit entries whose time is over.
    /// `by.at_unix_ms` is what the wall clock shows. With `dry_run` nothing is written.
    ///
    /// # Errors
    /// [`RecordError`]; nothing was then erased, or, after the first write, the next opening ends it.
    pub fn sweep(
        &self,
        retention: &Retention,
        by: &By,
        dry_run: bool,
    ) -> Result<SweepReport, RecordError> {
        self.guarded(|| {
            let now = by.at_unix_ms;
            let read = self.database.begin_read()?;
            let mut clock = self.store_head(&read)?.clock;
            let not_after = clock.see(now);
            let mut report = SweepReport {
                believed_unix_ms: clock.believed,
                clock_in_doubt: now.abs_diff(clock.believed) > DAY + APART,
                ..SweepReport::default()
            };
            let (mut over, mut seen) = (Vec::new(), Vec::new());
            for entry in read.open_table(HEADS)?.iter()? {
                let (row, sealed) = entry?;
                let head = open_head(&self.secrets, row.value(), sealed.value())?;
                let new = not_after.map_or(head, |not_after| sighted(&head, not_after));
                if gone(&new, &clock, retention.teaching) {
                    over.push(head);
                    continue;
                }
                report.kept += 1;
                if new != head {
                    seen.push((row.value(), head, new));
                }
            }
            let old_entries = self.old_entries(retention, &clock)?;
            report.audit_removed = old_entries;
            drop(read);
            if dry_run {
                report.erased = over.iter().map(|head| self.tombstone(head)).collect();
                return Ok(report);
            }
            self.write(|writing| {
                writing.head.clock = clock;
                for (row, old, new) in &seen {
                    writing.put_head(*row, Some(old), new)?;
                }
                for head in &over {
                    report.erased.extend(writing.erase(head.learner, by)?);
                }
                writing.forget_audit(old_entries)?;
                // Here a wrong clock errs towards forgetting: movements are no part of what a learner has learnt.
                report.motion_forgotten = writing.forget_old_motion(now.max(clock.believed))?;
                let swept = Action::Swept {
                    erased: report.erased.len() as u64,
                    kept: report.kept,
                    audit_removed: old_entries,
                    not_after_unix_ms: not_after,
                };
                writing.audit(by, None, swept)
            })?;
            self.wipe()?;
            Ok(report)
        })
    }

    /// Who has not been here for these days, by what the last [sweep](Self::sweep) saw of the clock.
    ///
    /// # Errors
    /// [`RecordError`]: the store cannot be read.
    pub fn away(&self, days: u64) -> Result<Vec<LearnerId>, RecordError> {
        self.guarded(|| {
            let read = self.database.begin_read()?;
            let clock = self.store_head(&read)?.clock;
            let mut away = Vec::new();
            for entry in read.open_table(HEADS)?.iter()? {
                let (row, sealed) = entry?;
                let head = open_head(&self.secrets, row.value(), sealed.value())?;
                if gone(&head, &clock, days) {
                    away.push(head.learner);
                }
            }
            Ok(away)
        })
    }

    /// How many of the oldest audit entries are over: all before a sighting of which the next one tells how late it
    /// was at most.
    fn old_entries(&self, retention: &Retention, clock: &Sightings) -> Result<u64, Fault> {
        let read = self.database.begin_read()?;
        let (mut old, mut sighted) = (0, 0);
        for (entry, before) in read.open_table(AUDIT)?.iter()?.zip(0..) {
            let (seq, sealed) = entry?;
            let entry = self.open_entry(seq.value(), sealed.value())?;
            if let Action::Swept {
                not_after_unix_ms: Some(not_after),
                ..
            } = entry.action
            {
                if clock.over(not_after, retention.audit) {
                    old = sighted;
                }
                sighted = before;
            }
        }
        Ok(old)
    }
}

impl Writing<'_> {
    /// Removes this many of the oldest audit entries; the chain goes on from where they ended.
    fn forget_audit(&mut self, count: u64) -> Result<(), Fault> {
        for _ in 0..count {
            let first = self.audit.pop_first()?;
            let Some((seq, sealed)) = first.map(|(seq, it)| (seq.value(), it.value().to_vec()))
            else {
                break;
            };
            if self
                .secrets
                .audit
                .open(&audit_place(seq), &sealed)
                .is_none()
            {
                return Err(Fault::Damaged(format!("audit entry {seq} does not open")));
            }
            self.head.audit_swept_chain = follow(&self.head.audit_swept_chain, &sealed);
            self.head.audit_swept = seq;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "retention_tests.rs"]
mod tests;
