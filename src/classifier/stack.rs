//! The stack: logistic regression over what the families say, how far each is to be trusted, and the dense ratios. Linear, so every
//! contribution is exact. `train` fits it; `model` reads it.

use super::counts::Sums;
use super::features::{DENSE, Family};

/// The stack reads three sums of each family and the dense ratios.
pub const INPUTS: usize = 3 * Family::ALL.len() + DENSE.len();

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
        let values = sums.into_iter().flat_map(|sums| [sums.weight, sums.seen, sums.depth]).chain(dense.iter().copied());
        inputs.iter_mut().zip(values).for_each(|(slot, value)| *slot = value);
        inputs
    }

    pub fn logit(&self, inputs: &[f64; INPUTS]) -> f64 {
        self.intercept + self.weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum::<f64>()
    }

    /// Weights of a family's sum of weights, share seen, and mean depth.
    pub fn of(&self, family: Family) -> [f64; 3] {
        let at = 3 * family as usize;
        self.weights.get(at..at + 3).and_then(|weights| weights.try_into().ok()).unwrap_or_default()
    }
}
