//! Whether recorded movements are what was written: every recording's chain followed, every seal opened; and what is left
//! of somebody's.

use redb::{ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata};

use super::check::Check;
use super::disk::{Mark, mark};
use super::error::Fault;
use super::movements::{BLOCK, absent, opened};
use super::sealed::{Hash, START, follow, motion_place};
use super::store::Store;
use super::writing::{HEADS, MOTION, MOTION_HEADS, MOTION_KEYS, open_head};

impl Store {
    /// Follows every recording's chain. What all heads add to the store's sum goes to `sum`.
    pub(super) fn check_motion(
        &self,
        read: &ReadTransaction,
        sum: &mut Hash,
        check: &mut Check,
    ) -> Result<(), Fault> {
        let (Some(heads), Some(blocks), Some(keys)) = (
            absent(read.open_table(MOTION_HEADS))?,
            absent(read.open_table(MOTION))?,
            absent(read.open_table(MOTION_KEYS))?,
        ) else {
            return Ok(());
        };
        let learners = read.open_table(HEADS)?;
        let mut recordings = 0;
        for entry in heads.iter()? {
            let (place, sealed) = entry?;
            let (row, session) = place.value();
            recordings += 1;
            let Ok(head) = opened(&self.secrets.heads, row, session, sealed.value()) else {
                check.problems.push(format!(
                    "the head of a recording does not open: it was changed (row {row:032x})"
                ));
                continue;
            };
            let share = self.secrets.motion_share(row, session, &head.encode());
            for (byte, other) in sum.iter_mut().zip(share) {
                *byte ^= other;
            }
            let learner = learners.get(row)?;
            let learner =
                learner.and_then(|sealed| open_head(&self.secrets, row, sealed.value()).ok());
            let key = match learner {
                Some(learner) => self.motion_key(read, learner.learner, session)?,
                None => None,
            };
            let Some(key) = key else {
                check.problems.push(format!("the key of a recording does not open: it was changed or taken away (row {row:032x})"));
                continue;
            };
            let (mut chain, mut count, sealer) = (START, 0, key.sealer());
            for entry in blocks.range((row, session, 0)..=(row, session, u32::MAX))? {
                let (place, sealed) = entry?;
                let (.., number) = place.value();
                count += 1;
                chain = follow(&chain, sealed.value());
                if sealer
                    .open(&motion_place(BLOCK, row, session, number), sealed.value())
                    .is_none()
                {
                    check.problems.push(format!("block {number} of a recording was changed or moved since it was sealed (row {row:032x})"));
                }
            }
            if (count, chain) != (head.blocks, head.chain) {
                check.problems.push(format!(
                    "the blocks of a recording do not lead to its head: {count} are there, and {} were written (row {row:032x})",
                    head.blocks
                ));
            }
            check.motion += count;
        }
        let (all_blocks, all_keys) = (blocks.len()?, keys.len()?);
        if all_blocks != check.motion || all_keys != recordings {
            check.problems.push(format!(
                "{all_blocks} blocks and {all_keys} keys of movements, and {} and {recordings} belong to a recording",
                check.motion
            ));
        }
        Ok(())
    }

    /// Marks of the wrapped keys of a learner's recordings.
    pub(super) fn motion_marks(&self, row: u128) -> Result<Vec<Mark>, Fault> {
        let read = self.database.begin_read()?;
        let mut marks = Vec::new();
        if let Some(keys) = absent(read.open_table(MOTION_KEYS))? {
            for entry in keys.range((row, 0)..=(row, u128::MAX))? {
                marks.extend(mark(entry?.1.value()));
            }
        }
        Ok(marks)
    }

    /// Recordings of this row: blocks and keys that are left.
    pub(super) fn motion_left(&self, read: &ReadTransaction, row: u128) -> Result<u64, Fault> {
        let mut left = 0;
        if let Some(blocks) = absent(read.open_table(MOTION))? {
            left += blocks
                .range((row, 0, 0)..=(row, u128::MAX, u32::MAX))?
                .count();
        }
        if let Some(keys) = absent(read.open_table(MOTION_KEYS))? {
            left += keys.range((row, 0)..=(row, u128::MAX))?.count();
        }
        Ok(left as u64)
    }
}
