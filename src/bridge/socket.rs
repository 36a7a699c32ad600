//! The WebSocket: a live stream of what happens, and commands. Message shapes: `docs/bridge.md`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use super::desk::Desk;
use crate::protocol::PROTOCOL_VERSION;
use crate::protocol::command::{Command, CommandBody, Outcome, Principal};
use crate::protocol::event::Event;
use crate::protocol::ids::{CommandId, LearnerId};
use crate::protocol::snapshot::LearnerSnapshot;

/// Longest message from outside, bytes.
const MESSAGE: usize = 64 * 1024;
/// Snapshots of fast changes are put together over this time.
const COALESCE: Duration = Duration::from_millis(50);
/// Commands a second that a connection may send over any length of time …
const RATE: f64 = 20.0;
/// … and at once.
const BURST: f64 = 40.0;
/// Answers under way to a slow client; one that is slower than this is let go.
const ANSWERS: usize = 64;

/// What the client sends.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    command: CommandRequest,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandRequest {
    /// Left out: a fresh one. Sending one twice carries it out once.
    #[serde(default)]
    id: Option<CommandId>,
    learner: LearnerId,
    #[serde(default)]
    purpose: String,
    body: CommandBody,
}

/// What the client gets.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outgoing<'a> {
    Hello { protocol: u16, version: &'a str },
    Snapshot(&'a LearnerSnapshot),
    Event(&'a Event),
    Answer { id: CommandId, outcome: &'a Outcome },
    Skipped { events: u64 },
    Error { message: String, id: Option<CommandId> },
}

impl Outgoing<'_> {
    fn message(&self) -> Message {
        // These types are plain data with string keys; writing them as JSON cannot fail.
        Message::text(serde_json::to_string(self).unwrap_or_default())
    }
}

pub(super) async fn upgrade(State(desk): State<Desk>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE)
        .on_upgrade(move |socket| async move {
            // A connection that breaks is no event; the client comes again.
            let _ = talk(socket, desk).await;
        })
}

async fn talk(mut socket: WebSocket, desk: Desk) -> Result<(), axum::Error> {
    let hello = Outgoing::Hello {
        protocol: PROTOCOL_VERSION,
        version: env!("CARGO_PKG_VERSION"),
    };
    socket.send(hello.message()).await?;
    let mut published = desk.watch();
    let mut events = desk.events();
    let mut sent: Vec<Arc<LearnerSnapshot>> = Vec::new();
    let mut budget = Budget::new();
    let (answers, mut answered) = mpsc::channel::<Message>(ANSWERS);
    // Whoever connects sees at once what is.
    published.mark_changed();
    let mut tick = tokio::time::interval(COALESCE);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            incoming = socket.recv() => match incoming {
                None => return Ok(()),
                Some(Ok(Message::Text(text))) => {
                    if let Some(refusal) = take(text.as_str(), &desk, &mut budget, &answers) {
                        socket.send(refusal).await?;
                    }
                }
                Some(Ok(Message::Binary(_))) => {
                    socket.send(complaint("commands are JSON text, not binary", None)).await?;
                }
                Some(Ok(Message::Close(_))) => return Ok(()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Err(error)) => return Err(error),
            },
            Some(answer) = answered.recv() => socket.send(answer).await?,
            event = events.recv() => match event {
                Ok(event) => socket.send(Outgoing::Event(&event).message()).await?,
                Err(RecvError::Lagged(events)) => socket.send(Outgoing::Skipped { events }.message()).await?,
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = tick.tick() => {
                if published.has_changed().unwrap_or(false) {
                    let now = published.borrow_and_update().clone();
                    for snapshot in now.learners.values() {
                        if !sent.iter().any(|before| Arc::ptr_eq(before, snapshot)) {
                            socket.send(Outgoing::Snapshot(snapshot).message()).await?;
                        }
                    }
                    sent = now.learners.values().cloned().collect();
                }
            }
        }
    }
}

/// Starts what a message asks for; what is wrong with it comes back.
fn take(text: &str, desk: &Desk, budget: &mut Budget, answers: &mpsc::Sender<Message>) -> Option<Message> {
    if !budget.spend() {
        return Some(complaint("more than 20 commands a second; wait and send it again", None));
    }
    let request = match serde_json::from_str::<Request>(text) {
        Ok(request) => request.command,
        Err(error) => {
            let message = format!(
                "not understood: {error}; a command looks like \
                 {{\"command\":{{\"learner\":ID,\"purpose\":WHY,\"body\":{{\"do\":\"give_hint\",\"level\":null}}}}}}"
            );
            return Some(complaint(message, None));
        }
    };
    let id = request.id.unwrap_or_else(CommandId::fresh);
    let command = Command {
        id,
        learner: request.learner,
        principal: Principal::Instructor,
        purpose: request.purpose.chars().take(200).collect(),
        body: request.body,
    };
    let (desk, answers) = (desk.clone(), answers.clone());
    tokio::spawn(async move {
        let message = match desk.ask(command).await {
            Ok(outcome) => Outgoing::Answer {
                id,
                outcome: &outcome,
            }
            .message(),
            Err(error) => complaint(error.to_string(), Some(id)),
        };
        // Full: the client does not read; gone: nobody does.
        let _ = answers.try_send(message);
    });
    None
}

fn complaint(message: impl Into<String>, id: Option<CommandId>) -> Message {
    Outgoing::Error {
        message: message.into(),
        id,
    }
    .message()
}

/// A token bucket.
struct Budget {
    left: f64,
    at: Instant,
}

impl Budget {
    fn new() -> Self {
        Self {
            left: BURST,
            at: Instant::now(),
        }
    }

    fn spend(&mut self) -> bool {
        let now = Instant::now();
        let earned = now.duration_since(self.at).as_secs_f64() * RATE;
        self.left = (self.left + earned).min(BURST);
        self.at = now;
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_command_is_read_as_documented() {
        let learner = LearnerId::fresh();
        let text = format!(r#"{{"command":{{"learner":"{learner}","body":{{"do":"message","text":"well done"}}}}}}"#);
        let request: Request = serde_json::from_str(&text).unwrap();
        assert_eq!(request.command.learner, learner);
        assert!(matches!(request.command.body, CommandBody::Message { .. }));
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in "\\PC{0,200}") {
            let _ = serde_json::from_str::<Request>(&text);
        }
    }
}
