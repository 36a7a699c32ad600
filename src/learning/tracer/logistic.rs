//! Logistic regression on a few inputs: maximum a posteriori under normal priors, inside bounds, by Newton's method
//! (iteratively reweighted least squares: McCullagh & Nelder, "Generalized linear models", 1989, section 2.5).

use super::sigmoid;

/// An iteration that moves no weight further than this was the last.
const SETTLED: f64 = 1e-8;
const MAX_ITERATIONS: usize = 60;
/// Halvings of a step that would make things worse.
const MAX_HALVINGS: usize = 30;

/// What the weights are before any answer: normal around `mean`, and never outside `low..=high`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prior<const D: usize> {
    pub mean: [f64; D],
    /// 1/variance, positive.
    pub precision: [f64; D],
    pub low: [f64; D],
    pub high: [f64; D],
}

/// Equal inputs, and how often they were followed by a right and by a wrong answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<const D: usize> {
    pub inputs: [f64; D],
    pub right: f64,
    pub wrong: f64,
}

/// Slope and (negative) curvature of a log-posterior.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slope<const D: usize> {
    slope: [f64; D],
    curvature: [[f64; D]; D],
}

impl<const D: usize> Slope<D> {
    /// Those of a normal prior.
    pub(super) fn of_prior(weights: &[f64; D], mean: &[f64; D], precision: &[f64; D]) -> Self {
        let mut new = Self {
            slope: [0.0; D],
            curvature: [[0.0; D]; D],
        };
        for d in 0..D {
            new.slope[d] = precision[d] * (mean[d] - weights[d]);
            new.curvature[d][d] = precision[d];
        }
        new
    }

    /// Adds an answer's: outcome minus expectation, and expectation · (1 − expectation).
    pub(super) fn add(&mut self, inputs: &[f64; D], surprise: f64, information: f64) {
        for (d, input) in inputs.iter().enumerate() {
            self.slope[d] += surprise * input;
            for (sum, other) in self.curvature[d].iter_mut().zip(inputs) {
                *sum += information * input * other;
            }
        }
    }

    /// Newton's step, along the inputs that are not `held`.
    pub(super) fn step(mut self, held: &[bool; D]) -> [f64; D] {
        for (d, held) in held.iter().enumerate() {
            if *held {
                self.slope[d] = 0.0;
                for other in 0..D {
                    self.curvature[d][other] = 0.0;
                    self.curvature[other][d] = 0.0;
                }
                self.curvature[d][d] = 1.0;
            }
        }
        solve(self.curvature, self.slope)
    }
}

/// The most probable weights and their covariance there (Laplace's approximation, bounds left aside).
pub(super) fn fit<const D: usize>(rows: &[Row<D>], prior: &Prior<D>) -> ([f64; D], [[f64; D]; D]) {
    let mut weights = prior.mean;
    bound(&mut weights, prior);
    let mut now = log_posterior(rows, prior, &weights);
    for _ in 0..MAX_ITERATIONS {
        let slope = slope(rows, prior, &weights);
        let mut held = [false; D];
        for d in 0..D {
            let up = slope.slope[d];
            held[d] = (weights[d] <= prior.low[d] && up < 0.0)
                || (weights[d] >= prior.high[d] && up > 0.0);
        }
        let step = slope.step(&held);
        let mut share = 1.0;
        let mut moved = 0.0;
        for _ in 0..MAX_HALVINGS {
            let mut next = weights;
            for d in 0..D {
                next[d] += share * step[d];
            }
            bound(&mut next, prior);
            let then = log_posterior(rows, prior, &next);
            if then >= now {
                for d in 0..D {
                    moved = f64::max(moved, (next[d] - weights[d]).abs());
                }
                (weights, now) = (next, then);
                break;
            }
            share /= 2.0;
        }
        if moved < SETTLED {
            break;
        }
    }
    let curvature = slope(rows, prior, &weights).curvature;
    let mut covariance = [[0.0; D]; D];
    for (d, row) in covariance.iter_mut().enumerate() {
        let mut unit = [0.0; D];
        unit[d] = 1.0;
        *row = solve(curvature, unit);
    }
    (weights, covariance)
}

fn bound<const D: usize>(weights: &mut [f64; D], prior: &Prior<D>) {
    let bounds = prior.low.iter().zip(prior.high);
    for (weight, (low, high)) in weights.iter_mut().zip(bounds) {
        *weight = weight.max(*low).min(high);
    }
}

