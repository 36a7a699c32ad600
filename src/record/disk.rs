//! The file under the database, shared with it: redb writes new pages and leaves old ones where they are, so a key
//! that is gone from its table may still lie in the file. What must not stay is overwritten here.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::ops::Bound;
use std::sync::Arc;

use redb::{BackendError, StorageBackend};

use super::seal::WRAPPED;
use super::tail::Tail;

/// One backend for the database and for us.
#[derive(Clone)]
pub(super) struct Shared(Arc<Tail<dyn StorageBackend>>);

/// Bytes looked through at a time.
const BLOCK: usize = 1 << 20;

/// The first half of a wrapped key's nonce: enough to find it, too little to open it.
pub(super) type Mark = [u8; 12];

/// The mark of a wrapped key.
pub(super) fn mark(wrapped: &[u8]) -> Option<Mark> {
    wrapped.first_chunk().copied()
}

impl Shared {
    pub(super) fn new(backend: impl StorageBackend) -> Self {
        Self(Arc::new(Tail::of(backend)))
    }

    /// Overwrites every wrapped key that begins with one of these marks, wherever in the file it lies; it is on the
    /// disk when this returns. Returns how many there were. None of them may be in a table any more, nor in the
    /// state before the last commit, which redb would fall back to.
    pub(super) fn wipe(&self, marks: &BTreeSet<Mark>) -> io::Result<u64> {
        let mut wiped = 0;
        self.find(marks, |at| {
            wiped += 1;
            self.0.file.write(at, &[0; WRAPPED])
        })?;
        self.0.file.sync_data()?;
        Ok(wiped)
    }

    /// How many wrapped keys with these marks lie anywhere in the file.
    pub(super) fn count(&self, marks: &BTreeSet<Mark>) -> io::Result<u64> {
        let mut found = 0;
        self.find(marks, |_| {
            found += 1;
            Ok(())
        })?;
        Ok(found)
    }

    /// Overwrites all of it: for a file that has been replaced by another.
    pub(super) fn wipe_all(&self) -> io::Result<()> {
        let zeros = vec![0; BLOCK];
        let len = self.0.file.len()?;
        for at in (0..len).step_by(BLOCK) {
            let here = usize::try_from(len - at).map_or(BLOCK, |left| left.min(BLOCK));
            self.0
                .file
                .write(at, zeros.get(..here).unwrap_or_default())?;
        }
        self.0.file.sync_data()
    }

    fn find(
        &self,
        marks: &BTreeSet<Mark>,
        mut found: impl FnMut(u64) -> io::Result<()>,
    ) -> io::Result<()> {
        if marks.is_empty() {
            return Ok(());
        }
        // Most places are passed over after one look.
        let mut first = [false; 256];
        for mark in marks {
            first[usize::from(mark[0])] = true;
        }
        let len = self.0.file.len()?;
        let mut block = vec![0; BLOCK + WRAPPED];
        for at in (0..len).step_by(BLOCK) {
            // Blocks overlap, so that none is missed at an edge.
            let here = usize::try_from(len - at).map_or(block.len(), |left| left.min(block.len()));
            let Some(bytes) = block.get_mut(..here) else {
                continue;
            };
            self.0.file.read(at, bytes)?;
            for (offset, window) in bytes.windows(WRAPPED).enumerate().take(BLOCK) {
                let Some(start) = window.first_chunk::<12>() else {
                    continue;
                };
                if first[usize::from(start[0])] && marks.contains(start) {
                    found(at + offset as u64)?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.file.fmt(f)
    }
}

impl StorageBackend for Shared {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.0.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.file.query_lock_range(start, end)
    }
}
