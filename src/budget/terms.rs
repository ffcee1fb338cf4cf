//! The terms on which a model decides: what its labels said of a budget, kept on its card, so that thresholds come and go with the model that
//! they were measured for. Who measures is `flow::certify`'s.

use super::workload::Forecast;
use super::{Budget, Certificate, Outcome};
use crate::decision::Policy;
use serde::{Deserialize, Serialize};

/// What the card of a model says of a site's budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    pub budget: Budget,
    pub outcome: Outcome,
    pub sample: Measured,
    /// What the thresholds in force send to the moderators a day; none before anything came in.
    pub forecast: Option<Forecast>,
}

/// The labels that were measured on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The sample's share of what came in, in `0.0..=1.0`; 0 where there was none.
    pub share: f64,
    /// Comments that it stands for.
    pub comments: usize,
    /// Comments of it that people were asked about, and those they called spam or ham, a text and its copies once.
    pub asked: usize,
    pub spam: usize,
    pub ham: usize,
    /// Spot checks among them, and those of these on which people ruled.
    pub checks: usize,
    pub answered: usize,
    /// When the first and the last of them came; RFC 3339, empty where there was none.
    pub since: String,
    pub until: String,
}

impl Measured {
    /// Whether people see the spot checks at all. Where nobody does, by mail or otherwise, only what is held has labels, and what was published
    /// wrongly has none: fewer than half answered, and the sample stands for nothing.
    pub fn is_answered(&self) -> bool {
        2 * self.answered >= self.checks
    }
}

/// What a certificate rests on, in words.
pub const ASSUMPTION: &str = "This holds for comments like those of that time, if people ruled right, if whether they ruled did not depend on \
                              what it was, and if a model of all labels is no worse than those of four fifths of them that were measured. \
                              A text and its copies count once. What rules hold or reject comes on top.";

impl Terms {
    /// The thresholds that these terms give for a budget; none unless it is the one that was measured, and certified.
    pub fn policy(&self, budget: Budget) -> Option<Policy> {
        self.certificate().filter(|_| self.budget == budget).map(|certificate| certificate.policy)
    }

    pub fn certificate(&self) -> Option<&Certificate> {
        match &self.outcome {
            Outcome::Certified(certificate) => Some(certificate),
            Outcome::NotCertified { .. } => None,
        }
    }

    /// The share of errors that spot checks must not contradict: of spam among what is published, of ham among what is rejected, at the
    /// share of spam that came in while it was measured.
    pub fn error_shares_max(&self) -> Option<(f64, f64)> {
        let bounds = self.certificate()?.bounds;
        let spam = super::part(super::float(self.sample.spam), super::float(self.sample.ham));
        Some((bounds.spam_among_published_max(spam), bounds.ham_among_rejected_max(spam)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::simulation::{Chance, Site};
    use super::*;

    #[test]
    fn terms_are_the_same_after_the_card_and_serve_their_own_budget_alone() {
        let budget = Budget::new(0.02, 0.02, 0.9).unwrap();
        let scored = Site { spam: 8.0, ham: 8.0, steps: None }.labelled(&mut Chance(5), 500, 700);
        let fixed = Policy { publish_max: 0.45, reject_min: 0.97, discard_min: 0.999 };
        let outcome = budget.derive(&scored, fixed);
        let sample = Measured {
            share: 1.0,
            comments: 1200,
            asked: 1200,
            spam: 500,
            ham: 700,
            checks: 900,
            answered: 900,
            since: String::new(),
            until: String::new(),
        };
        let terms = Terms { budget, outcome, sample, forecast: None };
        let read: Terms = serde_json::from_str(&serde_json::to_string(&terms).unwrap()).unwrap();
        assert_eq!(read, terms, "to the last bit: a threshold lies beside a score");
        assert_eq!(read.policy(budget), Some(terms.outcome.policy()));
        assert_eq!(read.policy(Budget::new(0.01, 0.02, 0.9).unwrap()), None);
        let (spam, ham) = read.error_shares_max().unwrap();
        assert!(spam > 0.0 && spam < 0.05 && ham > 0.0 && ham < 0.05, "{spam} {ham}");
        let young = Terms { outcome: budget.not_certified(20, 30, fixed), ..terms };
        assert_eq!((young.policy(budget), young.error_shares_max()), (None, None));
    }
}
