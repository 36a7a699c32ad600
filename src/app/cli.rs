//! The command line: what can be asked of the one binary.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::consents::{AmendArgs, ConsentArgs, RestrictArgs, WhoArgs};
use super::law::{AgeArgs, LawArgs};
use super::replay::play::ReplayOf;
use super::roster::RosterCommand;
use crate::bridge::join::{Fingerprint, HostAddress};
use crate::governor::mode::Mode;
use crate::learning::tracer::fitted::Kind;
use crate::protocol::asker::{TokenId, TokenRole};
use crate::protocol::ids::{LearnerId, SessionId};

/// Malloc VR: hands-on lessons in a headset that notice what you know and help where you are stuck.
#[derive(Debug, Parser)]
#[command(name = "malloc-vr", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    /// What to do.
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play a lesson: in the headset if an OpenXR runtime answers, else in a desktop window.
    Play(Box<PlayArgs>),
    /// Follow a class: headsets join this machine with `play --join`, instructors come to its door.
    Classroom(ClassroomArgs),
    /// Write, check and describe lessons.
    #[command(subcommand)]
    Lesson(LessonCommand),
    /// Look at the learning records kept on this machine.
    #[command(subcommand)]
    Records(RecordsCommand),
    /// Say who may come in by the bridge; takes effect at once, also while a lesson runs.
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// Fit knowledge tracing to students' answers, and measure it on others'.
    #[command(subcommand)]
    Learning(LearningCommand),
    /// Let a local MCP client that speaks over stdin and stdout reach the lesson that runs on this machine.
    Mcp(McpArgs),
    /// Say what this machine offers and how to mend what it lacks.
    Doctor(DoctorArgs),
}

/// Options of `mcp`.
#[derive(Debug, Clone, Args)]
pub struct McpArgs {
    /// Where the running lesson answers.
    #[arg(
        long,
        env = "MALLOC_VR_MCP_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:7878/mcp"
    )]
    pub url: String,
    /// The bearer token that `malloc-vr play` printed.
    #[arg(
        long,
        env = "MALLOC_VR_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
}

/// Where the learner's data lies.
#[derive(Debug, Clone, Args)]
pub struct DataArgs {
    /// Folder of the learning records.
    #[arg(long, env = "MALLOC_VR_DATA_DIR", value_name = "DIR", default_value_os_t = default_data_dir())]
    pub data_dir: PathBuf,
}

/// Options of `doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    /// Where the records are.
    pub data: DataArgs,
    /// Check this adaptation table, too.
    #[arg(long, env = "MALLOC_VR_POLICY", value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

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

/// Options of `classroom`.
#[derive(Debug, Clone, Args)]
pub struct ClassroomArgs {
    /// What the class plays: name of a bundled lesson, or a lesson file. Left out: whatever each headset plays.
    #[arg(long, value_name = "LESSON")]
    pub lesson: Option<String>,
    #[command(flatten)]
    /// Where the class's records go.
    pub data: DataArgs,
    #[command(flatten)]
    /// Where and how this machine is reached.
    pub door: DoorArgs,
}

/// Who may come in by the bridge.
#[derive(Debug, Subcommand)]
pub enum TokensCommand {
    /// Every token: id, role, for whom, until when.
    List {
        /// Those that expired or were revoked, too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        /// Where they are.
        data: DataArgs,
    },
    /// Issue a token and print it, this once.
    Issue(IssueArgs),
    /// End a token for good; what it holds open ends within a second.
    Revoke {
        /// Its id.
        id: TokenId,
        #[command(flatten)]
        /// Where they are.
        data: DataArgs,
    },
    /// Put a new token in the place of one, and print it, this once.
    Rotate {
        /// The old one's id.
        id: TokenId,
        #[command(flatten)]
        /// Where they are.
        data: DataArgs,
    },
}

/// Options of `tokens issue`.
#[derive(Debug, Clone, Args)]
pub struct IssueArgs {
    /// Which device or program it is for, such as `tablet 3`. Never a learner's name.
    pub name: String,
    /// What its holder may.
    #[arg(long, value_enum, default_value_t = RoleName::Instructor)]
    pub role: RoleName,
    /// For this learner only; may be given several times; left out: for everybody on this machine.
    #[arg(long, value_name = "LEARNER")]
    pub learner: Vec<LearnerId>,
    /// How many days it lives, 1 to 400.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=400))]
    pub days: u64,
    #[command(flatten)]
    /// Where they are.
    pub data: DataArgs,
}

/// What a token's holder may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// Look on.
    Observer,
    /// Look on, help, adapt, lead the session.
    Instructor,
    /// All that, and run the machine.
    Operator,
    /// A learner's own runtime.
    Learner,
}

