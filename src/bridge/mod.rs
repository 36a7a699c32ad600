//! The one door: HTTP, MCP (rmcp) and WebSocket on one port, behind one bearer token.
//! In: requests from outside, as [`Command`](crate::protocol::command::Command)s. Out: snapshots, events, and what really happened.
//! Never: waits in the frame (a thread of its own, bounded channels), or answers 'sent' for 'done'.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::Instant;

use bevy::prelude::*;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

mod access;
mod coding;
mod coming;
mod desk;
mod door;
mod follow;
pub mod host;
pub mod join;
mod mcp;
mod socket;
mod world;

use access::Access;
use coming::{Bell, Coming, ToWorld};
use desk::FromWorld;

pub use socket::Limits;

/// Receiving at the start of a frame, publishing at its end.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
pub enum BridgeSystems {
    /// Requests from outside become commands.
    Receive,
    /// What changed goes out.
    Publish,
}

/// Bridge settings.
#[derive(Debug, Clone)]
pub struct BridgeConfig {
    /// Address to listen on; port 0 takes a free one. Anything but loopback needs `allow_plaintext`.
    pub listen: SocketAddr,
    /// Bearer token; `None`: a fresh one.
    pub token: Option<String>,
    /// Listen beyond this machine although nothing is encrypted.
    pub allow_plaintext: bool,
}

/// Why the door stays shut.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// Somebody else listens there, or we may not.
    #[error(
        "nobody can connect at {address}: {cause}; choose another address with --listen (port 0 takes a free one)"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// Nothing is encrypted yet.
    #[error(
        "{address} is reachable from other machines and nothing is encrypted; listen on 127.0.0.1, \
         or accept that with --allow-plaintext on a network you trust"
    )]
    Plaintext {
        /// The address.
        address: SocketAddr,
    },
    /// A token that could be guessed.
    #[error(
        "the token has {length} characters; use at least {} so that it cannot be guessed",
        access::MIN_TOKEN
    )]
    ShortToken {
        /// Its length.
        length: usize,
    },
    /// A token that no header can carry.
    #[error(
        "the token has spaces or characters outside ASCII, which an HTTP header cannot carry; use letters, digits and signs"
    )]
    UnfitToken,
    /// No randomness for a token.
    #[error("no fresh token could be made: {0}; give one with --token")]
    NoToken(getrandom::Error),
    /// No thread.
    #[error("the bridge cannot start: {0}")]
    Thread(io::Error),
}

/// The open door. Dropping it closes it.
#[derive(Resource)]
pub struct Bridge {
    address: SocketAddr,
    token: String,
    requests: crossbeam_channel::Receiver<crate::protocol::command::Command>,
    coming: mpsc::Receiver<ToWorld>,
    bell: crossbeam_channel::Receiver<()>,
    to_desk: mpsc::Sender<FromWorld>,
    heartbeat: Arc<Heartbeat>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// When the world last ticked, for `/healthz`.
#[derive(Debug)]
struct Heartbeat {
    start: Instant,
    /// Milliseconds since `start`; 0: never.
    last_ms: AtomicU64,
}

/// Requests under way to the world. More are refused at once, with the advice to slow down.
const REQUESTS: usize = 256;
/// Messages under way from the world to the network side.
const UPDATES: usize = 1024;

impl Bridge {
    /// Opens the door of one headset. The port is taken when this returns.
    ///
    /// # Errors
    /// [`BridgeError`] with what to do.
    pub fn start(config: BridgeConfig) -> Result<Self, BridgeError> {
        Self::start_within(config, Limits::HEADSET)
    }

    /// As [`Bridge::start`], with other limits for live connections.
    ///
    /// # Errors
    /// [`BridgeError`] with what to do.
    pub fn start_within(config: BridgeConfig, limits: Limits) -> Result<Self, BridgeError> {
        let address = config.listen;
        if !address.ip().is_loopback() && !config.allow_plaintext {
            return Err(BridgeError::Plaintext { address });
        }
        let token = match config.token {
            Some(token) if token.chars().count() < access::MIN_TOKEN => {
                return Err(BridgeError::ShortToken {
                    length: token.chars().count(),
                });
            }
            Some(token) if !access::fits_a_header(&token) => return Err(BridgeError::UnfitToken),
            Some(token) => token,
            None => access::fresh_token().map_err(BridgeError::NoToken)?,
        };
        let listening = |cause| BridgeError::Listen { address, cause };
        let listener = TcpListener::bind(address).map_err(listening)?;
        listener.set_nonblocking(true).map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let (to_world, requests) = crossbeam_channel::bounded(REQUESTS);
        let (to_desk, from_world) = mpsc::channel(UPDATES);
        let (to_coming, coming) = mpsc::channel(coming::COMING);
        let (bell, heard) = Bell::new();
        let to_coming = Coming::new(to_coming, bell);
        let heartbeat = Arc::new(Heartbeat {
            start: Instant::now(),
            last_ms: AtomicU64::new(0),
        });
        let stop = CancellationToken::new();
        let access = Access::new(token.clone());
        let (beat, stopped) = (heartbeat.clone(), stop.clone());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(BridgeError::Thread)?;
        let thread = std::thread::Builder::new()
            .name("bridge".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    let desk = desk::open(from_world, to_world, to_coming);
                    door::serve(listener, access, desk, limits, beat, stopped).await;
                });
            })
            .map_err(BridgeError::Thread)?;
        Ok(Self {
            address,
            token,
            requests,
            coming,
            bell: heard,
            to_desk,
            heartbeat,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What instructors must show.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("the bridge ended by a panic");
        }
    }
}

/// Connects a [`Bridge`] (a resource; without one nothing happens) with the world.
pub struct BridgePlugin;

impl Plugin for BridgePlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(
            Update,
            (
                (world::receive, world::receive_from_runtimes)
                    .chain()
                    .in_set(BridgeSystems::Receive),
                (
                    world::publish_learners,
                    world::publish_samples,
                    world::publish_departures,
                    world::publish_events,
                    world::publish_answers,
                )
                    .chain()
                    .in_set(BridgeSystems::Publish),
            )
                .run_if(resource_exists::<Bridge>),
        );
    }
}
