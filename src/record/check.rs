//! Whether a store is what was written: every seal opened, every chain followed, every head compared.

use redb::{ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata};

use super::codec;
use super::error::{Fault, RecordError};
use super::seal::Sealer;
use super::sealed::{Hash, LearnerHead, START, audit_place, event_place, follow, key_place};
use super::store::Store;
use super::writing::{AUDIT, EVENTS, HEADS, KEYS, open_head};

/// What [`Store::check`] found.
#[derive(Debug, Default)]
pub struct Check {
    /// Events read.
    pub events: u64,
    /// Audit entries read.
    pub audit: u64,
    /// Blocks of recorded movements read.
    pub motion: u64,
    /// Stands for all of it in 16 hexadecimal digits. A whole file put back to an earlier state is consistent in
    /// itself: only these digits, noted elsewhere, tell it from the present one.
    pub fingerprint: String,
    /// What is wrong, in words; empty: the store is whole.
    pub problems: Vec<String>,
}

impl Store {
    /// Reads everything and says what is wrong with it: anything changed, removed, cut off or reordered.
    ///
    /// # Errors
    /// [`RecordError`] where reading itself fails.
    pub fn check(&self) -> Result<Check, RecordError> {
        self.guarded(|| self.read_check())
    }

    fn read_check(&self) -> Result<Check, Fault> {
        let read = self.database.begin_read()?;
        let head = self.store_head(&read)?;
        let mut check = Check::default();
        let heads = read.open_table(HEADS)?;
        let (mut sum, mut learners) = (START, 0);
        for entry in heads.iter()? {
            let (row, sealed) = entry?;
            let row = row.value();
            let Ok(head) = open_head(&self.secrets, row, sealed.value()) else {
                check.problems.push(format!(
                    "the head of a log does not open: it was changed (row {row:032x})"
                ));
                continue;
            };
            learners += 1;
            for (byte, other) in sum.iter_mut().zip(self.secrets.share(row, &head)) {
                *byte ^= other;
            }
            self.check_log(&read, row, &head, &mut check)?;
        }
        self.check_motion(&read, &mut sum, &mut check)?;
        if learners != head.learners || sum != head.sum {
            check.problems.push(format!(
                "a log was removed, added or put back to an earlier state: {learners} logs, and {} were written",
                head.learners
            ));
        }
        let rows = read.open_table(EVENTS)?.len()?;
        if rows != check.events {
            check.problems.push(format!(
                "{rows} events, and {} belong to a log",
                check.events
            ));
        }
        let keys = read.open_table(KEYS)?.len()?;
        if keys != learners {
            check
                .problems
                .push(format!("{keys} data keys for {learners} logs"));
        }
        let stands = (head.audit, head.audit_chain);
        let begins = (head.audit_swept, head.audit_swept_chain);
        self.check_audit(&read, begins, stands, &mut check)?;
        let all = [sum, head.audit_chain].concat();
        check.fingerprint = blake3::hash(&all).to_hex().chars().take(16).collect();
        Ok(check)
    }

    fn check_log(
        &self,
        read: &ReadTransaction,
        row: u128,
        head: &LearnerHead,
        check: &mut Check,
    ) -> Result<(), Fault> {
        let learner = head.learner;
        let key = read.open_table(KEYS)?.get(row)?;
        let sealer = key.and_then(|key| {
            let wrapping = self.master.wrapping();
            wrapping.open_secret(&key_place(learner), key.value())
        });
        let sealer = sealer.map(|key| key.sealer());
        if sealer.is_none() {
            check.problems.push(format!(
                "learner {learner}: the data key does not open: it was changed or taken away"
            ));
        }
        let mut chain = START;
        let mut last = 0;
        for entry in read.open_table(EVENTS)?.range((row, 0)..=(row, u64::MAX))? {
            let (key, sealed) = entry?;
            let (_, seq) = key.value();
            check.events += 1;
            if seq != last + 1 {
                check
                    .problems
                    .push(format!("learner {learner}: after event {last} comes {seq}"));
            }
            last = seq;
            chain = follow(&chain, sealed.value());
            if let Some(why) = sealer
                .as_ref()
                .and_then(|sealer| wrong(sealer, head, row, seq, sealed.value()))
            {
                check
                    .problems
                    .push(format!("learner {learner}: event {seq}: {why}"));
            }
        }
        if last != head.events || chain != head.chain {
            check.problems.push(format!(
                "learner {learner}: the chain does not lead to its head: the log ends with event {last}, and {} was the last written",
                head.events
            ));
        }
        Ok(())
    }

    fn check_audit(
        &self,
        read: &ReadTransaction,
        (mut last, mut chain): (u64, Hash),
        stands: (u64, Hash),
        check: &mut Check,
    ) -> Result<(), Fault> {
        for entry in read.open_table(AUDIT)?.iter()? {
            let (seq, sealed) = entry?;
            let seq = seq.value();
            check.audit += 1;
            if seq != last.saturating_add(1) {
                check
                    .problems
                    .push(format!("audit: after entry {last} comes {seq}"));
            }
            last = seq;
            chain = follow(&chain, sealed.value());
            let opens = self.secrets.audit.open(&audit_place(seq), sealed.value());
            if opens.is_none() {
                check.problems.push(format!(
                    "audit: entry {seq} was changed or moved since it was sealed"
                ));
            }
        }
        if (last, chain) != stands {
            check.problems.push(format!(
                "audit: the chain does not lead to its head: it ends with entry {last}, and {} was the last written",
                stands.0
            ));
        }
        Ok(())
    }
}

/// What is wrong with an event.
fn wrong(
    sealer: &Sealer,
    head: &LearnerHead,
    row: u128,
    seq: u64,
    sealed: &[u8],
) -> Option<String> {
    let Some(text) = sealer.open(&event_place(row, seq), sealed) else {
        return Some("it was changed or moved since it was sealed".to_owned());
    };
    match codec::decode(&text) {
        Ok(event) if event.seq == seq && event.learner == head.learner => None,
        Ok(_) => Some("it names another learner or place".to_owned()),
        Err(error) => Some(error.to_string()),
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