impl From<RoleName> for TokenRole {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Observer => Self::Observer,
            RoleName::Instructor => Self::Instructor,
            RoleName::Operator => Self::Operator,
            RoleName::Learner => Self::Learner,
        }
    }
}

/// Authoring.
#[derive(Debug, Subcommand)]
pub enum LessonCommand {
    /// Check a lesson like a compiler: every mistake, with its line and how to mend it.
    Check {
        /// The lesson file (RON).
        file: PathBuf,
    },
    /// Print the JSON Schema of the lesson format.
    Schema,
    /// Write a starter lesson.
    New {
        /// Name of the lesson, for example `knots`; becomes the file `knots.ron`.
        name: String,
    },
}

/// Learning records.
#[derive(Debug, Subcommand)]
pub enum RecordsCommand {
    /// Who is in the store, with their sessions.
    List {
        #[command(flatten)]
        /// Where the records are.
        data: DataArgs,
    },
    /// Every event of one learner, one JSON object a line.
    Show {
        /// The learner's pseudonym; left out: the only one there is.
        learner: Option<LearnerId>,
        #[command(flatten)]
        /// Where the records are.
        data: DataArgs,
    },
    /// Read everything and say whether it is whole.
    Verify {
        #[command(flatten)]
        /// Where the records are.
        data: DataArgs,
    },
    /// A copy of one learner's record for them or their family: to read, as events, and as xAPI statements.
    Export {
        /// The learner's pseudonym; left out: the only one there is.
        learner: Option<LearnerId>,
        /// An empty folder for it, or one to be made.
        #[arg(short, long)]
        output: PathBuf,
        /// Address that xAPI names accounts by: the school's.
        #[arg(long, value_name = "URL", default_value = "https://malloc-vr.invalid")]
        home: String,
        /// Not for the family: a disclosure to this study, which the record will name. It has to be agreed to.
        #[arg(long, value_name = "BODY")]
        for_study: Option<String>,
        /// Not for the family: a disclosure to this company, which the record will name. It has to be agreed to.
        #[arg(long, value_name = "BODY", conflicts_with = "for_study")]
        for_company: Option<String>,
        #[command(flatten)]
        /// How old they are.
        age: AgeArgs,
        #[command(flatten)]
        /// Which law holds.
        law: LawArgs,
        #[command(flatten)]
        /// Where the records are.
        data: DataArgs,
    },
    /// Destroy the key to one learner's record, and the record, for good.
    Erase {
        /// The learner's pseudonym.
        learner: LearnerId,
        /// It is meant.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        /// Where the records are.
        data: DataArgs,
    },
    /// Erase whoever has not been here for as long as records are kept.
    Sweep {
        /// Only say what would be erased.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        /// Where the records are.
        data: DataArgs,
    },
    /// Figures over everybody that tell nothing about any one of them: at least five learners, and noise.
    Class {
        /// Privacy loss that all figures together may cost each learner; a budget of 3 is refused further questions.
        #[arg(long, default_value_t = 0.5, value_name = "EPSILON")]
        epsilon: f64,
        #[command(flatten)]
        /// Where the records are.
        data: DataArgs,
    },
    /// Make a new master key and wrap every data key with it; no record is rewritten.
    RotateKey {
        #[command(flatten)]
        /// Where the records are.
        data: DataArgs,
    },
    /// Who did what with which record, and why, one JSON object a line.
    Audit {
        #[command(flatten)]
        /// Where the records are.
        data: DataArgs,
    },
    /// What is kept of a learner, why, where it may go and for how long (Markdown).
    Purposes,
    /// Record what somebody who may speak for a learner agrees to, or no longer.
    Consent(ConsentArgs),
    /// Put a note beside an event of the record, by whoever disputes it.
    Amend(AmendArgs),
    /// Keep the record and use it for nothing but the running lesson, or use it again.
    Restrict(RestrictArgs),
    /// What may be done with a learner's record now, and why.
    Standing(WhoArgs),
    /// Who is who: names apart from the records.
    #[command(subcommand)]
    Roster(RosterCommand),
    /// Go through a learner's sessions again and say whether attempts and decisions come out the same to the bit; or,
    /// with --policy or --shift-hint, continue one of them otherwise with simulated learners.
    Replay(ReplayArgs),
}

