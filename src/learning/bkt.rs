//! Bayesian knowledge tracing, one estimate per skill.
//!
//! Source: A. T. Corbett, J. R. Anderson, "Knowledge tracing: Modeling the acquisition of procedural knowledge",
//! User Modeling and User-Adapted Interaction 4 (1995), equations 1 to 3. Forgetting between two attempts as in
//! M. Khajah, R. V. Lindsey, M. C. Mozer, "How deep is knowledge tracing?", EDM 2016, and in pyBKT
//! (A. Badrinath, F. Wang, Z. Pardos, "pyBKT: An accessible Python library of Bayesian knowledge tracing models",
//! EDM 2021), whose predictions ours equal on the same parameters.
//!
//! In range or not, NaN and infinity included, every function here returns a probability in [0, 1]: a parameter
//! beyond its range counts as the nearest end of [0, 1], and one that is NaN as the default's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The parameters of a skill. Probabilities in (0, 1); `slip` and `guess` at most [`MAX_SLIP_OR_GUESS`],
/// so that an answer never means its opposite (Baker, Corbett & Aleven 2008 call that degenerate).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BktParams {
    /// P(known) before the first attempt.
    pub prior: f64,
    /// P(learnt between two attempts).
    pub learn: f64,
    /// P(wrong although known), at most 0.3.
    pub slip: f64,
    /// P(right although not known), at most 0.3.
    pub guess: f64,
    /// P(forgotten between two attempts), in [0, 1) and at most 1 - `learn`; left out, nothing is ever forgotten.
    #[serde(default)]
    pub forget: f64,
}

/// Highest slip and guess that still let an answer speak for what it seems to say.
pub const MAX_SLIP_OR_GUESS: f64 = 0.3;

/// A parameter outside its range.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("`{name}` is {value}; it must lie between 0 and {max}")]
pub struct OutOfRange {
    /// Which parameter.
    pub name: &'static str,
    /// What it was.
    pub value: f64,
    /// Upper end of its range.
    pub max: f64,
}

impl Default for BktParams {
    /// For a skill nobody has fitted yet: as likely unknown as not, learnt within a handful of attempts,
    /// with slip and guess of the size that fitted tutors report (Corbett & Anderson 1995, table 2).
    fn default() -> Self {
        Self {
            prior: 0.3,
            learn: 0.2,
            slip: 0.1,
            guess: 0.2,
            forget: 0.0,
        }
    }
}

impl BktParams {
    /// The same parameters, if every one is in range.
    ///
    /// `learn + forget` may not pass 1: beyond it, who knows now would be less likely to know next time than who
    /// does not, and a right answer would lower the estimate.
    ///
    /// # Errors
    /// [`OutOfRange`] names the first that is not; NaN never is.
    pub fn validated(self) -> Result<Self, OutOfRange> {
        let ranges = [
            ("prior", self.prior, 1.0),
            ("learn", self.learn, 1.0),
            ("slip", self.slip, MAX_SLIP_OR_GUESS),
            ("guess", self.guess, MAX_SLIP_OR_GUESS),
        ];
        for (name, value, max) in ranges {
            // The upper end belongs to the range of slip and guess, where it is well below 1.
            let inside = value > 0.0 && (value < max || (max < 1.0 && value <= max));
            if !inside {
                return Err(OutOfRange { name, value, max });
            }
        }
        let max = 1.0 - self.learn;
        if (0.0..=max).contains(&self.forget) {
            Ok(self)
        } else {
            Err(OutOfRange {
                name: "forget",
                value: self.forget,
                max,
            })
        }
    }
}

