//! The one way by which motion becomes bytes: frames with a token in, a block a second out to a thread that keeps it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use tracing::{error, info, warn};

use super::codec::{self, ChunkError, Encoder, MOST_FRAMES};
use super::pose::MotionFrame;
use super::token::{ConsentError, ConsentToken};
use crate::protocol::ids::{LearnerId, SessionId};

/// Length of a block: what a power cut costs at most, besides the one under way. Arbitrary; shorter ones compress less.
const BLOCK: Duration = Duration::from_secs(1);
/// Blocks under way to the thread, of about 2 kB each: a minute of a disk that fails. What doesn't fit is lost, and
/// counted: motion gives way before anything a learner has learnt.
const UNDER_WAY: usize = 64;
/// Pause before a block that could not be kept is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(if cfg!(test) { 2 } else { 500 });
/// How long the program's end waits for a disk that fails.
const LAST_TRIES: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 3000 });

/// Why a frame was not taken, or not given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MotionError {
    /// The token does not serve. What was not yet kept is thrown away.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// Time ran backwards.
    #[error("a frame of motion is older than the one before it; give frames in order")]
    OutOfOrder,
    /// The bytes are no block.
    #[error(transparent)]
    Chunk(#[from] ChunkError),
}

/// About a second of one learner's motion, unsealed. Its bytes can be read inside `record/` only.
#[derive(Clone)]
pub struct MotionChunk {
    learner: LearnerId,
    session: SessionId,
    number: u32,
    began: Duration,
    delete_at_unix_ms: u64,
    bytes: Vec<u8>,
    consent_holds: Arc<AtomicBool>,
}

impl MotionChunk {
    /// Whose. With session and number, what a seal should bind the bytes to.
    #[must_use]
    pub fn learner(&self) -> LearnerId {
        self.learner
    }

    /// Of which session.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Place in the session: 0, 1, 2 …; a gap is a lost block.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Time of its first frame, since the session began.
    #[must_use]
    pub fn began(&self) -> Duration {
        self.began
    }

    /// When it has to be gone, by the consent it was recorded under.
    #[must_use]
    pub fn delete_at_unix_ms(&self) -> u64 {
        self.delete_at_unix_ms
    }

    /// What is to be sealed and kept.
    pub(in crate::record) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl std::fmt::Debug for MotionChunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MotionChunk(withheld)")
    }
}

/// The frames of a block of `learner`'s that was kept and opened, for a replay at `now_unix_ms`.
///
/// # Errors
/// The token does not serve, or the bytes are no block. Never panics, whatever they are.
pub fn decode(
    token: &ConsentToken,
    learner: LearnerId,
    now_unix_ms: u64,
    bytes: &[u8],
) -> Result<Vec<MotionFrame>, MotionError> {
    token.check(learner, now_unix_ms)?;
    Ok(codec::decode(bytes)?)
}

/// How the recording fares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MotionHealth {
    /// Blocks kept.
    pub kept: u64,
    /// Blocks lost because the disk was behind or the program ended.
    pub lost: u64,
    /// Blocks thrown away because the consent was taken back.
    pub thrown_away: u64,
    /// Why blocks cannot be kept at the moment.
    pub failing: Option<String>,
}

#[derive(Default)]
struct Counts {
    kept: AtomicU64,
    lost: AtomicU64,
    thrown_away: AtomicU64,
    failing: Mutex<Option<String>>,
    closing: AtomicBool,
}

/// Records one learner's motion in one session. Dropping it keeps what is still under way.
pub struct MotionLog {
    learner: LearnerId,
    session: SessionId,
    open: Encoder,
    number: u32,
    delete_at_unix_ms: u64,
    consent_holds: Option<Arc<AtomicBool>>,
    blocks: Option<Sender<MotionChunk>>,
    counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

impl MotionLog {
    /// Starts the thread. `keep` seals a block and puts it on the disk; where it gives an error, it is called again
    /// with the same block half a second later.
    ///
    /// # Errors
    /// The system's, where no thread can be had.
    pub fn start<E: std::fmt::Display>(
        learner: LearnerId,
        session: SessionId,
        keep: impl FnMut(&MotionChunk) -> Result<(), E> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (blocks, incoming) = bounded(UNDER_WAY);
        let counts = Arc::new(Counts::default());
        let counted = Arc::clone(&counts);
        let thread = std::thread::Builder::new()
            .name("motion".to_owned())
            .spawn(move || keep_blocks(&incoming, &counted, keep))?;
        Ok(Self {
            learner,
            session,
            open: Encoder::default(),
            number: 0,
            delete_at_unix_ms: u64::MAX,
            consent_holds: None,
            blocks: Some(blocks),
            counts,
            thread: Some(thread),
        })
    }

