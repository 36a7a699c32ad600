//! The WebSocket: a live stream of what happens, and commands. Message shapes: `docs/bridge.md`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::MissedTickBehavior;

use super::access::Caller;
use super::desk::Desk;
use crate::protocol::PROTOCOL_VERSION;
use crate::protocol::command::{CommandBody, Outcome};
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
/// Answers under way to a slow client.
const ANSWERS: usize = 64;
/// A client that takes no message for this long is let go.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// How often a silent client is asked whether it is there; three unanswered ones end the connection.
const PING: Duration = Duration::from_secs(15);

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
    Hello {
        protocol: u16,
        version: &'a str,
    },
    Snapshot(&'a LearnerSnapshot),
    Event(&'a Event),
    Gone {
        learner: LearnerId,
    },
    Answer {
        id: CommandId,
        outcome: &'a Outcome,
        /// What happened, or why it did not and what to do, in words.
        message: String,
    },
    Skipped {
        events: u64,
    },
    Error {
        message: String,
        id: Option<CommandId>,
    },
}

impl Outgoing<'_> {
    fn message(&self) -> Message {
        // These types are plain data with string keys; writing them as JSON cannot fail.
        Message::text(serde_json::to_string(self).unwrap_or_default())
    }
}

/// What every connection needs, and how many there may be.
#[derive(Clone)]
pub(super) struct SocketDoor {
    pub(super) desk: Desk,
    pub(super) places: Arc<Semaphore>,
}

pub(super) async fn upgrade(
    State(door): State<SocketDoor>,
    Extension(caller): Extension<Caller>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Ok(place) = door.places.try_acquire_owned() else {
        let body = serde_json::json!({
            "error": "busy",
            "message": "too many live connections are open; close one that is not needed and try again",
        });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    };
    upgrade
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE)
        .on_upgrade(move |socket| async move {
            // A connection that breaks is no event; the client comes again.
            let _ = talk(socket, door.desk, &caller).await;
            drop(place);
        })
}

/// Why a conversation ended before the client closed it.
enum Broken {
    Connection,
    /// The client does not read.
    Stalled,
}

/// The sending half: never waits for ever.
struct Line(WebSocket);

impl Line {
    async fn send(&mut self, message: Message) -> Result<(), Broken> {
        match tokio::time::timeout(SEND_WITHIN, self.0.send(message)).await {
            Ok(sent) => sent.map_err(|_| Broken::Connection),
            Err(_) => Err(Broken::Stalled),
        }
    }
}

async fn talk(socket: WebSocket, desk: Desk, caller: &Caller) -> Result<(), Broken> {
    let mut socket = Line(socket);
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
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ping = tokio::time::interval(PING);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            () = caller.over() => {
                let frame = CloseFrame { code: close_code::POLICY, reason: "the token is over".into() };
                return socket.send(Message::Close(Some(frame))).await;
            }
            incoming = socket.0.recv() => {
                heard = Instant::now();
                match incoming {
                    None | Some(Ok(Message::Close(_))) => return Ok(()),
                    Some(Ok(Message::Text(text))) => {
                        if let Some(refusal) = take(text.as_str(), caller, &desk, &mut budget, &answers) {
                            socket.send(refusal).await?;
                        }
                    }
                    Some(Ok(Message::Binary(_))) => {
                        socket.send(complaint("commands are JSON text, not binary", None)).await?;
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Err(_)) => return Err(Broken::Connection),
                }
            }
            _ = ping.tick() => {
                // A machine that lost its network says no goodbye.
                if heard.elapsed() > PING * 3 {
                    return Err(Broken::Stalled);
                }
                socket.send(Message::Ping(Bytes::new())).await?;
            }
            Some(answer) = answered.recv() => socket.send(answer).await?,
            event = events.recv() => match event {
                Ok(event) if !caller.sees(event.learner) => {}
                Ok(event) => socket.send(Outgoing::Event(&event).message()).await?,
                Err(RecvError::Lagged(events)) => socket.send(Outgoing::Skipped { events }.message()).await?,
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = tick.tick() => {
                if published.has_changed().unwrap_or(false) {
                    let now = published.borrow_and_update().clone();
                    for snapshot in now.learners.values() {
                        if caller.sees(snapshot.learner) && !sent.iter().any(|before| Arc::ptr_eq(before, snapshot)) {
                            socket.send(Outgoing::Snapshot(snapshot).message()).await?;
                        }
                    }
                    for before in &sent {
                        if caller.sees(before.learner) && !now.learners.contains_key(&before.learner) {
                            socket.send(Outgoing::Gone { learner: before.learner }.message()).await?;
                        }
                    }
                    sent = now.learners.values().cloned().collect();
                }
            }
        }
    }
}

