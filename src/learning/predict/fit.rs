//! Fits a logistic regression: ridge-penalised maximum likelihood by Newton's method (iteratively reweighted least
//! squares: McCullagh & Nelder 1989, section 2.5), for a handful of inputs.

use crate::learning::estimate::sigmoid;

/// Precision of the normal prior on every weight but the first: weak.
const RIDGE: f64 = 0.5;
const MOST_STEPS: usize = 40;
const SETTLED: f64 = 1e-7;

/// Weights under which `outcomes` are most likely. Without rows, or with inputs that are no numbers, all 0.
#[must_use]
pub fn logistic<const D: usize>(rows: &[([f64; D], bool)]) -> [f64; D] {
    let mut weights = [0.0; D];
    for _ in 0..MOST_STEPS {
        let mut slope = [0.0; D];
        let mut curvature = [[0.0; D]; D];
        for (d, (slope, weight)) in slope.iter_mut().zip(&weights).enumerate() {
            let precision = if d == 0 { 1e-6 } else { RIDGE };
            *slope = -precision * weight;
            if let Some(entry) = curvature.get_mut(d).and_then(|row| row.get_mut(d)) {
                *entry = precision;
            }
        }
        for (inputs, happened) in rows {
            let expected = sigmoid(super::product(&weights, inputs));
            let surprise = f64::from(u8::from(*happened)) - expected;
            let information = expected * (1.0 - expected);
            for ((slope, row), x) in slope.iter_mut().zip(&mut curvature).zip(inputs) {
                *slope += surprise * x;
                for (entry, y) in row.iter_mut().zip(inputs) {
                    *entry += information * x * y;
                }
            }
        }
        let step = solve(curvature, slope);
        if step.iter().any(|x| !x.is_finite()) {
            return [0.0; D];
        }
        // Half a step at first where the start is far off.
        let length = step.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let share = if length > 2.0 { 2.0 / length } else { 1.0 };
        for (weight, step) in weights.iter_mut().zip(step) {
            *weight += share * step;
        }
        if length < SETTLED {
            break;
        }
    }
    weights
}

/// Solves a symmetric positive definite system by elimination; no pivots are needed (Golub & Van Loan, section 4.2).
fn solve<const D: usize>(mut a: [[f64; D]; D], mut b: [f64; D]) -> [f64; D] {
    for pivot in 0..D {
        let (row, value) = (a[pivot], b[pivot]);
        for below in pivot + 1..D {
            let factor = a[below][pivot] / row[pivot];
            for (entry, x) in a[below].iter_mut().zip(row) {
                *entry -= factor * x;
            }
            b[below] -= factor * value;
        }
    }
    for pivot in (0..D).rev() {
        let known: f64 = (pivot + 1..D).map(|d| a[pivot][d] * b[d]).sum();
        b[pivot] = (b[pivot] - known) / a[pivot][pivot];
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_groups_get_their_log_odds() {
        // 3 of 4 where x = 1, 1 of 4 where x = 0; a thousand times, so that the prior is nothing.
        let mut rows = Vec::new();
        for i in 0..8000 {
            let x = f64::from(i % 2);
            rows.push(([1.0, x], if i % 2 == 1 { i % 8 != 1 } else { i % 8 == 0 }));
        }
        let [base, x] = logistic(&rows);
        assert!((base - (1.0_f64 / 3.0).ln()).abs() < 0.01, "{base}");
        assert!((base + x - 3.0_f64.ln()).abs() < 0.01, "{x}");
    }

    #[test]
    fn without_rows_nothing_is_said() {
        let weights = logistic::<3>(&[]);
        assert!(weights.iter().all(|weight| weight.abs() <= 0.0));
    }
}
