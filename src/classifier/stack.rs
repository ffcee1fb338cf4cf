//! The stack: logistic regression over what the families say, how far each is to be trusted, and the dense ratios. Linear, so every
//! contribution is exact. `train` fits it; `model` reads it.

use super::counts::Sums;
use super::features::{DENSE, Family};

/// The stack reads so much of each family: see [`Sums`].
pub const PER_FAMILY: usize = 4;

/// The families' inputs, then the dense ratios.
pub const INPUTS: usize = PER_FAMILY * Family::ALL.len() + DENSE.len();

/// Weights on raw inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    pub intercept: f64,
    pub weights: [f64; INPUTS],
    /// Mean of every input in training: what a comment's form is shown against.
    pub typical: [f64; INPUTS],
}

impl Stack {
    /// Sums of the families in order, then the ratios.
    pub fn inputs(sums: impl IntoIterator<Item = Sums>, dense: &[f64; DENSE.len()]) -> [f64; INPUTS] {
        let mut inputs = [0.0; INPUTS];
        let values = sums.into_iter().flat_map(|sums| [sums.spam, sums.ham, sums.seen, sums.depth]).chain(dense.iter().copied());
        inputs.iter_mut().zip(values).for_each(|(slot, value)| *slot = value);
        inputs
    }

    pub fn logit(&self, inputs: &[f64; INPUTS]) -> f64 {
        self.intercept + self.weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum::<f64>()
    }

    /// The weights of a family's inputs.
    pub fn of(&self, family: Family) -> [f64; PER_FAMILY] {
        let at = PER_FAMILY * family as usize;
        self.weights.get(at..at + PER_FAMILY).and_then(|weights| weights.try_into().ok()).unwrap_or_default()
    }
}
