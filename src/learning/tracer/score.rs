//! How good predictions were.

use serde::{Deserialize, Serialize};

use super::answers::Answers;
use super::{Tracer, bounded};

/// Bins of the calibration error and of the reliability plot.
const BINS: usize = 10;

/// Figures of merit over many predictions of answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Area under the receiver operating characteristic: the chance that a right answer was given a higher
    /// probability than a wrong one; ties count half (Hanley & McNeil 1982). 0.5 where all answers went one way.
    pub auc: f64,
    /// Root mean square error.
    pub rmse: f64,
    /// Mean negative log-likelihood, nats.
    pub log_loss: f64,
    /// Share of answers on the predicted side of one half.
    pub accuracy: f64,
    /// Expected calibration error: mean gap between predicted and observed share over ten equal bins, weighted by
    /// their size (Naeini, Cooper & Hauskrecht 2015).
    pub ece: f64,
    /// Answers predicted.
    pub n: usize,
    /// The bins of `ece`, for a reliability plot.
    pub reliability: Vec<Bin>,
}

/// Predictions of about the same size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Mean prediction.
    pub predicted: f64,
    /// Share of right answers.
    pub observed: f64,
    /// How many.
    pub n: usize,
}

/// Figures of merit of (prediction, answer) pairs; `None` without any.
#[must_use]
pub fn score(pairs: &[(f64, bool)]) -> Option<Score> {
    if pairs.is_empty() {
        return None;
    }
    let n = pairs.len() as f64;
    let mut bins = [Bin::default(); BINS];
    let (mut squares, mut loss, mut hits) = (0.0, 0.0, 0usize);
    for &(prediction, correct) in pairs {
        let p = bounded(prediction);
        let y = f64::from(correct);
        squares += (p - y) * (p - y);
        loss -= if correct { p.ln() } else { (1.0 - p).ln() };
        hits += usize::from((p >= 0.5) == correct);
        // p < 1, so the index is below BINS.
        let bin = &mut bins[(p * BINS as f64) as usize];
        bin.predicted += p;
        bin.observed += y;
        bin.n += 1;
    }
    for bin in &mut bins {
        bin.predicted /= bin.n.max(1) as f64;
        bin.observed /= bin.n.max(1) as f64;
    }
    let gap = |bin: &Bin| bin.n as f64 / n * (bin.predicted - bin.observed).abs();
    Some(Score {
        auc: auc(pairs),
        rmse: (squares / n).sqrt(),
        log_loss: loss / n,
        accuracy: hits as f64 / n,
        ece: bins.iter().map(gap).sum(),
        n: pairs.len(),
        reliability: bins.into_iter().filter(|bin| bin.n > 0).collect(),
    })
}

fn auc(pairs: &[(f64, bool)]) -> f64 {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut rank_sum, mut right, mut before) = (0.0, 0.0, 0.0);
    for ties in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let size = ties.len() as f64;
        let right_here = ties.iter().filter(|pair| pair.1).count() as f64;
        rank_sum += right_here * (before + (size + 1.0) / 2.0);
        right += right_here;
        before += size;
    }
    let wrong = before - right;
    if right * wrong > 0.0 {
        (rank_sum - right * (right + 1.0) / 2.0) / (right * wrong)
    } else {
        0.5
    }
}

/// Which answers of a learner count in a score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Counted {
    /// Every one.
    #[default]
    All,
    /// Not those that may repeat the answer before them: same outcome, a skill not yet seen in the run. Data that list a
    /// question of several skills as several rows otherwise let a model read the answer off the row before.
    FirstOfRun,
}

/// Predicts every answer from those before it, learner by learner; returns (prediction, answer) of the counted ones.
pub fn one_step_ahead<T: Tracer>(
    tracer: &mut T,
    answers: &Answers,
    counted: Counted,
) -> Vec<(f64, bool)> {
    let mut pairs = Vec::with_capacity(answers.len());
    let mut run = Vec::new();
    for learner in answers.learners() {
        let mut state = T::Learner::default();
        let mut outcome = None;
        run.clear();
        for answer in learner {
            let skill = answer.question.skill;
            if outcome == Some(answer.correct) && !run.contains(&skill) {
                run.push(skill);
            } else {
                run.clear();
                run.push(skill);
            }
            outcome = Some(answer.correct);
            if counted == Counted::All || run.len() == 1 {
                let prediction = tracer.predict(&state, answer.question);
                pairs.push((prediction.mean, answer.correct));
            }
            tracer.learn_question(&state, answer.question, answer.correct);
            tracer.observe(&mut state, answer.question, answer.correct, 1.0);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_worked_example() {
        // Of the 2 × 2 pairs (right, wrong), (0.9, 0.2), (0.9, 0.6), (0.4, 0.2) are in order and (0.4, 0.6) is not.
        let score = score(&[(0.9, true), (0.6, false), (0.4, true), (0.2, false)]).unwrap();
        assert!((score.auc - 0.75).abs() < 1e-12);
        // (0.01 + 0.36 + 0.36 + 0.04) / 4
        assert!((score.rmse - (0.77f64 / 4.0).sqrt()).abs() < 1e-12);
        let loss = -(0.9f64.ln() + 0.4f64.ln() + 0.4f64.ln() + 0.8f64.ln()) / 4.0;
        assert!((score.log_loss - loss).abs() < 1e-12);
        assert!((score.accuracy - 0.5).abs() < 1e-12);
        // Four bins of one: gaps 0.1, 0.6, 0.6, 0.2.
        assert!((score.ece - 1.5 / 4.0).abs() < 1e-12);
    }

    #[test]
    fn ties_count_half_and_one_sided_answers_say_nothing() {
        let all_same = [(0.7, true), (0.7, false), (0.7, true)];
        assert!((score(&all_same).unwrap().auc - 0.5).abs() < 1e-12);
        assert!((score(&[(0.7, true)]).unwrap().auc - 0.5).abs() < 1e-12);
        assert_eq!(score(&[]), None);
    }

    proptest! {
        #[test]
        fn figures_stay_in_their_ranges(pairs in prop::collection::vec((any::<f64>(), any::<bool>()), 1..50)) {
            let score = score(&pairs).unwrap();
            prop_assert!((0.0..=1.0).contains(&score.auc) && (0.0..=1.0).contains(&score.ece));
            prop_assert!(score.log_loss.is_finite() && score.rmse.is_finite());
        }
    }
}
