//! A program beside the browser, at the same door: what of an event's way is the browser's, and what was late before.

// Helpers of tests may panic as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use serde::Deserialize;
use tokio_tungstenite::tungstenite::Message;

use crate::host::Client;

/// An event, as far as its way is concerned.
#[derive(Deserialize)]
struct Happened {
    event: At,
}

#[derive(Deserialize)]
struct At {
    at_unix_ms: u64,
}

/// Listens until it is asked what it heard.
pub struct Beside {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<u64>>,
}

impl Beside {
    pub fn listen(address: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (address, until) = (address.to_owned(), stop.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(heard(&address, &until))
        });
        Self { stop, thread }
    }

    /// Milliseconds from what happened in a learner's runtime until it was here, for each event.
    pub fn heard(self) -> Vec<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

async fn heard(address: &str, until: &AtomicBool) -> Vec<u64> {
    let mut client = Client::instructor(address).await;
    let begun = unix_ms();
    let mut all = Vec::new();
    while !until.load(Ordering::Relaxed) {
        let next = tokio::time::timeout(Duration::from_millis(100), client.0.next());
        let Ok(next) = next.await else { continue };
        // States are large, and reading them is none of an event's way.
        if let Message::Text(text) = next.expect("the door stays open").unwrap()
            && text.starts_with("{\"event\"")
        {
            let now = unix_ms();
            let Happened { event } = serde_json::from_str(text.as_str()).unwrap();
            if event.at_unix_ms >= begun {
                all.push(now.saturating_sub(event.at_unix_ms));
            }
        }
    }
    all
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}