/// Options of `records replay`.
#[derive(Debug, Clone, Args)]
pub struct ReplayArgs {
    /// The learner's pseudonym; left out: the only one there is.
    pub learner: Option<LearnerId>,
    /// Only this session.
    #[arg(long, value_name = "ID")]
    pub session: Option<SessionId>,
    /// The lesson's file; left out: the bundled lesson of that name.
    #[arg(long, value_name = "FILE")]
    pub lesson: Option<PathBuf>,
    /// The adaptation table that was in force; left out: the one delivered.
    #[arg(long, value_name = "FILE")]
    pub table: Option<PathBuf>,
    /// What if this table had been in force from a point on?
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// That point: after this event of the log. Left out: the session's beginning; with --shift-hint its first hint.
    #[arg(long, value_name = "SEQ", conflicts_with = "at_time")]
    pub at: Option<u64>,
    /// That point, in seconds since the session began.
    #[arg(long, value_name = "SECONDS")]
    pub at_time: Option<f64>,
    /// What if the next hint had come so many seconds earlier (or later, where negative)?
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub shift_hint: Option<f64>,
    /// How many simulated learners continue.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub seeds: u32,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    /// Where the records are.
    pub data: DataArgs,
}

/// Knowledge tracing.
#[derive(Debug, Subcommand)]
pub enum LearningCommand {
    /// Fit a model to answers and write its parameters.
    Fit(FitArgs),
    /// Predict every answer from those before it and say how good the predictions were.
    Eval(EvalArgs),
    /// Tell a learner's story: what is believed of each skill and why, and what was decided.
    Explain(ExplainArgs),
    /// What each adaptation rule does to the next attempt, from trials in which it was left out by lot.
    Effect {
        /// Folder of the records.
        #[command(flatten)]
        data: DataArgs,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
}

/// Which model of what learners know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModelName {
    /// Bayesian knowledge tracing with forgetting.
    Bkt,
    /// Performance factors analysis.
    Pfa,
    /// Elo ratings.
    Elo,
    /// Logistic regression on skill, item and counts (Best-LR).
    BestLr,
    /// Our best: the monotone tracer.
    Best,
}

impl From<ModelName> for Kind {
    fn from(name: ModelName) -> Self {
        match name {
            ModelName::Bkt => Self::Bkt,
            ModelName::Pfa => Self::Pfa,
            ModelName::Elo => Self::Elo,
            ModelName::BestLr => Self::BestLr,
            ModelName::Best => Self::Best,
        }
    }
}

/// Options of `learning fit`.
#[derive(Debug, Clone, Args)]
pub struct FitArgs {
    /// Which model.
    #[arg(long)]
    pub model: ModelName,
    /// Answers: CSV with the columns learner, skill, correct (0 or 1) and if wanted item and time; may be gzipped (.gz).
    pub data: PathBuf,
    /// Where the parameters go (JSON).
    #[arg(short, long)]
    pub output: PathBuf,
}

/// Options of `learning eval`.
#[derive(Debug, Clone, Args)]
pub struct EvalArgs {
    /// Parameters that `learning fit` wrote.
    #[arg(long)]
    pub params: PathBuf,
    /// Answers of other learners, in the form that `learning fit` reads.
    pub data: PathBuf,
    /// Count only answers that cannot repeat the one before: where a question of several skills has several rows.
    #[arg(long)]
    pub first_of_run: bool,
    /// Draw how far the predictions can be relied on (PNG, or SVG by the file's ending).
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Options of `learning explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// The log: a data folder, a store, or a file of events as `records show` prints them.
    pub log: PathBuf,
    /// Whose; left out: the only learner there is.
    #[arg(long)]
    pub learner: Option<LearnerId>,
    /// Draw the estimates over the attempts (PNG, or SVG by the file's ending).
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Only this decision of the adaptation rules: two sentences, and everything behind them as JSON.
    #[arg(long, value_name = "NUMBER", conflicts_with = "plot")]
    pub decision: Option<u64>,
}

/// `$XDG_DATA_HOME/malloc-vr`, else `~/.local/share/malloc-vr`, else a folder here. On Android the application's
/// private storage, which no other application reads.
fn default_data_dir() -> PathBuf {
    #[cfg(target_os = "android")]
    if let Some(private) = super::android::private_storage() {
        return private.join("records");
    }
    std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".local/share")))
        .map_or_else(
            || PathBuf::from("malloc-vr-data"),
            |data| data.join("malloc-vr"),
        )
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn play_needs_no_arguments() {
        let cli = Cli::try_parse_from(["malloc-vr", "play"]).unwrap();
        let Command::Play(play) = cli.command else {
            panic!("not play");
        };
        assert_eq!(play.lesson, "first-steps");
        assert!(play.door.listen.ip().is_loopback());
    }

    #[test]
    fn an_unknown_flag_is_refused() {
        assert!(Cli::try_parse_from(["malloc-vr", "play", "--fast"]).is_err());
    }
}
