//! A new master key: data keys are wrapped anew, in one commit, and the old wrappings wiped from the file.

use redb::{ReadableDatabase, ReadableTable};

use super::audit::{Action, By};
use super::error::{Fault, RecordError};
use super::key::{KeyError, Keys, MasterKey};
use super::sealed::key_place;
use super::store::Store;
use super::unlock::lock;
use super::writing::{HEADS, KEYS, META_MASTER, no_data_key, open_head};

impl Store {
    /// Wraps all data keys, and the store's own secret, with the key that follows the present one, without touching
    /// any event. Broken off at any moment, the one or the other key opens all of it. Returns how many data keys
    /// there are.
    ///
    /// A roster is to be saved with `next` before (both keys open it then), and with [`Store::keys`] after.
    /// `next`: from [`Keys::renewed`] or [`Keys::followed_by`].
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn rotate(&mut self, next: &Keys, by: &By) -> Result<u64, RecordError> {
        let Some(master) = next.next().cloned() else {
            return Err(RecordError::Key {
                file: self.file.clone(),
                cause: KeyError::NoKey {
                    place: next.place(),
                    why: "none is to follow it",
                },
            });
        };
        let keys = self.guarded(|| {
            let rows = self.wrapped_anew(&master)?;
            let count = rows.len() as u64;
            let root = lock(&master, &self.secrets)?;
            self.write(|writing| {
                for (row, wrapped) in &rows {
                    let old = writing.keys.insert(row, wrapped.as_slice())?;
                    let old = old.map(|old| old.value().to_vec());
                    writing.wipe_later(&old.unwrap_or_default())?;
                }
                let old = writing.meta.insert(META_MASTER, root.as_slice())?;
                let old = old.map(|old| old.value().to_vec()).unwrap_or_default();
                // Before it stands the check value.
                writing.wipe_later(old.get(16..).unwrap_or_default())?;
                writing.audit(by, None, Action::KeysRotated { keys: count })
            })?;
            Ok(count)
        })?;
        self.master = master;
        self.keys = next.clone();
        // Only now may the old key go.
        self.keys = self.guarded(|| Ok(next.settled(&self.master)?))?;
        self.guarded(|| self.wipe())?;
        Ok(keys)
    }

    fn wrapped_anew(&self, master: &MasterKey) -> Result<Vec<(u128, Vec<u8>)>, Fault> {
        let (old, new) = (self.master.wrapping(), master.wrapping());
        let read = self.database.begin_read()?;
        let keys = read.open_table(KEYS)?;
        let mut rows = Vec::new();
        for entry in read.open_table(HEADS)?.iter()? {
            let (row, sealed) = entry?;
            let row = row.value();
            let head = open_head(&self.secrets, row, sealed.value())?;
            let place = key_place(head.learner);
            let key = keys
                .get(row)?
                .and_then(|key| old.open_secret(&place, key.value()))
                .ok_or_else(no_data_key)?;
            rows.push((row, new.seal(&place, key.bytes())?));
        }
        Ok(rows)
    }
}

#[cfg(test)]
#[path = "rotate_tests.rs"]
mod tests;