/// Starts what a message asks for; what is wrong with it comes back.
fn take(
    text: &str,
    caller: &Caller,
    desk: &Desk,
    budget: &mut Budget,
    answers: &mpsc::Sender<Message>,
) -> Option<Message> {
    if !budget.spend() {
        return Some(complaint(
            "more than 20 commands a second; wait and send it again",
            None,
        ));
    }
    let request = match read(text) {
        Ok(request) => request,
        Err(why) => {
            let message = format!(
                "not understood: {why}; a command looks like \
                 {{\"command\":{{\"learner\":ID,\"purpose\":WHY,\"body\":{{\"do\":\"give_hint\",\"level\":null}}}}}}"
            );
            return Some(complaint(message, None));
        }
    };
    let id = request.id.unwrap_or_else(CommandId::fresh);
    let command = match caller.command(id, request.learner, &request.purpose, request.body) {
        Ok(command) => command,
        Err(refused) => return Some(complaint(refused.to_string(), Some(id))),
    };
    let (desk, answers) = (desk.clone(), answers.clone());
    tokio::spawn(async move {
        let message = match desk.ask(command).await {
            Ok(outcome) => Outgoing::Answer {
                id,
                outcome: &outcome,
                message: match &outcome {
                    Outcome::Applied { effect } => effect.clone(),
                    Outcome::Refused(refusal) => refusal.to_string(),
                },
            }
            .message(),
            Err(error) => complaint(error.to_string(), Some(id)),
        };
        // Waits for a slow client, whose connection ends if it does not read at all.
        let _ = answers.send(message).await;
    });
    None
}

/// Reads a command; a field that nobody knows is a mistake, not a wish to be ignored.
fn read(text: &str) -> Result<CommandRequest, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let shown = value
        .pointer("/command/body")
        .and_then(Value::as_object)
        .cloned();
    let Request { command } = serde_json::from_value(value).map_err(|error| error.to_string())?;
    // The body's kinds are told apart by a tag; serde does not refuse unknown fields beside it in every kind.
    let known = serde_json::to_value(&command.body).map_err(|error| error.to_string())?;
    if let Some(unknown) = shown
        .iter()
        .flatten()
        .map(|(name, _)| name)
        .find(|name| known.get(name).is_none())
    {
        let known: Vec<&str> = known
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        return Err(format!(
            "unknown field `{unknown}` in `body`, expected {}",
            known.join(", ")
        ));
    }
    Ok(command)
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
        let text = format!(
            r#"{{"command":{{"learner":"{learner}","body":{{"do":"message","text":"well done"}}}}}}"#
        );
        let request = read(&text).unwrap();
        assert_eq!(request.learner, learner);
        assert!(matches!(request.body, CommandBody::Message { .. }));
    }

    #[test]
    fn a_field_that_nobody_knows_is_named() {
        let learner = LearnerId::fresh();
        for (body, name) in [
            (r#"{"do":"give_hint","levle":2}"#, "levle"),
            (r#"{"do":"pause","forever":true}"#, "forever"),
            (r#"{"do":"dance"}"#, "dance"),
        ] {
            let text = format!(r#"{{"command":{{"learner":"{learner}","body":{body}}}}}"#);
            let why = read(&text).unwrap_err();
            assert!(why.contains(name), "{why}");
        }
        let outside =
            format!(r#"{{"command":{{"learner":"{learner}","boddy":{{"do":"pause"}}}}}}"#);
        assert!(read(&outside).unwrap_err().contains("boddy"));
    }

    #[test]
    fn a_burst_is_allowed_and_a_flood_is_not() {
        let mut budget = Budget::new();
        let taken = (0..1000).filter(|_| budget.spend()).count();
        assert!((40..100).contains(&taken), "{taken}");
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in "\\PC{0,200}") {
            let _ = read(&text);
        }

        #[test]
        fn no_json_makes_reading_panic(
            name in "command|body|do|learner|[a-z]{0,4}",
            value in "null|1e999|-1|\"x\"|\\[\\]|\\{\\}|\\{\"do\":\"(pause|give_hint|x)\"\\}",
        ) {
            let _ = read(&format!(r#"{{"command":{{"{name}":{value}}}}}"#));
            let _ = read(&format!(r#"{{"{name}":{value}}}"#));
        }
    }
}
