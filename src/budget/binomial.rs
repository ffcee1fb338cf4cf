//! Exact binomial bounds on an unknown share, from counts alone. What is counted, and what follows from a bound, is the rooms' beside it.
//!
//! Own sums instead of a crate: the bounds need no special function, only a tail that is summed from its largest term on, and the crates
//! weighed either panic out of range or bring tables of functions that nobody here calls.

use super::float;

/// Halvings of an interval inside `0.0..=1.0`: past the last bit of a double.
const HALVINGS: usize = 64;

/// A term this small beside the sum changes no bit of it.
const TERM_MIN: f64 = 1e-18;

/// Upper bound on a share of which `errors` were seen among `labels`: the true share is above it with probability `tail` at most.
///
/// Exact, whatever the true share (Clopper and Pearson 1934). 1 where nothing was seen. `tail` in `0.0..1.0`, exclusive.
pub fn upper_bound(errors: usize, labels: usize, tail: f64) -> f64 {
    if errors >= labels {
        return 1.0;
    }
    let ways = ln_ways(errors, labels);
    let (mut low, mut high) = (float(errors) / float(labels), 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if lower_tail(ways, errors, labels, middle) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Lower bound on a share of which `hits` were seen among `labels`, exact as [`upper_bound`]. 0 where nothing was seen.
pub fn lower_bound(hits: usize, labels: usize, tail: f64) -> f64 {
    1.0 - upper_bound(labels.saturating_sub(hits), labels, tail)
}

/// The most errors among `labels` with which the upper bound still is `share_max` at most; none if even no error would not do.
pub fn errors_allowed(labels: usize, share_max: f64, tail: f64) -> Option<usize> {
    if labels < labels_needed(share_max, tail) {
        return None;
    }
    let (mut allowed, mut too_many) = (0, labels);
    while too_many - allowed > 1 {
        let middle = usize::midpoint(allowed, too_many);
        if at_most(middle, labels, share_max) <= tail {
            allowed = middle;
        } else {
            too_many = middle;
        }
    }
    Some(allowed)
}

/// How many labels without a single error carry the claim that a share is `share_max` at most: the least n with
/// `(1 - share_max)^n <= tail`. 299 for 1 %, 598 for 0.5 %, each with a tail of 5 %.
pub fn labels_needed(share_max: f64, tail: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count; beyond all counts it saturates, as it should")]
    let labels = (tail.ln() / (-share_max).ln_1p()).ceil() as usize;
    labels
}

/// The probability of at most `errors` among `labels` when each is one with probability `share`.
fn at_most(errors: usize, labels: usize, share: f64) -> f64 {
    if errors >= labels {
        1.0
    } else if float(errors) <= float(labels) * share {
        lower_tail(ln_ways(errors, labels), errors, labels, share)
    } else {
        // Above the mean the other tail is the short one, and is summed from its largest term as well.
        let right = labels - errors - 1;
        1.0 - lower_tail(ln_ways(right, labels), right, labels, 1.0 - share)
    }
}

/// [`at_most`] for `errors` below the mean, where terms only shrink on the way down: about the square root of `errors` of them count.
fn lower_tail(ln_ways: f64, errors: usize, labels: usize, share: f64) -> f64 {
    // Zero times the logarithm of zero is no number, where the power it stands for is one.
    let ln_errors = if errors > 0 { float(errors) * share.ln() } else { 0.0 };
    let mut term = (ln_ways + ln_errors + float(labels - errors) * (-share).ln_1p()).exp();
    let (mut sum, odds) = (term, (1.0 - share) / share);
    for count in (1..=errors).rev() {
        term *= odds * float(count) / float(labels - count + 1);
        sum += term;
        if term <= sum * TERM_MIN {
            break;
        }
    }
    sum.min(1.0)
}

/// The logarithm of the number of ways to choose `errors` out of `labels`.
fn ln_ways(errors: usize, labels: usize) -> f64 {
    let few = errors.min(labels - errors);
    (1..=few).map(|count| (float(labels - few + count) / float(count)).ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(errors: usize, labels: usize, tail: f64, lower: f64, upper: f64) {
        let (low, high) = (lower_bound(errors, labels, tail), upper_bound(errors, labels, tail));
        assert!((low - lower).abs() < 5e-5 && (high - upper).abs() < 5e-5, "{errors} of {labels}: {low} to {high}");
    }

    /// Two-sided 95 % limits as printed in tables (Clopper and Pearson 1934; the same to four decimals in any statistics package).
    #[test]
    fn bounds_are_those_of_the_tables() {
        check(0, 10, 0.025, 0.0, 0.3085);
        check(1, 10, 0.025, 0.0025, 0.4450);
        check(2, 10, 0.025, 0.0252, 0.5561);
        check(5, 10, 0.025, 0.1871, 0.8129);
        check(10, 10, 0.025, 0.6915, 1.0);
        check(1, 100, 0.025, 0.0003, 0.0545);
        check(5, 100, 0.025, 0.0164, 0.1128);
        check(50, 100, 0.025, 0.3983, 0.6017);
        check(10, 1000, 0.025, 0.0048, 0.0183);
    }

    /// No error seen: the bound in closed form, 1 - tail^(1/n).
    #[test]
    fn without_errors_the_bound_is_in_closed_form() {
        for labels in [1, 2, 10, 299, 598, 100_000] {
            for tail in [0.1, 0.05, 0.025, 0.001] {
                let expected = 1.0 - f64::powf(tail, 1.0 / float(labels));
                assert!((upper_bound(0, labels, tail) - expected).abs() < 1e-12, "{labels} {tail}");
            }
        }
    }

    #[test]
    fn the_labels_that_a_claim_needs() {
        assert_eq!((labels_needed(0.01, 0.05), labels_needed(0.005, 0.05)), (299, 598));
        assert_eq!((labels_needed(0.01, 0.1), labels_needed(0.005, 0.1)), (230, 460));
        assert_eq!(errors_allowed(298, 0.01, 0.05), None);
        assert_eq!(errors_allowed(299, 0.01, 0.05), Some(0));
        // 473 and 628 are the next in every table of acceptance sampling.
        assert_eq!((errors_allowed(472, 0.01, 0.05), errors_allowed(473, 0.01, 0.05)), (Some(0), Some(1)));
        assert_eq!((errors_allowed(627, 0.01, 0.05), errors_allowed(628, 0.01, 0.05)), (Some(1), Some(2)));
        assert_eq!(labels_needed(1e-300, 0.05), usize::MAX);
    }

    #[test]
    fn nothing_seen_says_nothing() {
        assert_eq!((lower_bound(0, 0, 0.05), upper_bound(0, 0, 0.05)), (0.0, 1.0));
        assert_eq!(errors_allowed(0, 0.01, 0.05), None);
    }

    proptest! {
        #[test]
        fn the_tail_is_the_plain_sum(labels in 1_usize..60, part in 0.0..=1.0, share in 0.0..=1.0) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a small count")]
            let errors = (float(labels) * part) as usize;
            let power = |base: f64, count: usize| (0..count).fold(1.0, |product, _| product * base);
            let plain: f64 = (0..=errors)
                .map(|count| ln_ways(count, labels).exp() * power(share, count) * power(1.0 - share, labels - count))
                .sum();
            prop_assert!((at_most(errors, labels, share) - plain).abs() < 1e-9, "{} {plain}", at_most(errors, labels, share));
        }

        #[test]
        fn the_allowed_are_the_most_that_the_bound_carries(labels in 1_usize..5000, share_max in 0.001..0.5, tail in 0.001..0.3) {
            match errors_allowed(labels, share_max, tail) {
                None => prop_assert!(upper_bound(0, labels, tail) > share_max - 1e-9),
                Some(errors) => {
                    prop_assert!(upper_bound(errors, labels, tail) <= share_max + 1e-9);
                    prop_assert!(upper_bound(errors + 1, labels, tail) > share_max - 1e-9);
                }
            }
        }

        #[test]
        fn bounds_enclose_what_was_seen(labels in 1_usize..200_000, part in 0.0..=1.0, tail in 0.0001..0.5) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
            let errors = (float(labels) * part) as usize;
            let (low, high) = (lower_bound(errors, labels, tail), upper_bound(errors, labels, tail));
            let seen = float(errors) / float(labels);
            prop_assert!((0.0..=1.0).contains(&low) && (0.0..=1.0).contains(&high) && low <= seen + 1e-12 && seen <= high + 1e-12);
        }
    }
}
