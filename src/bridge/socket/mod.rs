//! The WebSocket `/ws`: one protocol for learners' runtimes and instructors (`protocol::wire`, `docs/protocol.md`).
//! In: connections. Out: conversations, each a task of its own with bounded queues. Never: lets one client wait for
//! another.

use std::time::Duration;

use axum::Json;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::access::Caller;
use super::coding::Coding;
use super::counters::Counters;
use super::desk::Desk;
use super::serve::{Held, Limits};
use crate::protocol::parcel::Position;
use crate::protocol::wire::{
    ErrorCode, FromClient, FromHost, Hello, JSON, MESSAGE_PACK, Ping, Pong, Program, Role,
    WIRE_VERSION, Welcome, WireError,
};
use crate::session::unix_ms;
use line::{Broken, Came, Line};

mod budget;
mod instructor;
mod learner;
mod line;
mod seen;

/// Longest message of a client that names no subprotocol, bytes.
const PLAIN_MESSAGE: usize = 64 * 1024;
/// Buffers of a connection, bytes; the defaults would be 128 KiB each.
const BUFFER: usize = 4 * 1024;
/// The first message comes within this.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// What every connection needs.
#[derive(Clone)]
pub(super) struct SocketDoor {
    desk: Desk,
    limits: Limits,
    counters: Counters,
}

impl SocketDoor {
    pub(super) fn new(desk: Desk, limits: Limits, counters: Counters) -> Self {
        Self {
            desk,
            limits,
            counters,
        }
    }
}

pub(super) async fn upgrade(
    State(door): State<SocketDoor>,
    Extension(caller): Extension<Caller>,
    Extension(place): Extension<Held>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if door.counters.is_draining() {
        return super::door::drained();
    }
    let upgrade = upgrade.protocols([MESSAGE_PACK, JSON]);
    let chosen = upgrade
        .selected_protocol()
        .and_then(|name| Coding::named(name.to_str().ok()?));
    if chosen.is_none() && headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
        let message = format!(
            "none of the subprotocols asked for is spoken here; there are {JSON} and {MESSAGE_PACK}"
        );
        return problem(StatusCode::BAD_REQUEST, "version", &message);
    }
    let longest = chosen.map_or(PLAIN_MESSAGE, |_| door.limits.message);
    upgrade
        .max_message_size(longest)
        .max_frame_size(longest)
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .on_upgrade(move |socket| {
            let line = Line::new(socket, chosen.unwrap_or(Coding::Json));
            let plain = chosen.is_none();
            // In a place of its own: the task that waits for the upgrade has room for more than that.
            Box::pin(async move {
                // The connection's place outlives the HTTP that it came by.
                let _open = (door.counters.socket(), place);
                // A connection that breaks is no event; the client comes again.
                let _ = talk(line, plain, &door, &caller).await;
            })
        })
}

fn problem(status: StatusCode, error: &str, message: &str) -> Response {
    let body = serde_json::json!({ "error": error, "message": message });
    (status, Json(body)).into_response()
}

/// `plain`: a client that named no subprotocol. What comes one after the other is boxed each for itself, so that a
/// connection holds what it is at and nothing of what it was before.
async fn talk(
    mut line: Line,
    plain: bool,
    door: &SocketDoor,
    caller: &Caller,
) -> Result<(), Broken> {
    let line = &mut line;
    if plain {
        let protocol = WIRE_VERSION;
        let version = env!("CARGO_PKG_VERSION").into();
        line.send(FromHost::Hello { protocol, version }).await?;
        let going = door.counters.going();
        return Box::pin(instructor::talk(line, &door.desk, caller, true, going)).await;
    }
    let hello = Box::pin(greeted(line)).await?;
    let going = door.counters.going();
    match hello.role {
        Role::Learner => {
            let coming = door.desk.coming();
            let come_in = learner::come_in(line, coming, hello, caller, &door.limits);
            let followed = Box::pin(come_in).await?;
            Box::pin(learner::follow(line, followed, caller, &door.limits, going)).await
        }
        Role::Instructor => {
            let welcome = Welcome {
                protocol: WIRE_VERSION,
                host: Program::this(),
                role: Role::Instructor,
                session: None,
                resume_token: None,
                has: Position::default(),
                config: learner::config(&door.limits),
                at_unix_ms: unix_ms(),
            };
            line.send(FromHost::Welcome(welcome)).await?;
            Box::pin(instructor::talk(line, &door.desk, caller, false, going)).await
        }
    }
}

/// The first message, which is `hello` in a version that is spoken here.
async fn greeted(line: &mut Line) -> Result<Hello, Broken> {
    let first = async {
        loop {
            match line.receive(Coding::read_text).await? {
                Came::Sign => {}
                Came::Message(FromClient::Hello(hello)) => return Ok(Ok(hello)),
                Came::Message(_) => return Ok(Err("the first message is `hello`".to_owned())),
                Came::Nonsense(why) => {
                    return Ok(Err(format!("the first message is `hello`: {why}")));
                }
            }
        }
    };
    let error = match tokio::time::timeout(HELLO_WITHIN, first).await {
        Ok(Ok(Ok(hello))) if hello.protocol == WIRE_VERSION => return Ok(hello),
        Ok(Ok(Ok(hello))) => WireError {
            code: ErrorCode::Version,
            message: format!(
                "version {WIRE_VERSION} is spoken here, and the client speaks {}; update the older of the two \
                 (this is Malloc VR {})",
                hello.protocol,
                env!("CARGO_PKG_VERSION")
            ),
            id: None,
        },
        Ok(Ok(Err(message))) => WireError {
            code: ErrorCode::HelloFirst,
            message,
            id: None,
        },
        Ok(Err(broken)) => return Err(broken),
        Err(_) => WireError {
            code: ErrorCode::HelloFirst,
            message: "no `hello` came within 10 s".to_owned(),
            id: None,
        },
    };
    Err(line.hang_up(error).await)
}

fn pong(Ping { at }: Ping) -> Pong {
    let at_unix_ms = unix_ms();
    Pong { at, at_unix_ms }
}
