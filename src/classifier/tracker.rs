//! The prior tracker: how much spam comes in changes by the hour, and a model knows only the share it was trained at. From the scores of the
//! comments before, without labels, it estimates today's share by EM (Saerens, Latinne and Decaestecker, "Adjusting the outputs of a
//! classifier to new a priori probabilities", 2002) and gives one term to be added to the next logit. It looks back only.

use crate::decision::logistic;
use std::collections::VecDeque;

/// So many comments back; more would see a wave too late.
const WINDOW: usize = 100;

/// Pull to the training prior, as so many comments at it: a handful of comments is no drift.
const PSEUDO_COMMENTS: f64 = 50.0;

/// The term is at most this many logits: what is tracked may lean on a score, never make one.
const SHIFT_MAX: f64 = 2.0;

/// Steps of EM a comment; each begins where the last ended, so that a few are enough.
const STEPS: usize = 4;

/// Follows one stream of comments (a site's), scored by one model.
#[derive(Debug, Clone)]
pub struct Tracker {
    trained_at: f64,
    share: f64,
    /// Probabilities of spam at the training prior, oldest first.
    window: VecDeque<f64>,
}

/// A model takes no more of what comes in for spam than this before it has looked. Where people call two thousand comments spam and twenty ham,
/// because they are shown little else, honest readers would pay for it: of Telegram's messages at 100 to 1 four of twenty ham were rejected and
/// three published, now one and fifteen (SMS at 37 to 1: two and fourteen, now none and eighteen), for 2 % more of the spam published.
const TRAINED_AT_MAX: f64 = 0.8;

/// The share of spam among examples, with one more of each.
fn share(spam: usize, ham: usize) -> f64 {
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    (count(spam) + 1.0) / (count(spam) + count(ham) + 2.0)
}

/// What training adds to a stack's intercept, not above 0, so that its prior is .8 at most (King and Zeng, "Logistic
/// regression in rare events data", 2001).
pub fn correction(spam: usize, ham: usize) -> f64 {
    let share = share(spam, ham);
    logit(share.min(TRAINED_AT_MAX)) - logit(share)
}

impl Tracker {
    /// `spam` and `ham`: what the model was trained on.
    pub fn new(spam: usize, ham: usize) -> Self {
        let share = share(spam, ham).min(TRAINED_AT_MAX);
        Self { trained_at: share, share, window: VecDeque::with_capacity(WINDOW) }
    }

    /// What to add to the next comment's logit, within +-2.
    pub fn shift(&self) -> f64 {
        (logit(self.share) - logit(self.trained_at)).clamp(-SHIFT_MAX, SHIFT_MAX)
    }

    /// Takes a comment's own logit (without any shift) into account.
    pub fn observe(&mut self, log_odds: f64) {
        if self.window.len() == WINDOW {
            self.window.pop_front();
        }
        self.window.push_back(logistic(log_odds));
        for _ in 0..STEPS {
            self.step();
        }
    }

    /// Each comment's probability under the share so far; their mean is the next share.
    fn step(&mut self) {
        let spam = self.share / self.trained_at;
        let ham = (1.0 - self.share) / (1.0 - self.trained_at);
        let expected: f64 = self.window.iter().map(|p| p * spam / (p * spam + (1.0 - p) * ham)).sum();
        let n = f64::from(u32::try_from(self.window.len()).unwrap_or(u32::MAX));
        self.share = (expected + PSEUDO_COMMENTS * self.trained_at) / (n + PSEUDO_COMMENTS);
    }
}

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(logits: impl IntoIterator<Item = f64>) -> f64 {
        let mut tracker = Tracker::new(500, 500);
        logits.into_iter().for_each(|log_odds| tracker.observe(log_odds));
        tracker.shift()
    }

    #[test]
    fn without_drift_it_says_nothing() {
        assert!(after([]).abs() < 1e-12);
        assert!(after((0..200).map(|n| if n % 2 == 0 { 3.0 } else { -3.0 })).abs() < 0.05);
    }

    #[test]
    fn a_wave_of_spam_and_a_quiet_week_shift_the_score_within_limits() {
        let (wave, quiet) = (after([4.0; 300]), after([-4.0; 300]));
        assert!(wave > 0.8 && wave <= SHIFT_MAX && (wave + quiet).abs() < 1e-9, "{wave} {quiet}");
        assert!(after([4.0; 3]) < 0.2);
        // What it follows it forgets again.
        assert!(after([4.0; 100].into_iter().chain((0..200).map(|n| if n % 2 == 0 { 3.0 } else { -3.0 }))).abs() < 0.05);
    }

    #[test]
    fn spam_alone_makes_no_stranger_a_spammer_and_ham_alone_is_believed() {
        for (spam, ham, is_corrected) in [(2000, 20, true), (500, 500, false), (48, 4827, false)] {
            assert_eq!(correction(spam, ham) < -1.0, is_corrected, "{spam} {ham}");
            let prior = logistic(logit(share(spam, ham)) + correction(spam, ham));
            assert!(prior <= TRAINED_AT_MAX + 1e-9 && (Tracker::new(spam, ham).trained_at - prior).abs() < 1e-9, "{prior}");
        }
    }

    #[test]
    fn any_score_keeps_it_finite() {
        assert!(after([f64::MAX, f64::MIN, 800.0, -800.0]).is_finite());
    }
}