fn slope<const D: usize>(rows: &[Row<D>], prior: &Prior<D>, weights: &[f64; D]) -> Slope<D> {
    let mut all = Slope::of_prior(weights, &prior.mean, &prior.precision);
    for row in rows {
        let expected = sigmoid(dot(weights, &row.inputs));
        let n = row.right + row.wrong;
        all.add(
            &row.inputs,
            row.right - n * expected,
            n * expected * (1.0 - expected),
        );
    }
    all
}

fn log_posterior<const D: usize>(rows: &[Row<D>], prior: &Prior<D>, weights: &[f64; D]) -> f64 {
    let mut sum = 0.0;
    let priors = prior.mean.iter().zip(prior.precision);
    for (weight, (mean, precision)) in weights.iter().zip(priors) {
        sum -= 0.5 * precision * (weight - mean).powi(2);
    }
    for row in rows {
        let logit = dot(weights, &row.inputs);
        sum -= row.right * log_one_plus_exp(-logit) + row.wrong * log_one_plus_exp(logit);
    }
    sum
}

/// ln(1 + eˣ), also where eˣ is too large to write down.
fn log_one_plus_exp(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

pub(super) fn dot<const D: usize>(a: &[f64; D], b: &[f64; D]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves `matrix · x = right` for a positive definite matrix: elimination without pivoting is stable there.
fn solve<const D: usize>(mut matrix: [[f64; D]; D], mut right: [f64; D]) -> [f64; D] {
    for d in 0..D {
        let pivot = matrix[d][d].max(f64::MIN_POSITIVE);
        for below in d + 1..D {
            let factor = matrix[below][d] / pivot;
            let row = matrix[d];
            for (value, above) in matrix[below].iter_mut().zip(row) {
                *value -= factor * above;
            }
            right[below] -= factor * right[d];
        }
    }
    for d in (0..D).rev() {
        let mut rest = right[d];
        for later in d + 1..D {
            rest -= matrix[d][later] * right[later];
        }
        right[d] = rest / matrix[d][d].max(f64::MIN_POSITIVE);
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Prior<2> = Prior {
        mean: [0.0; 2],
        precision: [1e-9; 2],
        low: [f64::NEG_INFINITY; 2],
        high: [f64::INFINITY; 2],
    };

    /// Two groups: as many weights as groups, so the likeliest weights give each group its share.
    const ROWS: [Row<2>; 2] = [
        Row {
            inputs: [1.0, 0.0],
            right: 30.0,
            wrong: 10.0,
        },
        Row {
            inputs: [1.0, 1.0],
            right: 10.0,
            wrong: 30.0,
        },
    ];

    #[test]
    fn a_worked_example() {
        let (weights, covariance) = fit(&ROWS, &FREE);
        // logit(3/4) = ln 3, and logit(1/4) is 2·ln 3 below it.
        assert!((weights[0] - 3f64.ln()).abs() < 1e-6);
        assert!((weights[1] + 2.0 * 3f64.ln()).abs() < 1e-6);
        // One over the information of 40 answers at 3/4; the difference has that of both groups.
        let one = 1.0 / (40.0 * 0.75 * 0.25);
        assert!((covariance[0][0] - one).abs() < 1e-6);
        assert!((covariance[1][1] - 2.0 * one).abs() < 1e-6);
        assert!((covariance[0][1] + one).abs() < 1e-6);
    }

    #[test]
    fn a_bound_holds_and_the_rest_makes_the_best_of_it() {
        let bounded = Prior {
            low: [f64::NEG_INFINITY, 0.0],
            ..FREE
        };
        let (weights, _) = fit(&ROWS, &bounded);
        // The second weight may not fall, so both groups share one half.
        assert!(weights[0].abs() < 1e-6 && weights[1].abs() < 1e-12);
    }

    #[test]
    fn without_answers_it_stays_at_its_prior() {
        let prior = Prior {
            mean: [0.5, -2.0],
            precision: [4.0, 2.0],
            ..FREE
        };
        let (weights, covariance) = fit(&[], &prior);
        assert!((weights[0] - 0.5).abs() < 1e-12 && (weights[1] + 2.0).abs() < 1e-12);
        assert!((covariance[0][0] - 0.25).abs() < 1e-12);
    }
}
