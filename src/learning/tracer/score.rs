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
    /// Only those that cannot repeat the answer before them. Data that list a question of several skills as several rows
    /// otherwise let a model read an answer off the row before. A question names a skill once, so the first row whose skill
    /// was met since the last question's start starts another one, and only such rows (and a learner's first) count. This
    /// never looks at the answers themselves: to keep a row because it differs from the one before would choose the rows
    /// that surprise.
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
        run.clear();
        for answer in learner {
            let skill = answer.question.skill;
            if run.contains(&skill) {
                run.clear();
            }
            run.push(skill);
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

    use super::super::answers::Answer;
    use super::super::{Prediction, Question};
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

    /// Predicts the number of answers seen, as a probability.
    struct Counting;

    impl Tracer for Counting {
        type Learner = u32;

        fn predict(&self, seen: &u32, _: Question) -> Prediction {
            Prediction::of_logit(f64::from(*seen), 0.0)
        }

        fn observe(&self, seen: &mut u32, _: Question, _: bool, _: f64) {
            *seen += 1;
        }
    }

    #[test]
    fn only_rows_that_cannot_repeat_an_answer_count() {
        // 0 0 | 1 may belong to the 0 before it | 1 | 0 may | 2 may | 2, whatever the answers were.
        for flipped in 0..7 {
            let row = |(at, skill)| Answer {
                question: Question { skill, item: None },
                correct: at == flipped,
            };
            let learner: Vec<Answer> = [0, 0, 1, 1, 0, 2, 2]
                .into_iter()
                .enumerate()
                .map(row)
                .collect();
            let answers = Answers::of([learner]);
            let pairs = one_step_ahead(&mut Counting, &answers, Counted::FirstOfRun);
            let rows: Vec<f64> = pairs
                .iter()
                .map(|pair| super::super::logit(pair.0).round())
                .collect();
            assert_eq!(rows, [0.0, 1.0, 3.0, 6.0]);
            assert_eq!(
                one_step_ahead(&mut Counting, &answers, Counted::All).len(),
                7
            );
        }
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
