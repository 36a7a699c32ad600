//! What `learning` is asked: fitting models, measuring them, and telling what they make of somebody.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::DataArgs;
use crate::learning::tracer::fitted::Kind;
use crate::protocol::ids::LearnerId;

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
