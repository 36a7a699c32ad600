//! The transition equation for many learners at once: one column per quantity, one entry per learner.
//!
//! In: columns of state, model outputs and weights. Out: the stepped state, in place, equal to the last bit to
//! [`super::equation::step`] of each learner. Both run the same branch-free function; here the compiler runs it on
//! whole vectors (`divpd` and `minpd` on x86-64 without any flag, four learners at a time with AVX2).

use super::equation::{Index, Rate, relax};

/// Columns of a batch: entry `i` of every column belongs to learner `i`. NaN (or infinite) inputs are missing.
#[derive(Debug)]
pub struct Columns<'a> {
    /// ∂ of each learner, stepped in place.
    pub value: &'a mut [f64],
    /// Its lower bound.
    pub lower: &'a mut [f64],
    /// Its upper bound.
    pub upper: &'a mut [f64],
    /// Model outputs: learner, knowledge, engagement, assessment.
    pub signals: [&'a [f64]; 4],
    /// Weights in the same order; each learner's as in [`super::weights::Weights`].
    pub weights: [&'a [f64]; 4],
    /// ε of each learner; zeros for none.
    pub epsilon: &'a [f64],
}

/// The columns of a batch are not equally long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the columns of a batch differ in length: {shortest} to {longest} learners")]
pub struct ColumnsDiffer {
    /// Length of the shortest.
    pub shortest: usize,
    /// Length of the longest.
    pub longest: usize,
}

/// One step of many learners, equal to [`super::equation::step`] of each to the last bit. Never allocates.
///
/// # Errors
/// [`ColumnsDiffer`], and nothing has been stepped.
pub fn step_batch(rate: &Rate, columns: Columns<'_>) -> Result<(), ColumnsDiffer> {
    let Columns {
        value,
        lower,
        upper,
        signals: [learner, knowledge, engagement, assessment],
        weights: [w_learner, w_knowledge, w_engagement, w_assessment],
        epsilon,
    } = columns;
    let n = value.len();
    let lengths = [
        n,
        lower.len(),
        upper.len(),
        learner.len(),
        knowledge.len(),
        engagement.len(),
        assessment.len(),
        w_learner.len(),
        w_knowledge.len(),
        w_engagement.len(),
        w_assessment.len(),
        epsilon.len(),
    ];
    let shortest = lengths.into_iter().fold(n, usize::min);
    let longest = lengths.into_iter().fold(n, usize::max);
    if shortest != longest {
        return Err(ColumnsDiffer { shortest, longest });
    }
    // Every column is n long from here on, which the compiler sees: no bounds checks, whole vectors at a time.
    for i in 0..n {
        let index = Index {
            value: value[i],
            lower: lower[i],
            upper: upper[i],
        };
        let weights = [
            w_learner[i],
            w_knowledge[i],
            w_engagement[i],
            w_assessment[i],
        ];
        let inputs = [learner[i], knowledge[i], engagement[i], assessment[i]];
        let moved = relax(rate, weights, index, inputs, epsilon[i]).index;
        value[i] = moved.value;
        lower[i] = moved.lower;
        upper[i] = moved.upper;
    }
    Ok(())
}

#[cfg(test)]
#[path = "equation_batch_tests.rs"]
mod tests;
