//! Follows the lesson from outside, as an instructor's program would: over the bridge's WebSocket.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::StreamExt;
use malloc_vr::protocol::snapshot::LearnerSnapshot;
use serde::Deserialize;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// What the stream says, as far as we need it.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Incoming {
    Snapshot(Box<LearnerSnapshot>),
    #[serde(other)]
    Else,
}

/// The learner's state, as the stream brings it.
pub struct Follower {
    snapshots: std::sync::mpsc::Receiver<LearnerSnapshot>,
    latest: Option<LearnerSnapshot>,
}

impl Follower {
    /// Connects. The connection lives on a thread of its own and is made anew when it breaks.
    ///
    /// # Errors
    /// Where no thread can be had.
    pub fn connect(address: &str, token: &str) -> Result<Self> {
        let (sender, snapshots) = std::sync::mpsc::channel();
        let url = format!("ws://{address}/ws");
        let token = token.to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("follow".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    // Until nobody listens any more.
                    while follow(&url, &token, &sender).await.is_err() {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                });
            })?;
        Ok(Self {
            snapshots,
            latest: None,
        })
    }

    /// The newest state.
    pub fn now(&mut self) -> Option<&LearnerSnapshot> {
        if let Some(newest) = self.snapshots.try_iter().last() {
            self.latest = Some(newest);
        }
        self.latest.as_ref()
    }

    /// Waits until the state is as wanted.
    ///
    /// # Errors
    /// Where it is not within `timeout`: says what was awaited and what is.
    pub fn wait(
        &mut self,
        what: &str,
        timeout: Duration,
        mut wanted: impl FnMut(&LearnerSnapshot) -> bool,
    ) -> Result<LearnerSnapshot> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(now) = self.now()
                && wanted(now)
            {
                return Ok(now.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!(
                    "{what}: not within {} s; the learner's state is {:?}",
                    timeout.as_secs(),
                    self.latest
                );
            }
            match self
                .snapshots
                .recv_timeout(left.min(Duration::from_millis(200)))
            {
                Ok(newest) => self.latest = Some(newest),
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
                    bail!("{what}: the follower has ended")
                }
            }
        }
    }
}

/// Passes snapshots on; an error when the connection breaks, `Ok` when nobody listens any more.
async fn follow(
    url: &str,
    token: &str,
    sender: &std::sync::mpsc::Sender<LearnerSnapshot>,
) -> Result<()> {
    let mut request = url.into_client_request()?;
    request
        .headers_mut()
        .insert("authorization", format!("Bearer {token}").parse()?);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    while let Some(message) = socket.next().await {
        if let Message::Text(text) = message?
            && let Ok(Incoming::Snapshot(snapshot)) = serde_json::from_str(text.as_str())
            && sender.send(*snapshot).is_err()
        {
            return Ok(());
        }
    }
    None.context("the stream ended")
}
