//! A fitted tracer as a file: which model, its numbers, the names behind its indices, and where all this comes from.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::answers::{Answers, Names};
use super::best_lr::BestLr;
use super::bkt::Bkt;
use super::elo::Elo;
use super::monotone::{FitOptions, Monotone};
use super::pfa::Pfa;
use super::score::{Counted, Score, one_step_ahead, score};
use super::{best_lr, bkt, elo, monotone, parallel, pfa};
use crate::learning::bkt_fit;

/// The format that this program writes and reads.
pub const FORMAT: u32 = 1;

/// Which model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Bayesian knowledge tracing with forgetting.
    Bkt,
    /// Performance factors analysis.
    Pfa,
    /// Elo ratings.
    Elo,
    /// Logistic regression on skill, item and counts.
    BestLr,
    /// Our best, the monotone tracer.
    Best,
}

/// Any of the fitted models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// Bayesian knowledge tracing with forgetting.
    Bkt(Bkt),
    /// Performance factors analysis.
    Pfa(Pfa),
    /// Elo ratings.
    Elo(Elo),
    /// Logistic regression on skill, item and counts.
    BestLr(BestLr),
    /// Our best, the monotone tracer.
    Best(Box<Monotone>),
}

/// What a model was fitted on, and by what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The data: a file's name, a data set's, or whatever its owner calls it.
    pub data: String,
    /// Learners in it.
    pub learners: usize,
    /// Their answers.
    pub answers: usize,
    /// Program and version.
    pub fitted_by: String,
    /// What was asked of it beyond the defaults.
    pub options: String,
}

/// A fitted model with its names and provenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fitted {
    /// Of this file: [`FORMAT`].
    pub format: u32,
    /// Where it comes from.
    pub provenance: Provenance,
    /// Names of the skills, by index.
    pub skills: Vec<String>,
    /// Names of the items, by index; empty where the model does not tell them apart.
    pub items: Vec<String>,
    /// The model.
    pub model: Model,
}

