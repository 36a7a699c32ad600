//! The command line: what can be asked of the one binary.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::learning::tracer::fitted::Kind;
use crate::protocol::ids::LearnerId;

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
    Play(PlayArgs),
    /// Write, check and describe lessons.
    #[command(subcommand)]
    Lesson(LessonCommand),
    /// Look at the learning records kept on this machine.
    #[command(subcommand)]
    Records(RecordsCommand),
    /// Fit knowledge tracing to students' answers, and measure it on others'.
    #[command(subcommand)]
    Learning(LearningCommand),
    /// Say what this machine offers and how to mend what it lacks.
    Doctor(DoctorArgs),
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
    /// Address the instructor connects to; port 0 takes a free one.
    #[arg(
        long,
        env = "MALLOC_VR_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:7878"
    )]
    pub listen: SocketAddr,
    /// Bearer token that the instructor must show; left out: a fresh one is made and printed.
    #[arg(
        long,
        env = "MALLOC_VR_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// Listen on an address other than this machine's own although nothing is encrypted.
    #[arg(long)]
    pub allow_plaintext: bool,
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
    /// Write frame statistics to this JSON file, each second.
    #[arg(long, value_name = "FILE")]
    pub frame_stats: Option<PathBuf>,
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
        assert!(play.listen.ip().is_loopback());
    }

    #[test]
    fn an_unknown_flag_is_refused() {
        assert!(Cli::try_parse_from(["malloc-vr", "play", "--fast"]).is_err());
    }
}
