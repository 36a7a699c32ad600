//! The command line: what can be asked of the one binary.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

mod learning;
mod play;
mod records;
mod tokens;

pub use learning::{EvalArgs, ExplainArgs, FitArgs, LearningCommand, ModelName};
pub use play::{DeskFor, DoorArgs, PlayArgs};
pub use records::{RecordsCommand, ReplayArgs};
pub use tokens::{IssueArgs, RoleName, TokensCommand};

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

/// `$XDG_DATA_HOME/malloc-vr`, else `~/.local/share/malloc-vr`, else a folder here. On Android the application's
/// private storage, which no other application reads.
fn default_data_dir() -> PathBuf {
    #[cfg(target_os = "android")]
    if let Some(private) = crate::app::android::private_storage() {
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
