//! What `records` is asked: a learner's rights and an administrator's duties.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::DataArgs;
use crate::app::consents::{AmendArgs, ConsentArgs, RestrictArgs, WhoArgs};
use crate::app::law::{AgeArgs, LawArgs};
use crate::app::roster::RosterCommand;
use crate::app::terms::RetentionArgs;
use crate::protocol::ids::{LearnerId, SessionId};

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
    /// For how long records are kept here; with an option, sets it. Programs that run go by it from their next day on.
    Retention(RetentionArgs),
    /// What is kept of a learner here, why, where it may go and for how long (Markdown).
    Purposes {
        #[command(flatten)]
        /// Which law holds.
        law: LawArgs,
        #[command(flatten)]
        /// Where the records are.
        data: DataArgs,
    },
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
