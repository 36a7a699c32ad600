//! The way back after a lost runtime: one attempt after the other, on a thread of its own, because a runtime
//! that is just starting may keep an application waiting.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use tracing::{debug, warn};

use super::loader;
use super::start::{Vulkan, same_device};

/// Before the first attempt; doubled after each that fails.
const PAUSE: Duration = Duration::from_secs(1);
/// Longer nobody waits who has just put the headset on.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// Looking for a runtime.
#[derive(Debug)]
pub(super) struct Comeback {
    next: Instant,
    pause: Duration,
    attempt: Option<Receiver<Attempt>>,
}

/// What one look brought.
pub(super) enum Look {
    /// Nothing new.
    Nothing,
    /// A runtime that takes our graphics device.
    Found {
        instance: openxr::Instance,
        system: openxr::SystemId,
        enabled: openxr::ExtensionSet,
    },
    /// A runtime, but not for this process.
    Unusable(String),
}

/// Nothing where no runtime answered.
type Attempt = Option<Look>;

impl Comeback {
    /// The first attempt comes after a pause: a runtime that just died is not back at once.
    pub fn new() -> Self {
        Self {
            next: Instant::now() + PAUSE,
            pause: PAUSE,
            attempt: None,
        }
    }

    /// Never blocks.
    pub fn look(&mut self, vulkan: Vulkan) -> Look {
        if let Some(attempt) = &self.attempt {
            let result = match attempt.try_recv() {
                Err(TryRecvError::Empty) => return Look::Nothing,
                Err(TryRecvError::Disconnected) => None,
                Ok(result) => result,
            };
            self.attempt = None;
            self.wait();
            return result.unwrap_or(Look::Nothing);
        }
        if Instant::now() >= self.next {
            let (answer, answers) = bounded(1);
            let spawned = std::thread::Builder::new()
                .name("openxr-comeback".to_owned())
                .spawn(move || answer.send(attempt(vulkan)).is_ok());
            match spawned {
                Ok(_) => self.attempt = Some(answers),
                Err(error) => {
                    warn!("no thread to look for the runtime: {error}");
                    self.wait();
                }
            }
        }
        Look::Nothing
    }

    fn wait(&mut self) {
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.next = Instant::now() + self.pause;
    }
}

fn attempt(vulkan: Vulkan) -> Attempt {
    match loader::connect() {
        Ok((instance, system, enabled)) => Some(match same_device(&instance, system, vulkan) {
            Ok(()) => Look::Found {
                instance,
                system,
                enabled,
            },
            Err(why) => Look::Unusable(why),
        }),
        Err(error) => {
            debug!("still no headset: {error}");
            None
        }
    }
}
