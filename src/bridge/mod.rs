//! The one door: HTTP, MCP (rmcp) and WebSocket on one port, for whoever has a token ([`access`]).
//! In: requests from outside, as [`Command`](crate::protocol::command::Command)s. Out: snapshots, events, and what really happened.
//! Never: waits in the frame (a thread of its own, bounded channels), or answers 'sent' for 'done'.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::Instant;

use bevy::prelude::*;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::record::Recorder;
use crate::session::frames::{FrameAlarm, FrameStanding};
use crate::session::pairing::PairingCode;

pub mod access;
mod admin;
mod audit;
mod coding;
mod coming;
mod config;
mod counters;
mod desk;
mod door;
pub mod gate;
mod going;
pub mod host;
pub mod join;
mod machine;
pub mod mcp;
mod mcp_sessions;
mod oauth;
mod oauth_page;
mod page;
mod pictures;
mod reach;
mod read;
mod records;
mod resource;
mod serve;
mod socket;
mod tls;
mod world;

use access::news::{self, News};
use access::{Access, Offer, Origins, Place};
use coming::{Bell, Coming, ToWorld};
pub use config::{BridgeConfig, BridgeError};
use counters::Counters;
use desk::FromWorld;
use going::Going;
use mcp::catalogue::Catalogue;
use pictures::PictureShown;
pub use serve::Limits;
use tls::Tls;
pub use tls::{TlsConfig, TlsError};

use crate::session::picture::{PictureAsked, PictureTaken};
use crate::session::standing::Agreements;
use crate::session::{Learner, LearnerErased, SceneAsked, SceneDescribed};

/// Receiving at the start of a frame, publishing at its end.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
pub enum BridgeSystems {
    /// Requests from outside become commands.
    Receive,
    /// What changed goes out.
    Publish,
}