/// Why a stored tracer cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FittedError {
    /// Written by another version.
    #[error(
        "it is in format {found}, and this program reads format {FORMAT}; fit it again with this program"
    )]
    Format {
        /// Its format.
        found: u32,
    },
    /// It has numbers for questions that have no name.
    #[error("it names {named} {what} and has numbers for {found}; the file is damaged")]
    Unnamed {
        /// Skills or items.
        what: &'static str,
        /// How many have a name.
        named: usize,
        /// How many have numbers.
        found: usize,
    },
    /// Two indices with one name.
    #[error("it names the {what} `{name}` twice; the file is damaged")]
    Twice {
        /// Skill or item.
        what: &'static str,
        /// Which.
        name: String,
    },
    /// BKT.
    #[error("Bayesian knowledge tracing: {0}")]
    Bkt(#[from] super::super::bkt::OutOfRange),
    /// PFA.
    #[error("performance factors analysis: {0}")]
    Pfa(#[from] pfa::BadWeights),
    /// Elo.
    #[error("Elo: {0}")]
    Elo(#[from] elo::BadRatings),
    /// Best-LR.
    #[error("Best-LR: {0}")]
    BestLr(#[from] best_lr::NotFinite),
    /// The monotone tracer.
    #[error("monotone tracer: {0}")]
    Best(#[from] monotone::MonotoneError),
}

impl Model {
    fn kind(&self) -> Kind {
        match self {
            Self::Bkt(_) => Kind::Bkt,
            Self::Pfa(_) => Kind::Pfa,
            Self::Elo(_) => Kind::Elo,
            Self::BestLr(_) => Kind::BestLr,
            Self::Best(_) => Kind::Best,
        }
    }

    /// How many skills and items it has numbers for.
    fn sizes(&self) -> (usize, usize) {
        match self {
            Self::Bkt(model) => (model.skills.len(), 0),
            Self::Pfa(model) => (model.skills.len(), 0),
            Self::Elo(model) => model.sizes(),
            Self::BestLr(model) => model.sizes(),
            Self::Best(model) => model.sizes(),
        }
    }

    fn validated(self) -> Result<Self, FittedError> {
        Ok(match self {
            Self::Bkt(model) => Self::Bkt(model.validated()?),
            Self::Pfa(model) => Self::Pfa(model.validated()?),
            Self::Elo(model) => Self::Elo(model.validated()?),
            Self::BestLr(model) => Self::BestLr(model.validated()?),
            Self::Best(model) => Self::Best(Box::new(model.validated()?)),
        })
    }
}

impl Fitted {
    /// Which model it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.model.kind()
    }

    /// The same, if this program can use it. Do this with whatever was read from a file.
    ///
    /// # Errors
    /// [`FittedError`] says what is wrong with it.
    pub fn validated(self) -> Result<Self, FittedError> {
        if self.format != FORMAT {
            return Err(FittedError::Format { found: self.format });
        }
        let (skills, items) = self.model.sizes();
        for (what, names, found) in [
            ("skills", &self.skills, skills),
            ("items", &self.items, items),
        ] {
            if names.len() < found {
                let named = names.len();
                return Err(FittedError::Unnamed { what, named, found });
            }
            let mut seen = HashSet::with_capacity(names.len());
            if let Some(name) = names.iter().find(|name| !seen.insert(name.as_str())) {
                let name = name.clone();
                return Err(FittedError::Twice { what, name });
            }
        }
        Ok(Self {
            model: self.model.validated()?,
            ..self
        })
    }

    /// Names of skills and items to index answers with, so that they mean the same here; new names come after them.
    #[must_use]
    pub fn names(&self) -> (Names, Names) {
        let names = |names: &[String]| names.iter().cloned().collect();
        (names(&self.skills), names(&self.items))
    }

    /// Predicts every answer from those before it, learner by learner, and returns (prediction, answer) of those that
    /// count. The answers must be indexed with [`Fitted::names`]. The model learns on about questions as it goes, in a
    /// copy: this one stays as it is.
    #[must_use]
    pub fn one_step_ahead(&self, answers: &Answers, counted: Counted) -> Vec<(f64, bool)> {
        match self.model.clone() {
            Model::Bkt(mut model) => one_step_ahead(&mut model, answers, counted),
            Model::Pfa(mut model) => one_step_ahead(&mut model, answers, counted),
            Model::Elo(mut model) => one_step_ahead(&mut model, answers, counted),
            Model::BestLr(mut model) => one_step_ahead(&mut model, answers, counted),
            Model::Best(mut model) => one_step_ahead(model.as_mut(), answers, counted),
        }
    }

    /// Figures of merit of [`Fitted::one_step_ahead`]; `None` without answers.
    #[must_use]
    pub fn score(&self, answers: &Answers, counted: Counted) -> Option<Score> {
        score(&self.one_step_ahead(answers, counted))
    }
}

/// Fits a model with its default options on all cores. The answers must be indexed with these names of skills and items;
/// `provenance` is told how many learners and answers there were. `progress` hears (done, of).
#[must_use]
pub fn fit(
    kind: Kind,
    answers: &Answers,
    (skills, items): (&Names, &Names),
    provenance: Provenance,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Fitted {
    let threads = parallel::available();
    let model = match kind {
        Kind::Bkt => {
            let options = bkt_fit::FitOptions {
                forgetting: true,
                ..bkt_fit::FitOptions::default()
            };
            let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
            Model::Bkt(bkt::fit(answers, &options, threads, progress))
        }
        Kind::Pfa => Model::Pfa(pfa::fit(answers, threads, progress)),
        Kind::Elo => Model::Elo(elo::fit(answers, threads, progress)),
        Kind::BestLr => Model::BestLr(best_lr::fit(answers, progress)),
        Kind::Best => {
            let options = FitOptions {
                threads,
                ..FitOptions::default()
            };
            Model::Best(Box::new(monotone::fit(answers, &options, progress)))
        }
    };
    Fitted {
        format: FORMAT,
        provenance: Provenance {
            learners: answers.learner_count(),
            answers: answers.len(),
            ..provenance
        },
        skills: skills.all().to_vec(),
        items: if model.sizes().1 > 0 {
            items.all().to_vec()
        } else {
            Vec::new()
        },
        model,
    }
}

#[cfg(test)]
mod tests;
