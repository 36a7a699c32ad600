//! The end of the file holds nothing: two pages lie behind the last of redb's, so that a file whose last page is gone
//! (a file system mended after a power cut, a copy that broke off) has lost none of it. redb syncs a file that grows
//! before it uses the room, so a power cut alone takes nothing either.

use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redb::{BackendError, StorageBackend};

/// redb's pages, in bytes: what it lays lies at multiples of this.
const PAGE: u64 = 4096;
/// What lies behind the last page.
const TAIL: u64 = 2 * PAGE;
/// How it begins; the place where it begins follows, so that none that was left behind by a longer file counts.
const MARK: [u8; 24] = *b"nothing of redb's behind";
const MARKED: usize = MARK.len() + 8;
const UNKNOWN: u64 = u64::MAX;

/// A file without its end.
#[derive(Debug)]
pub(super) struct Tail<B> {
    file: B,
    /// What redb knows of, in bytes; [`UNKNOWN`] until somebody asks.
    length: AtomicU64,
    /// Whether the end is there, whole.
    whole: AtomicBool,
}

impl<B: StorageBackend> Tail<B> {
    pub(super) fn of(file: B) -> Self {
        Self {
            file,
            length: AtomicU64::new(UNKNOWN),
            whole: AtomicBool::new(false),
        }
    }

    /// How long the file is for redb. One from before there were ends, or whose end is not to be seen, is redb's
    /// as it is.
    fn found(&self) -> io::Result<u64> {
        let all = self.file.len()?;
        let latest = all.saturating_sub(MARKED as u64) / PAGE * PAGE;
        let earliest = all.saturating_sub(TAIL).div_ceil(PAGE) * PAGE;
        let mut at = latest;
        while at >= earliest.max(PAGE) {
            let mut bytes = [0; MARKED];
            self.file.read(at, &mut bytes)?;
            if bytes == mark(at) {
                self.whole.store(at + TAIL == all, Ordering::Relaxed);
                return Ok(at);
            }
            at -= PAGE;
        }
        Ok(all)
    }

    /// Lays the end behind a file of this length.
    fn lay(&self, length: u64) -> io::Result<()> {
        self.whole.store(false, Ordering::Relaxed);
        if length < PAGE {
            return self.file.set_len(length);
        }
        self.file.set_len(length + TAIL)?;
        self.file.write(length, &mark(length))?;
        self.whole.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// How the end of a file of this length begins.
fn mark(length: u64) -> [u8; MARKED] {
    let mut bytes = [0; MARKED];
    let (words, place) = bytes.split_at_mut(MARK.len());
    words.copy_from_slice(&MARK);
    place.copy_from_slice(&length.to_le_bytes());
    bytes
}

impl<B: StorageBackend> StorageBackend for Tail<B> {
    fn len(&self) -> io::Result<u64> {
        let known = self.length.load(Ordering::Relaxed);
        if known != UNKNOWN {
            return Ok(known);
        }
        let length = self.found()?;
        self.length.store(length, Ordering::Relaxed);
        Ok(length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let before = self.len()?;
        if self.whole.load(Ordering::Relaxed) && length > before {
            // What is new is empty.
            self.file.write(before, &[0; MARKED])?;
        }
        self.lay(length)?;
        self.length.store(length, Ordering::Relaxed);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if !self.whole.load(Ordering::Relaxed) {
            let length = self.len()?;
            if length >= PAGE {
                self.lay(length)?;
            }
        }
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
