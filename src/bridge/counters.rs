//! What the network side counts as it goes, for `ops://metrics`; and whether the machine goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use tokio::sync::watch;

use super::going::Going;

/// Counts since the program began. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    accepted: AtomicU64,
    connections: AtomicU64,
    requests: AtomicU64,
    turned_away: AtomicU64,
    sockets: AtomicU64,
    calls: AtomicU64,
    failed: AtomicU64,
    going: watch::Sender<Going>,
}

/// What was counted, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Counted {
    /// Connections taken in.
    pub accepted: u64,
    /// Connections open.
    pub connections: u64,
    /// Requests.
    pub requests: u64,
    /// Requests that found no room.
    pub turned_away: u64,
    /// WebSockets open.
    pub sockets: u64,
    /// Calls of MCP tools.
    pub calls: u64,
    /// Those that ended as tool errors.
    pub failed: u64,
}

/// Counts one down again when it goes.
#[derive(Debug)]
pub(super) struct Open(Counters, fn(&Counts) -> &AtomicU64);

impl Drop for Open {
    fn drop(&mut self) {
        (self.1)(&self.0.0).fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counters {
    fn open(&self, which: fn(&Counts) -> &AtomicU64) -> Open {
        which(&self.0).fetch_add(1, Ordering::Relaxed);
        Open(self.clone(), which)
    }

    /// A connection, as long as what is returned lives.
    pub(super) fn connection(&self) -> Open {
        self.0.accepted.fetch_add(1, Ordering::Relaxed);
        self.open(|counts| &counts.connections)
    }

    /// A WebSocket, as long as what is returned lives.
    pub(super) fn socket(&self) -> Open {
        self.open(|counts| &counts.sockets)
    }

    /// A request; `taken`: there was room for it.
    pub(super) fn request(&self, taken: bool) {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        if !taken {
            self.0.turned_away.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A call of a tool.
    pub(super) fn call(&self, failed: bool) {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        if failed {
            self.0.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The machine goes, or stays after all: whoever is connected is told.
    pub(super) fn goes(&self, going: Going) {
        self.0.going.send_replace(going);
    }

    /// Whether nobody new is let in.
    pub(super) fn is_draining(&self) -> bool {
        *self.0.going.borrow() != Going::No
    }

    /// Follows whether the machine goes; what is so already counts as news where it goes.
    pub(super) fn going(&self) -> watch::Receiver<Going> {
        let mut going = self.0.going.subscribe();
        if self.is_draining() {
            going.mark_changed();
        }
        going
    }

    pub(super) fn read(&self) -> Counted {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = &*self.0;
        Counted {
            accepted: of(&counts.accepted),
            connections: of(&counts.connections),
            requests: of(&counts.requests),
            turned_away: of(&counts.turned_away),
            sockets: of(&counts.sockets),
            calls: of(&counts.calls),
            failed: of(&counts.failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_is_not_open_any_more() {
        let counters = Counters::default();
        let (one, two) = (counters.connection(), counters.connection());
        let socket = counters.socket();
        drop(one);
        assert_eq!(counters.read().connections, 1);
        drop((two, socket));
        let read = counters.read();
        assert_eq!((read.connections, read.sockets, read.accepted), (0, 0, 2));
    }
}
