//! Whether this machine goes: it is being drained, or the program ends now. Whoever is connected is told in good time.

use std::time::{Duration, Instant};

use crate::protocol::wire::{Notice, NoticeCode};

/// Who is sent away by draining comes again after this: as long as it takes to put something else in this one's place.
const AFTER_DRAINING: Duration = Duration::from_secs(60);
/// A program that was stopped is often started again.
const AFTER_STOPPING: Duration = Duration::from_secs(5);

/// Whether the machine goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Going {
    /// It stays.
    #[default]
    No,
    /// Nobody new is let in; it ends when the sessions have, at this time at the latest.
    Draining {
        /// When.
        until: Instant,
    },
    /// It ends now.
    Stopping,
}

impl Going {
    /// What is said of it.
    pub(super) fn notice(self) -> Notice {
        let (code, within, again, message) = match self {
            Self::No => (
                NoticeCode::Staying,
                Duration::ZERO,
                Duration::ZERO,
                "this machine stays; everybody is let in again".to_owned(),
            ),
            Self::Draining { until } => {
                let within = until.saturating_duration_since(Instant::now());
                let words = format!(
                    "this machine is being drained: it takes nobody new, and ends when the sessions on it have, in {} s at the \
                     latest; finish what is under way, or go to another machine",
                    within.as_secs()
                );
                (NoticeCode::Draining, within, AFTER_DRAINING, words)
            }
            Self::Stopping => (
                NoticeCode::Stopping,
                Duration::ZERO,
                AFTER_STOPPING,
                format!(
                    "this program ends now; come again in {} s, or go to another machine",
                    AFTER_STOPPING.as_secs()
                ),
            ),
        };
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Notice {
            code,
            within_ms: ms(within),
            again_ms: ms(again),
            message,
        }
    }
}
