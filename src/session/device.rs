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

/// Memory that this process holds, MiB; `None`: the system does not say. In kibibytes, not in pages: those of newer
/// headsets are larger.
#[cfg_attr(not(any(target_os = "android", test)), expect(dead_code))]
pub(crate) fn resident_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let held = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = held.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024)
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
    #[cfg(target_os = "linux")]
    fn what_the_process_holds_is_told_in_mebibytes() {
        let filled = vec![1_u8; 64 << 20];
        let held = resident_mib().unwrap();
        assert!((64..1 << 20).contains(&held), "{held}");
        drop(filled);
    }

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