impl BktParams {
    /// Parameters with which an answer given with help counts, for one update only: `help` is the share of the step's
    /// help that was shown, in [0, 1] (NaN: none).
    ///
    /// Who was told how to do it succeeds without knowing: guess rises towards 1 − slip, where a success is as likely
    /// known as not, and so says nothing (help as part of the observation model: Beck, Chang, Mostow & Corbett, "Does help
    /// help?", ITS 2008). A failure in spite of help says what any failure says.
    #[must_use]
    pub fn helped(self, help: f64, correct: bool) -> Self {
        if !correct || help.is_nan() || help <= 0.0 {
            return self;
        }
        let room = (1.0 - self.slip - self.guess).max(0.0);
        Self {
            guess: self.guess + help.min(1.0) * room,
            ..self
        }
    }
}

/// `value` in [0, 1]; where it is NaN, `otherwise`, a probability.
pub(super) fn probability(value: f64, otherwise: f64) -> f64 {
    if value.is_nan() {
        otherwise
    } else {
        value.clamp(0.0, 1.0)
    }
}

/// P(known) as given, or the skill's prior where it is NaN.
fn belief(known: f64, p: &BktParams) -> f64 {
    probability(known, probability(p.prior, BktParams::default().prior))
}

/// P(slip) and P(guess).
fn noise(p: &BktParams) -> (f64, f64) {
    let default = BktParams::default();
    (
        probability(p.slip, default.slip),
        probability(p.guess, default.guess),
    )
}

/// Posterior probability that the skill is known after one answer, before anything is learnt from it (eq. 1 and 2).
///
/// `known` is a probability in [0, 1]. Returns a probability in [0, 1].
#[must_use]
pub fn posterior(known: f64, correct: bool, p: &BktParams) -> f64 {
    let known = belief(known, p);
    let (slip, guess) = noise(p);
    let (if_known, if_not) = if correct {
        (1.0 - slip, guess)
    } else {
        (slip, 1.0 - guess)
    };
    let joint = known * if_known;
    let evidence = joint + (1.0 - known) * if_not;
    if evidence > 0.0 {
        joint / evidence
    } else {
        // An answer that cannot be (or nearly: the products underflowed) says nothing.
        known
    }
}

/// Probability that the skill is known after one answer and what was learnt from it or forgotten since (eq. 1 to 3).
///
/// `known` is a probability in [0, 1]. Returns a probability in [0, 1].
/// Where an attempt exercises several skills, each is updated by the same answer as if it were the only one.
#[must_use]
pub fn update(known: f64, correct: bool, p: &BktParams) -> f64 {
    attempted(posterior(known, correct, p), p)
}

/// Probability that the skill is known after an attempt of which nothing was seen: only what was learnt or forgotten.
pub(super) fn attempted(known: f64, p: &BktParams) -> f64 {
    let known = belief(known, p);
    let learn = probability(p.learn, BktParams::default().learn);
    let forget = probability(p.forget, 0.0);
    known * (1.0 - forget) + (1.0 - known) * learn
}

/// Probability that the next answer is right (Corbett & Anderson 1995, eq. 4).
///
/// `known` is a probability in [0, 1]. Returns a probability in [0, 1].
#[must_use]
pub fn predict(known: f64, p: &BktParams) -> f64 {
    let known = belief(known, p);
    let (slip, guess) = noise(p);
    known * (1.0 - slip) + (1.0 - known) * guess
}

