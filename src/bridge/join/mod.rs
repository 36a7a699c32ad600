//! A headset as a learner of a classroom host: it dials out, so that only the host needs to be reachable.
//! In: the learner's stream as it waits in `session::stream`, commands of the host. Out: parcels in order, answers.
//! Never: lets the lesson wait for the link. The headset stays the one writer of its learner's log.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

use bevy::prelude::*;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::BridgeSystems;
use crate::protocol::command::Command;
use crate::protocol::parcel::{Parcel, Position};
use crate::protocol::picture::{Look, Shown};
use crate::protocol::wire::{Done, Learning, Notice, WireError};
use crate::session::standing::Agreements;

mod address;
mod carry;
mod dial;
mod keep;
mod leave;
mod look;
mod reach;
mod trust;

pub use address::{BadHost, HostAddress};
pub use trust::{BadFingerprint, Fingerprint, NoTrust, Trust};

/// Which host to join, and how.
#[derive(Debug, Clone)]
pub struct JoinConfig {
    /// Where it listens.
    pub host: HostAddress,
    /// Further hosts that know the same token, tried in turn when the one before goes or is not reached.
    pub others: Vec<HostAddress>,
    /// By what it is known, where the link is encrypted. An encrypted link to a host that is known by nothing is refused.
    pub trust: Option<Trust>,
    /// Its access token.
    pub token: String,
    /// Who learns, and what.
    pub learning: Learning,
    /// File for the resume tokens of hosts, beside the records.
    pub tokens: PathBuf,
    /// First pause before a link is tried again; it doubles up to [`JoinConfig::longest_pause`].
    pub first_pause: Duration,
    /// Longest pause.
    pub longest_pause: Duration,
    /// Longest pause that a host may ask for when it goes.
    pub longest_wish: Duration,
}

impl JoinConfig {
    /// With the usual pauses: 250 ms up to 15 s.
    #[must_use]
    pub fn new(host: HostAddress, token: String, learning: Learning, tokens: PathBuf) -> Self {
        Self {
            host,
            others: Vec::new(),
            trust: None,
            token,
            learning,
            tokens,
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(15),
            longest_wish: Duration::from_secs(5 * 60),
        }
    }
}

/// The wish to join a host. A resource: it is dialled as soon as the learner's data may leave this device, and hung up
/// on as soon as they may not; meanwhile everything waits here.
#[derive(Resource, Debug, Clone)]
pub struct ToJoin(pub JoinConfig);

/// The link to a host, up or down. A resource. Dropping it says goodbye.
#[derive(Resource, Debug)]
struct Joined {
    to_host: mpsc::Sender<ToHost>,
    from_host: mpsc::Receiver<FromLink>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// How the link fares, for panels and tests. A resource.
#[derive(Resource, Debug, Clone, Default, PartialEq)]
pub struct LinkState {
    /// It is up.
    pub up: bool,
    /// How often it came up.
    pub times: u64,
    /// Why the host does not want us, where somebody has to do something about it.
    pub refused: Option<String>,
    /// The host's wall clock minus ours, milliseconds; `None`: not known yet.
    pub clock_offset_ms: Option<i64>,
    /// What the host said last of its going; `None`: nothing, or that it stays.
    pub notice: Option<Notice>,
}

/// The link as it is up, told apart from the ones before: what was meant for an older one is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Era(u64);

/// From the world to the link.
#[derive(Debug)]
enum ToHost {
    Parcel(Era, Box<Parcel>),
    Done(Done),
    Shown(Box<Shown>),
}

/// From the link to the world.
#[derive(Debug)]
enum FromLink {
    Up(Era, Position),
    Ack(Position),
    Do(Box<Command>),
    Look(Look),
    Notice(Notice),
    Offset(i64),
    Down,
    Refused(WireError),
}

/// Messages under way to the link: what waits longer is in the learner's buffer, or in the log.
const TO_HOST: usize = 64;
/// Messages under way from the link.
const FROM_HOST: usize = 256;

impl Joined {
    /// Starts dialling, on a thread of its own, and goes on for ever.
    ///
    /// # Errors
    /// The system's, where no thread can be had.
    fn start(config: JoinConfig) -> std::io::Result<Self> {
        let (to_host, for_host) = mpsc::channel(TO_HOST);
        let (to_world, from_host) = mpsc::channel(FROM_HOST);
        let stop = CancellationToken::new();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("join".to_owned())
            .spawn(move || {
                runtime.block_on(dial::keep_joined(config, for_host, to_world, stopped));
            })?;
        Ok(Self {
            to_host,
            from_host,
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("the link to the host ended by a panic");
        }
    }
}

/// Connects the link of [`ToJoin`] (without that resource nothing happens) with the one learner of this world.
pub struct JoinPlugin;

impl Plugin for JoinPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<LinkState>()
            .init_resource::<carry::Carried>()
            .init_resource::<look::Looking>()
            .init_resource::<Agreements>()
            .add_systems(
                Update,
                leave::mind
                    .in_set(BridgeSystems::Publish)
                    .run_if(resource_exists::<ToJoin>),
            )
            .add_systems(
                Update,
                (
                    (carry::begin_to_keep, carry::hear_the_host)
                        .chain()
                        .in_set(BridgeSystems::Receive),
                    (
                        carry::answer_the_host,
                        look::show_the_host,
                        carry::read_again,
                        carry::send_what_waits,
                    )
                        .chain()
                        .in_set(BridgeSystems::Publish),
                )
                    .run_if(resource_exists::<Joined>),
            );
    }
}
