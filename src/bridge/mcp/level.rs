//! How weighty a line must be for the log of a session's client.

// Deprecated by 2026-07-28, and what every client before it expects.
#![allow(deprecated)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use rmcp::model::LoggingLevel;

/// How weighty a line must be for the log of a session's client.
#[derive(Clone)]
pub(super) struct Level(Arc<AtomicU8>);

impl Default for Level {
    fn default() -> Self {
        Self(Arc::new(AtomicU8::new(weight(LoggingLevel::Info))))
    }
}

impl Level {
    pub(super) fn set(&self, level: LoggingLevel) {
        self.0.store(weight(level), Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> LoggingLevel {
        match self.0.load(Ordering::Relaxed) {
            0 => LoggingLevel::Debug,
            1 => LoggingLevel::Info,
            2 => LoggingLevel::Notice,
            3 => LoggingLevel::Warning,
            4 => LoggingLevel::Error,
            5 => LoggingLevel::Critical,
            6 => LoggingLevel::Alert,
            _ => LoggingLevel::Emergency,
        }
    }
}

/// Syslog's order (RFC 5424), lightest first.
pub(super) fn weight(level: LoggingLevel) -> u8 {
    match level {
        LoggingLevel::Debug => 0,
        LoggingLevel::Info => 1,
        LoggingLevel::Notice => 2,
        LoggingLevel::Warning => 3,
        LoggingLevel::Error => 4,
        LoggingLevel::Critical => 5,
        LoggingLevel::Alert => 6,
        _ => 7,
    }
}
