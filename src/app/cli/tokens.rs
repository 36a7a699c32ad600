//! What `tokens` is asked: who may come in by the bridge.

use clap::{Args, Subcommand, ValueEnum};

use super::DataArgs;
use crate::protocol::asker::{TokenId, TokenRole};
use crate::protocol::ids::LearnerId;

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
