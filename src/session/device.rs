//! What the machine itself suffers from while a lesson runs on it, as far as others should know: it is short of memory.
//! In: what the system says. Out: [`MemoryHealth`]. The lesson goes on; what can be done without is done without.

use std::time::Duration;

use bevy::prelude::*;
use tracing::{info, warn};

/// The system is short of memory; applications that it can do without it ends, without another word. Nothing of the log
/// is in danger: what was acknowledged is on the disk, and the next start takes the lesson up.
#[derive(Message, Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryIsLow {
    /// Memory that this process holds, MiB; `None`: the system does not say.
    pub held_mib: Option<u64>,
}

/// Systems say when memory is low, and not when it is not any more: this long after the last word it is taken to be over.
const LASTS: Duration = Duration::from_mins(2);

/// How the machine fares in memory.
#[derive(Resource, Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryHealth {
    /// How often the system said that it is short.
    pub times: u64,
    /// On `Time<Real>`.
    until: Option<Duration>,
}

impl MemoryHealth {
    /// Whether it is short: no time to begin what can wait.
    #[must_use]
    pub fn is_low(&self) -> bool {
        self.until.is_some()
    }
}

pub(super) fn mind_memory(
    time: Res<Time<Real>>,
    mut told: MessageReader<MemoryIsLow>,
    mut health: ResMut<MemoryHealth>,
) {
    let now = time.elapsed();
    for word in told.read() {
        health.times = health.times.saturating_add(1);
        health.until = Some(now.saturating_add(LASTS));
        warn!(
            held_mib = word.held_mib,
            "the system is low on memory; pictures of what the learner sees wait, the lesson goes on"
        );
    }
    if health.until.is_some_and(|until| now > until) {
        health.until = None;
        info!("the system has not said again that it is low on memory");
    }
}

#[cfg(test)]
mod tests {
    use bevy::time::TimeUpdateStrategy;

    use super::*;
    use crate::session::SessionPlugin;

    #[test]
    fn a_shortage_is_over_some_time_after_the_last_word_of_it() {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, SessionPlugin))
            .insert_resource(TimeUpdateStrategy::ManualDuration(LASTS / 2));
        let mut low = |told: bool| {
            if told {
                let word = MemoryIsLow {
                    held_mib: Some(700),
                };
                app.world_mut().write_message(word);
            }
            app.update();
            app.world().resource::<MemoryHealth>().is_low()
        };
        assert!(!low(false));
        assert!(low(true) && low(false));
        // Said again: it lasts from then on.
        assert!(low(true) && low(false) && low(false));
        assert!(!low(false));
        assert_eq!(app.world().resource::<MemoryHealth>().times, 2);
    }
}
