//! Bayesian knowledge tracing, one estimate per skill.
//!
//! Source: A. T. Corbett, J. R. Anderson, "Knowledge tracing: Modeling the acquisition of procedural knowledge",
//! User Modeling and User-Adapted Interaction 4 (1995), equations 1 to 3.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The four parameters of a skill. Probabilities in (0, 1); `slip` and `guess` at most [`MAX_SLIP_OR_GUESS`],
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
}

/// Highest slip and guess that still let an answer speak for what it seems to say.
pub const MAX_SLIP_OR_GUESS: f64 = 0.3;

/// A parameter outside its range.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("`{name}` is {value}; it must lie in (0, {max})")]
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
        }
    }
}

impl BktParams {
    /// The same parameters, if every one is in range.
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
        Ok(self)
    }
}

/// Posterior probability that the skill is known after one answer, before anything is learnt from it (eq. 1 and 2).
///
/// `known` is a probability in [0, 1]; parameters in range. Returns a probability in [0, 1], never NaN.
#[must_use]
pub fn posterior(known: f64, correct: bool, p: &BktParams) -> f64 {
    let (if_known, if_not) = if correct {
        (1.0 - p.slip, p.guess)
    } else {
        (p.slip, 1.0 - p.guess)
    };
    let joint = known * if_known;
    joint / (joint + (1.0 - known) * if_not)
}

/// Probability that the skill is known after one answer and what was learnt from it (eq. 1 to 3).
///
/// `known` is a probability in [0, 1]; parameters in range. Returns a probability in [0, 1], never NaN.
/// Where an attempt exercises several skills, each is updated by the same answer as if it were the only one.
#[must_use]
pub fn update(known: f64, correct: bool, p: &BktParams) -> f64 {
    let posterior = posterior(known, correct, p);
    posterior + (1.0 - posterior) * p.learn
}

/// Probability that the next answer is right (Corbett & Anderson 1995, eq. 4).
#[must_use]
pub fn predict(known: f64, p: &BktParams) -> f64 {
    known * (1.0 - p.slip) + (1.0 - known) * p.guess
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
        };
        // By hand: 0.5·0.9 / (0.5·0.9 + 0.5·0.2) = 0.45 / 0.55, then + (1 - that)·0.1.
        assert!((posterior(0.5, true, &p) - 0.818_181_818).abs() < 1e-9);
        assert!((update(0.5, true, &p) - 0.836_363_636).abs() < 1e-9);
        // 0.5·0.1 / (0.5·0.1 + 0.5·0.8) = 1/9.
        assert!((posterior(0.5, false, &p) - 1.0 / 9.0).abs() < 1e-12);
        assert!((predict(0.5, &p) - 0.55).abs() < 1e-12);
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

    fn params() -> impl Strategy<Value = BktParams> {
        (1e-6..0.999_999, 1e-6..0.999_999, 1e-6..0.3, 1e-6..0.3).prop_map(
            |(prior, learn, slip, guess)| BktParams {
                prior,
                learn,
                slip,
                guess,
            },
        )
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
