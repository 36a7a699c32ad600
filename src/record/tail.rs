//! The end of the file holds nothing: two pages lie behind the last of redb's, so that a file whose last page is gone
//! (a file system mended after a power cut, a copy that broke off) has lost none of it. redb syncs a file that grows
//! before it uses the room, so a power cut alone takes nothing either.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redb::StorageBackend;

/// redb's pages, in bytes: what it lays lies at multiples of this.
const PAGE: u64 = 4096;
/// What lies behind the last page.
const TAIL: u64 = 2 * PAGE;
/// How it begins; the place where it begins follows, so that none that was left behind by a longer file counts.
const MARK: [u8; 24] = *b"nothing of redb's behind";
const MARKED: usize = MARK.len() + 8;
const UNKNOWN: u64 = u64::MAX;

/// A file, and how much of it is redb's.
#[derive(Debug)]
pub(super) struct Tail<B: ?Sized> {
    /// What redb knows of, in bytes; [`UNKNOWN`] until somebody asks.
    length: AtomicU64,
    /// Whether the end is there, whole.
    whole: AtomicBool,
    /// All of it, the end too.
    pub(super) file: B,
}

impl<B: StorageBackend> Tail<B> {
    pub(super) fn of(file: B) -> Self {
        Self {
            length: AtomicU64::new(UNKNOWN),
            whole: AtomicBool::new(false),
            file,
        }
    }
}

impl<B: StorageBackend + ?Sized> Tail<B> {
    /// How long it is by its end. One from before there were ends, or whose end is not to be seen, is redb's
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

    /// How long the file is for redb.
    pub(super) fn len(&self) -> io::Result<u64> {
        let known = self.length.load(Ordering::Relaxed);
        if known != UNKNOWN {
            return Ok(known);
        }
        let length = self.found()?;
        self.length.store(length, Ordering::Relaxed);
        Ok(length)
    }

    /// As redb asks; what is new is empty.
    pub(super) fn set_len(&self, length: u64) -> io::Result<()> {
        let before = self.len()?;
        if self.whole.load(Ordering::Relaxed) && length > before {
            self.file.write(before, &[0; MARKED])?;
        }
        self.lay(length)?;
        self.length.store(length, Ordering::Relaxed);
        Ok(())
    }

    /// As redb asks; before the first time, the end is laid where it is missing.
    pub(super) fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if !self.whole.load(Ordering::Relaxed) {
            let length = self.len()?;
            if length >= PAGE {
                self.lay(length)?;
            }
        }
        self.file.write(offset, data)
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
