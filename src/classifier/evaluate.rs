//! Evaluation: how good scores were, given what people said. Pure measures over (logit, label); splitting is the caller's.

use super::Label;
use crate::decision::logistic;

/// Measures of a set of out-of-sample scores, all in `0.0..=1.0` but the log loss, which is in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// At probability one half.
    pub accuracy: f64,
    /// Probability that a spam scores above a ham, ties half (Hanley and McNeil 1982); 0.5 where a class is missing.
    pub auc: f64,
    pub log_loss: f64,
}

/// Measures over (logit of spam, label). All zero but the AUC for no scores.
pub fn measure(scored: &[(f64, Label)]) -> Measures {
    let n = float(scored.len().max(1));
    let right = scored.iter().filter(|(logit, label)| (*logit >= 0.0) == (*label == Label::Spam)).count();
    let loss: f64 = scored.iter().map(|(logit, label)| surprise(*logit, *label)).sum();
    Measures { accuracy: float(right) / n, auc: auc(scored), log_loss: loss / n }
}

fn surprise(logit: f64, label: Label) -> f64 {
    let probability = match label {
        Label::Spam => logistic(logit),
        Label::Ham => logistic(-logit),
    };
    -probability.max(1e-15).ln()
}

fn auc(scored: &[(f64, Label)]) -> f64 {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut spam, mut ham, mut wins) = (0.0, 0.0, 0.0);
    for ties in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let spam_here = float(ties.iter().filter(|(_, label)| *label == Label::Spam).count());
        let ham_here = float(ties.len()) - spam_here;
        wins += spam_here * (ham + ham_here / 2.0);
        spam += spam_here;
        ham += ham_here;
    }
    if spam * ham > 0.0 { wins / (spam * ham) } else { 0.5 }
}

#[expect(clippy::cast_precision_loss, reason = "counts of comments are far below 2^52")]
fn float(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_match_hand_counts() {
        use Label::{Ham, Spam};
        let perfect = measure(&[(-2.0, Ham), (-1.0, Ham), (1.0, Spam), (2.0, Spam)]);
        assert_eq!((perfect.accuracy, perfect.auc), (1.0, 1.0));
        let mixed = measure(&[(0.0, Spam), (0.0, Ham), (1.0, Ham), (2.0, Spam)]);
        assert_eq!((mixed.accuracy, mixed.auc), (0.5, 0.625));
        assert!((measure(&[(0.0, Ham)]).log_loss - std::f64::consts::LN_2).abs() < 1e-12);
        assert!((measure(&[]).auc - 0.5).abs() < 1e-12);
    }
}