/// Probability that a step that needs several skills at once goes right: the product over its skills of [`predict`].
///
/// Each skill succeeds or fails by its own slip and guess, and all must succeed: a noisy-AND (B. W. Junker,
/// K. Sijtsma, "Cognitive assessment models with few assumptions", Applied Psychological Measurement 25 (2001), the
/// NIDA model). The usual choice in knowledge tracing; for how it compares see Y. Gong, J. E. Beck, N. T. Heffernan,
/// "Comparing knowledge tracing and performance factor analysis by using multiple model fitting procedures", ITS 2010.
/// Takes P(known) and parameters of each skill; `None` where there is no skill, of which nothing can be said.
#[must_use]
pub fn predict_step<'a>(skills: impl IntoIterator<Item = (f64, &'a BktParams)>) -> Option<f64> {
    skills
        .into_iter()
        .map(|(known, p)| predict(known, p))
        .reduce(|all, one| all * one)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_worked_example() {
        let p = BktParams {
            prior: 0.5,
            learn: 0.1,
            slip: 0.1,
            guess: 0.2,
            forget: 0.0,
        };
        // By hand: 0.5·0.9 / (0.5·0.9 + 0.5·0.2) = 0.45 / 0.55, then + (1 - that)·0.1.
        assert!((posterior(0.5, true, &p) - 0.818_181_818).abs() < 1e-9);
        assert!((update(0.5, true, &p) - 0.836_363_636).abs() < 1e-9);
        // 0.5·0.1 / (0.5·0.1 + 0.5·0.8) = 1/9.
        assert!((posterior(0.5, false, &p) - 1.0 / 9.0).abs() < 1e-12);
        assert!((predict(0.5, &p) - 0.55).abs() < 1e-12);
    }

    #[test]
    fn a_success_that_was_told_says_nothing_and_one_half_told_says_less() {
        let p = BktParams::default();
        let after = |help: f64, correct| posterior(0.4, correct, &p.helped(help, correct));
        assert!((after(1.0, true) - 0.4).abs() < 1e-12);
        // Guess 0.2 + ½·0.7: 0.4·0.9 / (0.4·0.9 + 0.6·0.55).
        assert!((after(0.5, true) - 0.36 / 0.69).abs() < 1e-12);
        assert_eq!(p.helped(f64::NAN, true), p);
        assert_eq!(p.helped(1.0, false), p, "a failure is a failure");
    }

    #[test]
    fn the_default_is_in_range() {
        assert!(BktParams::default().validated().is_ok());
    }

    #[test]
    fn a_parameter_out_of_range_is_named() {
        let wrong = BktParams {
            slip: 0.4,
            ..BktParams::default()
        };
        assert_eq!(wrong.validated().unwrap_err().name, "slip");
        let nan = BktParams {
            prior: f64::NAN,
            ..BktParams::default()
        };
        assert_eq!(nan.validated().unwrap_err().name, "prior");
    }

    #[test]
    fn forgetting_a_worked_example() {
        let p = BktParams {
            prior: 0.5,
            learn: 0.1,
            slip: 0.1,
            guess: 0.2,
            forget: 0.05,
        };
        // By hand: posterior 9/11 as above; 9/11·0.95 + 2/11·0.1 = 8.75/11.
        assert!((update(0.5, true, &p) - 8.75 / 11.0).abs() < 1e-12);
        // 1/9·0.95 + 8/9·0.1 = 1.75/9.
        assert!((update(0.5, false, &p) - 1.75 / 9.0).abs() < 1e-12);
    }

    /// What pyBKT 1.4.3 predicts before each answer, for parameters and answers that we made up: printed to six places
    /// by its `predict_onestep.run(model, data, parallel=False)`, with `resources` all 1.
    /// Prior, learn, slip, guess, forget; answers, 1 for right; predictions.
    const PYBKT: [([f64; 5], &str, [f64; 10]); 4] = [
        (
            [0.3, 0.2, 0.1, 0.2, 0.0],
            "0110111101",
            [
                0.410000, 0.368475, 0.669200, 0.844818, 0.672418, 0.845847, 0.889757, 0.898158,
                0.899672, 0.897907,
            ],
        ),
        (
            [0.65, 0.07, 0.25, 0.15, 0.0],
            "1000110100",
            [
                0.540000, 0.695750, 0.609048, 0.464997, 0.328890, 0.571385, 0.706392, 0.632592,
                0.724109, 0.675816,
            ],
        ),
        (
            [0.05, 0.4, 0.02, 0.3, 0.1],
            "0111110001",
            [
                0.334000, 0.572511, 0.805236, 0.879445, 0.894849, 0.897726, 0.898253, 0.630798,
                0.580960, 0.578705,
            ],
        ),
        (
            [0.9, 0.01, 0.3, 0.01, 0.25],
            "1101000011",
            [
                0.631000, 0.526691, 0.525065, 0.257658, 0.514796, 0.247864, 0.087108, 0.035651,
                0.022805, 0.307758,
            ],
        ),
    ];

    #[test]
    fn predictions_equal_those_of_pybkt() {
        for ([prior, learn, slip, guess, forget], answers, expected) in PYBKT {
            let p = BktParams {
                prior,
                learn,
                slip,
                guess,
                forget,
            };
            let mut known = p.prior;
            for (answer, expected) in answers.chars().zip(expected) {
                assert!((predict(known, &p) - expected).abs() < 1e-6);
                known = update(known, answer == '1', &p);
            }
        }
    }

    #[test]
    fn a_lesson_from_before_forgetting_forgets_nothing() {
        let old = r#"{"prior": 0.3, "learn": 0.2, "slip": 0.1, "guess": 0.2}"#;
        let read: BktParams = serde_json::from_str(old).unwrap();
        assert_eq!(read, BktParams::default());
    }

    #[test]
    fn forgetting_more_than_learning_leaves_is_out_of_range() {
        let wrong = BktParams {
            learn: 0.6,
            forget: 0.5,
            ..BktParams::default()
        };
        assert_eq!(wrong.validated().unwrap_err().name, "forget");
    }

    #[test]
    fn a_step_needs_all_its_skills() {
        let p = BktParams::default();
        // By hand: 0.5·0.9 + 0.5·0.2 = 0.55 and 0.8·0.9 + 0.2·0.2 = 0.76; together 0.418.
        let both = predict_step([(0.5, &p), (0.8, &p)]).unwrap();
        assert!((both - 0.418).abs() < 1e-12);
        assert_eq!(predict_step([]), None);
    }

    fn params() -> impl Strategy<Value = BktParams> {
        let unit = 1e-6..0.999_999;
        (unit.clone(), unit, 1e-6..0.3, 1e-6..0.3, 0.0..1.0).prop_map(
            |(prior, learn, slip, guess, share)| BktParams {
                prior,
                learn,
                slip,
                guess,
                forget: share * (1.0 - learn),
            },
        )
    }

    fn anything() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<f64>(),
            Just(f64::NAN),
            Just(f64::INFINITY),
            Just(f64::NEG_INFINITY)
        ]
    }

    proptest! {
        #[test]
        fn it_stays_a_probability(p in params(), answers in prop::collection::vec(any::<bool>(), 0..200)) {
            let mut known = p.prior;
            for correct in answers {
                known = update(known, correct, &p);
                prop_assert!((0.0..=1.0).contains(&known), "{known}");
                prop_assert!((0.0..=1.0).contains(&predict(known, &p)));
            }
        }

        #[test]
        fn any_number_at_all_gives_a_probability(
            known in anything(), prior in anything(), learn in anything(), slip in anything(),
            guess in anything(), forget in anything(), correct in any::<bool>(),
        ) {
            let p = BktParams { prior, learn, slip, guess, forget };
            for value in [
                posterior(known, correct, &p),
                update(known, correct, &p),
                predict(known, &p),
                predict_step([(known, &p), (known, &p)]).unwrap(),
            ] {
                prop_assert!((0.0..=1.0).contains(&value), "{value}");
            }
        }

        #[test]
        fn a_right_answer_never_speaks_against_knowing(p in params(), known in 1e-6..0.999_999) {
            prop_assert!(posterior(known, true, &p) >= known - 1e-12);
            prop_assert!(posterior(known, false, &p) <= known + 1e-12);
            prop_assert!(update(known, true, &p) >= update(known, false, &p));
        }

        #[test]
        fn who_knows_more_is_expected_to_do_better(p in params(), a in 0.0..1.0, b in 0.0..1.0) {
            let (low, high): (f64, f64) = if a < b { (a, b) } else { (b, a) };
            prop_assert!(predict(high, &p) >= predict(low, &p));
        }
    }
}
