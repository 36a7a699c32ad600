//! The WebSocket `/ws`: one protocol for learners' runtimes and instructors (`protocol::wire`, `docs/protocol.md`).
//! In: connections. Out: conversations, each a task of its own with bounded queues. Never: lets one client wait for
//! another.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, Extension, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::coding::Coding;
use super::desk::Desk;
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

/// Longest message of a client that names no subprotocol, bytes.
const PLAIN_MESSAGE: usize = 64 * 1024;
/// Buffers of a connection, bytes; the defaults would be 128 KiB each.
const BUFFER: usize = 4 * 1024;
/// The first message comes within this.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// How much clients may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address.
    pub per_address: usize,
    /// Connections at once with one token.
    pub per_token: usize,
    /// Messages a second of a learner's stream over any length of time; more wait.
    pub stream_rate: f64,
    /// And at once: what a runtime has under way, so that a lost link is made up for quickly.
    pub stream_burst: f64,
    /// Longest message of a client that named its subprotocol, bytes.
    pub message: usize,
}

impl Limits {
    /// For the door of one headset: instructors, their programs and pages.
    pub const HEADSET: Self = Self {
        connections: 64,
        per_address: 64,
        per_token: 64,
        stream_rate: 200.0,
        stream_burst: 1024.0,
        message: 256 * 1024,
    };

    /// For a classroom host: one address may stand for a whole class behind a router, one token for a class.
    pub const CLASSROOM: Self = Self {
        connections: 1024,
        per_address: 512,
        per_token: 1024,
        ..Self::HEADSET
    };
}

/// What every connection needs.
#[derive(Clone)]
pub(super) struct SocketDoor {
    desk: Desk,
    limits: Limits,
    guests: Arc<Guests>,
}

impl SocketDoor {
    pub(super) fn new(desk: Desk, limits: Limits) -> Self {
        let guests = Arc::new(Guests::default());
        Self {
            desk,
            limits,
            guests,
        }
    }
}

pub(super) async fn upgrade(
    State(door): State<SocketDoor>,
    from: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Response {
    let address = from.map(|Extension(ConnectInfo(from))| from.ip());
    let Some(place) = door.guests.admit(address, &headers, &uri, &door.limits) else {
        let message =
            "too many live connections are open; close one that is not needed and try again";
        return problem(StatusCode::SERVICE_UNAVAILABLE, "busy", message);
    };
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
        .on_upgrade(move |socket| async move {
            // A connection that breaks is no event; the client comes again.
            let _ = talk(socket, chosen, &door).await;
            drop(place);
        })
}

fn problem(status: StatusCode, error: &str, message: &str) -> Response {
    let body = serde_json::json!({ "error": error, "message": message });
    (status, Json(body)).into_response()
}

async fn talk(socket: WebSocket, chosen: Option<Coding>, door: &SocketDoor) -> Result<(), Broken> {
    let Some(coding) = chosen else {
        let mut line = Line::new(socket, Coding::Json);
        let protocol = WIRE_VERSION;
        let version = env!("CARGO_PKG_VERSION").into();
        line.send(&FromHost::Hello { protocol, version }).await?;
        return instructor::talk(&mut line, &door.desk, true).await;
    };
    let mut line = Line::new(socket, coding);
    let hello = greeted(&mut line).await?;
    match hello.role {
        Role::Learner => {
            learner::talk(&mut line, door.desk.coming(), hello, false, &door.limits).await
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
            line.send(&FromHost::Welcome(welcome)).await?;
            instructor::talk(&mut line, &door.desk, false).await
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

/// Who is connected: by address, and by token.
#[derive(Default)]
struct Guests {
    counts: Mutex<Counts>,
    hasher: std::hash::RandomState,
}

#[derive(Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
    by_token: HashMap<u64, usize>,
}

/// A connection's place. Dropping it frees it.
struct Place {
    guests: Arc<Guests>,
    address: Option<IpAddr>,
    token: u64,
}

impl Guests {
    fn admit(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        headers: &HeaderMap,
        uri: &Uri,
        limits: &Limits,
    ) -> Option<Place> {
        let shown = headers.get(header::AUTHORIZATION);
        let token = self.hasher.hash_one((shown, uri.query()));
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |counts: &HashMap<_, usize>, key| counts.get(&key).copied().unwrap_or(0);
        let from_there = address.map_or(0, |address| {
            counts.by_address.get(&address).copied().unwrap_or(0)
        });
        if counts.all >= limits.connections
            || from_there >= limits.per_address
            || of(&counts.by_token, token) >= limits.per_token
        {
            return None;
        }
        counts.all += 1;
        *counts.by_token.entry(token).or_default() += 1;
        if let Some(address) = address {
            *counts.by_address.entry(address).or_default() += 1;
        }
        let guests = self.clone();
        Some(Place {
            guests,
            address,
            token,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let counts = self.guests.counts.lock();
        let mut counts = counts.unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        leave(&mut counts.by_token, &self.token);
        if let Some(address) = &self.address {
            leave(&mut counts.by_address, address);
        }
    }
}

fn leave<Key: Hash + Eq>(counts: &mut HashMap<Key, usize>, key: &Key) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_and_one_token_have_their_share_and_no_more() {
        let guests = Arc::new(Guests::default());
        let limits = Limits {
            connections: 5,
            per_address: 2,
            per_token: 3,
            ..Limits::HEADSET
        };
        let admit = |address: &str, token: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, token.parse().unwrap());
            let address = address.parse().ok();
            guests.admit(address, &headers, &Uri::from_static("/ws"), &limits)
        };
        let one = admit("10.0.0.1", "a").unwrap();
        let _two = admit("10.0.0.1", "a").unwrap();
        assert!(admit("10.0.0.1", "b").is_none(), "the address has its two");
        let _three = admit("10.0.0.2", "a").unwrap();
        assert!(admit("10.0.0.3", "a").is_none(), "the token has its three");
        let _four = admit("10.0.0.3", "b").unwrap();
        let _five = admit("10.0.0.4", "b").unwrap();
        assert!(admit("10.0.0.5", "c").is_none(), "the house is full");
        drop(one);
        assert!(admit("10.0.0.1", "c").is_some());
    }
}