    /// The first block's number is this one: after those of an earlier run of the program.
    #[must_use]
    pub fn numbered_from(mut self, first: u32) -> Self {
        self.number = first;
        self
    }

    /// Takes a frame in. Never waits. `now_unix_ms` is the wall clock's time, in which consents run out.
    ///
    /// # Errors
    /// The token does not serve now (then the second under way is thrown away), or time ran backwards.
    pub fn append(
        &mut self,
        token: &ConsentToken,
        now_unix_ms: u64,
        frame: &MotionFrame,
    ) -> Result<(), MotionError> {
        if let Err(error) = token.check(self.learner, now_unix_ms) {
            if self.open.frames() > 0 {
                self.open = Encoder::default();
                self.counts.thrown_away.fetch_add(1, Ordering::Relaxed);
            }
            return Err(error.into());
        }
        if self.open.began().is_some() && frame.at < self.open.last() {
            return Err(MotionError::OutOfOrder);
        }
        let full = self.open.frames() >= MOST_FRAMES
            || self
                .open
                .began()
                .is_some_and(|began| frame.at.saturating_sub(began) >= BLOCK);
        if full {
            self.hand_over();
        }
        if self.open.frames() == 0 {
            self.delete_at_unix_ms = u64::MAX;
            self.consent_holds = Some(token.holds());
        }
        // Under two tokens in one second the stricter one rules.
        self.delete_at_unix_ms = self
            .delete_at_unix_ms
            .min(token.delete_at_unix_ms(now_unix_ms));
        self.open.push(frame);
        Ok(())
    }

    /// How it fares.
    #[must_use]
    pub fn health(&self) -> MotionHealth {
        let failing = self.counts.failing.lock();
        MotionHealth {
            kept: self.counts.kept.load(Ordering::Relaxed),
            lost: self.counts.lost.load(Ordering::Relaxed),
            thrown_away: self.counts.thrown_away.load(Ordering::Relaxed),
            failing: failing.unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn hand_over(&mut self) {
        let (Some(began), Some(consent_holds)) = (self.open.began(), self.consent_holds.take())
        else {
            return;
        };
        let block = MotionChunk {
            learner: self.learner,
            session: self.session,
            number: self.number,
            began,
            delete_at_unix_ms: self.delete_at_unix_ms,
            bytes: self.open.finish(),
            consent_holds,
        };
        self.number = self.number.saturating_add(1);
        let sent = self.blocks.as_ref().map(|blocks| blocks.try_send(block));
        if !matches!(sent, Some(Ok(()))) {
            let before = self.counts.lost.fetch_add(1, Ordering::Relaxed);
            if before == 0 {
                warn!("a second of the motion recording is lost: the disk is behind");
            }
        }
    }
}

impl std::fmt::Debug for MotionLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MotionLog({:?})", self.health())
    }
}

impl Drop for MotionLog {
    fn drop(&mut self) {
        self.hand_over();
        self.counts.closing.store(true, Ordering::Release);
        self.blocks = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("the motion thread ended by a panic; the last seconds may be missing");
        }
    }
}

fn keep_blocks<E: std::fmt::Display>(
    incoming: &Receiver<MotionChunk>,
    counts: &Counts,
    mut keep: impl FnMut(&MotionChunk) -> Result<(), E>,
) {
    let mut ending: Option<Instant> = None;
    while let Ok(block) = incoming.recv() {
        loop {
            if !block.consent_holds.load(Ordering::Acquire) {
                counts.thrown_away.fetch_add(1, Ordering::Relaxed);
                break;
            }
            let Err(cause) = keep(&block) else {
                counts.kept.fetch_add(1, Ordering::Relaxed);
                if tell(counts, None).is_some() {
                    info!("motion is recorded again");
                }
                break;
            };
            let why = cause.to_string();
            if tell(counts, Some(why.clone())).as_ref() != Some(&why) {
                error!("motion is kept in memory: {why}");
            }
            if counts.closing.load(Ordering::Acquire)
                && ending.get_or_insert_with(Instant::now).elapsed() > LAST_TRIES
            {
                let lost = incoming.try_iter().count() as u64 + 1;
                counts.lost.fetch_add(lost, Ordering::Relaxed);
                error!(seconds = lost, "motion not recorded before the end: {why}");
                return;
            }
            std::thread::sleep(RETRY_AFTER);
        }
    }
}

/// Sets why it fails, and gives what was said before.
fn tell(counts: &Counts, why: Option<String>) -> Option<String> {
    let failing = counts.failing.lock();
    std::mem::replace(&mut *failing.unwrap_or_else(PoisonError::into_inner), why)
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
