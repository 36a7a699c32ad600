//! What `play` is asked: which lesson, on which view, under whose law, who may come in and whom it joins.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::DataArgs;
use crate::app::law::{AgeArgs, LawArgs};
use crate::app::replay::play::ReplayOf;
use crate::bridge::join::{Fingerprint, HostAddress};
use crate::governor::mode::Mode;
use crate::protocol::ids::LearnerId;

/// Options of `play`.
#[derive(Debug, Clone, Args)]
pub struct PlayArgs {
    /// Name of a bundled lesson, or a lesson file.
    #[arg(default_value = "first-steps")]
    pub lesson: String,
    #[command(flatten)]
    /// Where the records go.
    pub data: DataArgs,
    #[command(flatten)]
    /// Where and how this machine is reached.
    pub door: DoorArgs,
    /// Join this classroom host: HOST or HOST:PORT, or wss://HOST:PORT where it encrypts, as `malloc-vr classroom`
    /// printed it. The lesson goes on without it. Several, with commas between them, are tried in turn when the one before
    /// is drained, ends or is not reached; they have to know the same token.
    #[arg(
        long,
        env = "MALLOC_VR_JOIN",
        value_name = "HOST",
        value_delimiter = ','
    )]
    pub join: Vec<HostAddress>,
    /// Bearer token of that host.
    #[arg(
        long,
        env = "MALLOC_VR_JOIN_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub join_token: Option<String>,
    /// Encrypt, and know that host by the fingerprint (SHA-256) of its certificate, as it printed it.
    #[arg(
        long,
        env = "MALLOC_VR_JOIN_FINGERPRINT",
        value_name = "SHA256",
        requires = "join",
        conflicts_with = "join_ca"
    )]
    pub join_fingerprint: Option<Fingerprint>,
    /// Encrypt, and trust a certificate for that host's name if one of those in this PEM file vouches for it (the
    /// school's own, or the system's, on Debian /etc/ssl/certs/ca-certificates.crt).
    #[arg(
        long,
        env = "MALLOC_VR_JOIN_CA",
        value_name = "FILE",
        requires = "join"
    )]
    pub join_ca: Option<PathBuf>,
    /// Leave the headset alone and open a desktop window.
    #[arg(long)]
    pub no_xr: bool,
    /// Show nothing at all: records, models and the instructor's door only.
    #[arg(long, conflicts_with = "no_xr")]
    pub headless: bool,
    /// Begin anew even where an unfinished session could be taken up again.
    #[arg(long)]
    pub fresh: bool,
    /// The school's own adaptation table (RON) in place of the one delivered; `doctor --policy FILE` checks it.
    #[arg(long, env = "MALLOC_VR_POLICY", value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Use where the head points as a sign of engagement. Only where law and school allow it.
    #[arg(long)]
    pub head_signs: bool,
    /// Show a line about frames on the guide panel: period, CPU, GPU, misses, level and why. Needs a headset.
    #[arg(long)]
    pub show_frames: bool,
    /// Whether quality follows what frames cost (on), stays full whatever is missed (off), or is held at one level, for
    /// tests and measurements: conservative, balanced, aggressive, emergency.
    #[arg(
        long,
        env = "MALLOC_VR_GOVERNOR",
        value_name = "on|off|LEVEL",
        default_value_t
    )]
    pub governor: Mode,
    /// Who plays, by pseudonym; left out: whoever was here last.
    #[arg(long, value_name = "PSEUDONYM")]
    pub learner: Option<LearnerId>,
    #[command(flatten)]
    /// How old they are.
    pub age: AgeArgs,
    #[command(flatten)]
    /// Which law holds.
    pub law: LawArgs,
    /// Play a session's recorded movements again instead, to the same attempts and decisions; nothing is written.
    #[arg(long, value_name = "LEARNER[/SESSION]", conflicts_with = "fresh")]
    pub replay: Option<ReplayOf>,
    /// Write frame statistics to this JSON file, each second.
    #[arg(long, value_name = "FILE")]
    pub frame_stats: Option<PathBuf>,
    /// Open the desk panel in the desktop window (F1 opens and closes it): frames, governor, models, log. As `developer`
    /// also inputs that pretend to be the learner's, and stand in the log as simulated.
    #[arg(
        long,
        value_enum,
        value_name = "FOR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "supervisor"
    )]
    pub desk: Option<DeskFor>,
}

/// For whom the desk panel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeskFor {
    /// Who looks on: nothing on it changes anything.
    Supervisor,
    /// Who works on lesson or program: it can also pretend to be the learner.
    Developer,
}

/// Where and how this machine is reached.
#[derive(Debug, Clone, Args)]
pub struct DoorArgs {
    /// Address that instructors, and at a classroom host headsets, connect to; port 0 takes a free one.
    #[arg(
        long,
        env = "MALLOC_VR_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:7878"
    )]
    pub listen: SocketAddr,
    /// Bearer token that opens everything while this runs, for scripts; left out: a fresh one is made and printed.
    #[arg(
        long,
        env = "MALLOC_VR_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// Encrypt with a certificate of our own, made once and kept; its fingerprint is shown with the pairing code.
    #[arg(long, env = "MALLOC_VR_TLS", conflicts_with = "tls_cert")]
    pub tls: bool,
    /// Encrypt with this certificate (PEM, with its chain).
    #[arg(
        long,
        env = "MALLOC_VR_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM).
    #[arg(
        long,
        env = "MALLOC_VR_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    pub tls_key: Option<PathBuf>,
    /// A name by which clients call this machine, besides `localhost` and its addresses; may be given several times.
    #[arg(
        long = "host",
        env = "MALLOC_VR_HOST",
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub hosts: Vec<String>,
    /// Listen on an address other than this machine's own although nothing is encrypted.
    #[arg(long)]
    pub allow_plaintext: bool,
}
