//! Blending: a young site's own word and that of a base model made elsewhere, by how many labels the site has. The base is refitted to the
//! site by Platt scaling (Platt, "Probabilistic outputs for support vector machines", 1999) with a prior at what it says itself.

use super::Label;
use super::model::Blend;
use crate::decision::logistic;

/// The base counts as much as this many labels of the site's own (10 to 25 measured alike).
const BASE_LABELS: f64 = 15.0;

/// From here on the base would say a thirtieth, and scoring with it costs as much as with the site's own tables.
pub const LABELS_ALONE: usize = 500;

/// Pull of the slope to 1 and of the intercept to 0, as a ridge on the log-likelihood: ten labels cannot turn a base round, a hundred can
/// silence it.
const SLOPE_RIDGE: f64 = 15.0;
const INTERCEPT_RIDGE: f64 = 1.0;

/// Newton's method on two numbers settles in a handful of steps.
const STEPS: usize = 25;

/// The blend of a base whose logits on a site's examples (which it never saw) are these; none where the site stands alone.
pub fn blend(labels: usize, scored: &[(f64, Label)]) -> Option<Blend> {
    if labels >= LABELS_ALONE {
        return None;
    }
    let n = f64::from(u32::try_from(labels).unwrap_or(u32::MAX));
    let (slope, intercept) = platt(scored);
    Some(Blend { share: BASE_LABELS / (n + BASE_LABELS), slope, intercept })
}

/// Slope, not below zero, and intercept.
fn platt(scored: &[(f64, Label)]) -> (f64, f64) {
    let (mut slope, mut intercept) = (1.0, 0.0);
    for _ in 0..STEPS {
        let (mut by_slope, mut by_intercept) = (SLOPE_RIDGE * (slope - 1.0), INTERCEPT_RIDGE * intercept);
        let (mut slope_twice, mut both, mut intercept_twice) = (SLOPE_RIDGE, 0.0, INTERCEPT_RIDGE);
        for (logit, label) in scored {
            let p = logistic(slope * logit + intercept);
            let miss = p - if *label == Label::Spam { 1.0 } else { 0.0 };
            let weight = p * (1.0 - p);
            (by_slope, by_intercept) = (by_slope + miss * logit, by_intercept + miss);
            (slope_twice, both, intercept_twice) = (slope_twice + weight * logit * logit, both + weight * logit, intercept_twice + weight);
        }
        let determinant = slope_twice * intercept_twice - both * both;
        slope -= (intercept_twice * by_slope - both * by_intercept) / determinant;
        intercept -= (slope_twice * by_intercept - both * by_slope) / determinant;
    }
    (slope.clamp(0.0, 3.0), intercept.clamp(-6.0, 6.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Ham, Spam};

    #[test]
    fn without_labels_the_base_speaks_alone_and_with_many_not_at_all() {
        assert_eq!(blend(0, &[]), Some(Blend { share: 1.0, slope: 1.0, intercept: 0.0 }));
        assert!((blend(15, &[]).unwrap().share - 0.5).abs() < 1e-12);
        assert_eq!(blend(LABELS_ALONE, &[]), None);
    }

    #[test]
    fn ten_contrary_labels_do_not_turn_a_base_round_and_many_only_silence_it() {
        let contrary = |n: usize| -> Vec<(f64, Label)> { (0..n).flat_map(|_| [(2.0, Ham), (-2.0, Spam)]).collect() };
        let few = blend(10, &contrary(5)).unwrap();
        assert!(few.slope > 0.1, "{few:?}");
        assert!(blend(400, &contrary(200)).unwrap().slope.abs() < 1e-12);
    }

    #[test]
    fn a_base_that_is_too_sure_is_damped() {
        let scored: Vec<(f64, Label)> =
            (0..300).map(|n| (if n % 2 == 0 { 4.0 } else { -4.0 }, if n % 5 < 2 { Spam } else { Ham })).collect();
        assert!(blend(300, &scored).unwrap().slope < 0.2);
    }
}