/// The open door. Dropping it closes it.
#[derive(Resource)]
pub struct Bridge {
    address: SocketAddr,
    encrypted: bool,
    fingerprint: Option<String>,
    token: String,
    access: Access,
    news: crossbeam_channel::Receiver<News>,
    pairing_asked: mpsc::Sender<Offer>,
    requests: crossbeam_channel::Receiver<crate::protocol::command::Command>,
    looks: crossbeam_channel::Receiver<mcp::look::Look>,
    coming: mpsc::Receiver<ToWorld>,
    bell: crossbeam_channel::Receiver<()>,
    ring: Bell,
    to_desk: mpsc::Sender<FromWorld>,
    counters: Counters,
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
        Self::start_offering(config, Catalogue::product())
    }

    /// The same with another list of tools, resources and prompts.
    ///
    /// # Errors
    /// [`BridgeError`] with what to do.
    pub fn start_offering(config: BridgeConfig, catalogue: Catalogue) -> Result<Self, BridgeError> {
        let address = config.listen;
        if !address.ip().is_loopback() && config.tls.is_none() && !config.allow_plaintext {
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
        let folder = config.folder.as_deref();
        let tls = config
            .tls
            .map(|tls| Tls::new(&tls, folder, address, &config.names))
            .transpose()?;
        let fingerprint = tls.as_ref().map(|tls| tls.fingerprint.clone());
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (teller, news) = news::channel();
        let access = Access::new(
            token.clone(),
            folder.map(|folder| folder.join(access::tokens::FILE)),
            config.limits.per_token,
            Place {
                scheme,
                listening: address,
                fingerprint: fingerprint.clone(),
            },
            teller,
        )?;
        let origins = Origins {
            scheme,
            names: config.names.into(),
        };
        let (to_world, requests) = crossbeam_channel::bounded(REQUESTS);
        let (to_look, looks) = crossbeam_channel::bounded(REQUESTS);
        let (to_desk, from_world) = mpsc::channel(UPDATES);
        let (pairing_asked, mut codes_asked) = mpsc::channel(4);
        let (to_coming, coming) = mpsc::channel(coming::COMING);
        let (bell, heard) = Bell::new();
        let to_coming = Coming::new(to_coming, bell.clone());
        let heartbeat = Arc::new(Heartbeat {
            start: Instant::now(),
            last_ms: AtomicU64::new(0),
        });
        let (stop, ending) = (CancellationToken::new(), CancellationToken::new());
        let counters = Counters::default();
        let counting = counters.clone();
        let (beat, stopped, limits) = (heartbeat.clone(), stop.clone(), config.limits);
        let letting_in = access.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(BridgeError::Thread)?;
        let thread = std::thread::Builder::new()
            .name("bridge".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    let access = letting_in;
                    tokio::spawn(access.clone().keep_watch());
                    let for_codes = access.clone();
                    tokio::spawn(async move {
                        while let Some(offer) = codes_asked.recv().await {
                            if let Err(error) = for_codes.open_pairing(offer, None) {
                                error!("no pairing code could be made: {error}");
                            }
                        }
                    });
                    let desk = desk::open(from_world, to_world, to_coming);
                    let guard = door::Guard { access, origins };
                    let mcp = mcp::Shared::new(
                        desk.clone(),
                        to_look,
                        Arc::new(catalogue),
                        counting.clone(),
                    );
                    let router =
                        door::router(guard, desk, mcp, limits, counting.clone(), beat, &ending);
                    let ends = serve::Ends {
                        stop: stopped,
                        ending,
                    };
                    serve::serve(listener, router, tls, limits, counting, ends).await;
                });
                // What waits for the disk is not waited for.
                runtime.shutdown_background();
            })
            .map_err(BridgeError::Thread)?;
        Ok(Self {
            address,
            encrypted: scheme == "https",
            fingerprint,
            token,
            access,
            news,
            pairing_asked,
            requests,
            looks,
            coming,
            bell: heard,
            ring: bell,
            to_desk,
            counters,
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

    /// Where clients find it: `https://192.168.1.7:7878/`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.encrypted { "https" } else { "http" };
        format!("{scheme}://{}/", self.reached())
    }

    /// The address that others find it by: where it listens, or, where that is all of the machine's addresses, one of
    /// them.
    #[must_use]
    pub fn reached(&self) -> SocketAddr {
        reach::reachable(self.address)
    }

    /// SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` shows it; `None`: nothing is encrypted.
    #[must_use]
    pub fn fingerprint(&self) -> Option<&str> {
        self.fingerprint.as_deref()
    }

    /// Makes a pairing code now: six digits, good for five minutes and once. For whoever starts the bridge; in a frame
    /// write [`PairingAsked`](crate::session::pairing::PairingAsked) instead.
    ///
    /// # Errors
    /// [`BridgeError::NoToken`] where the system has no randomness.
    pub fn open_pairing(&self, offer: Offer) -> Result<PairingCode, BridgeError> {
        let opened = self.access.open_pairing(offer, None);
        opened.map_err(BridgeError::NoToken)
    }

    /// What opens everything while this process runs.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.counters.goes(Going::Stopping);
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
        app.init_resource::<audit::Lines>()
            .init_resource::<mcp::class_time::ClassTime>()
            .init_resource::<mcp::look::ScenesAsked>()
            .init_resource::<machine::Groups>()
            .init_resource::<machine::Draining>()
            .init_resource::<machine::Asked>()
            .init_resource::<mcp::figures::Frames>()
            .init_resource::<mcp::figures::Answered>()
            .add_message::<LearnerErased>()
            .add_message::<SceneAsked>()
            .add_message::<SceneDescribed>()
            .init_resource::<pictures::Pictures>()
            .add_message::<PictureAsked>()
            .add_message::<PictureTaken>()
            .add_message::<PictureShown>()
            .add_message::<FrameAlarm>()
            .init_resource::<Agreements>()
            .register_required_components::<Learner, gate::Gate>()
            .add_systems(
                Update,
                (
                    (
                        world::receive,
                        world::receive_from_runtimes,
                        pictures::take_shown.run_if(on_message::<PictureShown>),
                        mcp::figures::count_frames,
                        mcp::look::answer_looks,
                        machine::carry_out,
                        machine::hand_out_copies,
                        machine::erase,
                        machine::drain,
                        pictures::ask_for_pictures.run_if(pictures::Pictures::are_asked_for),
                        audit::take_news,
                        audit::ask_for_a_code,
                    )
                        .chain()
                        .in_set(BridgeSystems::Receive),
                    (
                        gate::mind,
                        mcp::class_time::keep_time,
                        mcp::look::answer_scenes,
                        world::publish_health,
                        pictures::hand_over_pictures.run_if(on_message::<PictureTaken>),
                        world::publish_frame_alarms.run_if(on_message::<FrameAlarm>),
                        world::publish_frames.run_if(resource_exists_and_changed::<FrameStanding>),
                        world::publish_learners,
                        world::publish_samples,
                        world::publish_departures,
                        world::publish_events,
                        world::publish_answers,
                        mcp::figures::count_answers,
                        audit::note_answers.run_if(resource_exists::<Recorder>),
                    )
                        .chain()
                        .in_set(BridgeSystems::Publish),
                )
                    .run_if(resource_exists::<Bridge>),
            )
            .add_systems(
                Last,
                (
                    audit::take_news,
                    audit::write_the_rest.run_if(resource_exists::<Recorder>),
                )
                    .chain()
                    .run_if(resource_exists::<Bridge>)
                    .run_if(on_message::<AppExit>),
            );
    }
}

#[cfg(test)]
mod for_tests {
    use std::path::Path;

    use super::*;
    use crate::record::{AuditEntry, Keys, Store};
    use crate::session::SessionPlugin;

    fn store(file: &Path) -> Store {
        Store::open(file, &Keys::beside(file).unwrap()).unwrap()
    }

    /// A world with its door open, and its records in this file.
    pub(super) fn recorded(file: &Path) -> App {
        let config = BridgeConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            ..BridgeConfig::default()
        };
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, SessionPlugin, BridgePlugin))
            .insert_resource(Bridge::start(config).unwrap())
            .insert_resource(Recorder::start(store(file)).unwrap());
        app
    }

    /// What stands in the audit of a world that has ended.
    pub(super) fn audited(file: &Path) -> Vec<AuditEntry> {
        let log = store(file).audit_log().unwrap();
        log.into_iter().map(|(_, entry)| entry).collect()
    }
}
