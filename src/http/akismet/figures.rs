//! Figures in Akismet's words. `spam` and `ham` are what a client was told, so a held comment counts as what the site's setting calls it;
//! what was told wrongly is known where people ruled.

use crate::config::HoldAs;
use crate::decision::{Ruling, Verdict};
use crate::store::Tally;
use serde_json::{Map, Value, json};

/// Counts of comments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    pub spam: u64,
    pub ham: u64,
    /// Of the ham what people ruled spam.
    pub missed_spam: u64,
    /// Of the spam what people published.
    pub false_positives: u64,
}

impl Figures {
    /// All tallies together.
    pub fn of<'a>(tallies: impl IntoIterator<Item = &'a Tally>, hold: HoldAs) -> Self {
        let mut figures = Self::default();
        for tally in tallies {
            let is_spam = match tally.verdict {
                Verdict::Publish => false,
                Verdict::Hold => hold == HoldAs::Spam,
                Verdict::Reject => true,
            };
            let (told, wrongly, wrong) = if is_spam {
                (&mut figures.spam, &mut figures.false_positives, Ruling::Publish)
            } else {
                (&mut figures.ham, &mut figures.missed_spam, Ruling::Spam)
            };
            *told += tally.comments;
            if tally.ruled == Some(wrong) {
                *wrongly += tally.comments;
            }
        }
        figures
    }

    pub fn comments(self) -> u64 {
        self.spam + self.ham
    }

    /// Percent that were told rightly, as far as people said otherwise; 100 before the first comment.
    fn accuracy(self) -> f64 {
        let wrong = self.missed_spam + self.false_positives;
        if wrong == 0 { 100.0 } else { 100.0 - percent(wrong, self.comments()) }
    }

    /// One row of `key-sites`; its counts are texts there.
    pub fn of_site(self, site: &str) -> Value {
        json!({
            "site": site,
            "api_calls": self.comments().to_string(),
            "spam": self.spam.to_string(),
            "ham": self.ham.to_string(),
            "missed_spam": self.missed_spam.to_string(),
            "false_positives": self.false_positives.to_string(),
            "is_revoked": false,
        })
    }

    /// The same as a line of CSV. A site's name needs no quotes: it is of a-z, 0-9 and `-`.
    pub fn csv_line(self, site: &str) -> String {
        let Self { spam, ham, missed_spam, false_positives } = self;
        format!("{site},{},{spam},{ham},{missed_spam},{false_positives},false\n", self.comments())
    }

    fn json(self) -> Map<String, Value> {
        let Self { spam, ham, missed_spam, false_positives } = self;
        [("spam", spam), ("ham", ham), ("missed_spam", missed_spam), ("false_positives", false_positives)]
            .map(|(name, count)| (name.to_owned(), json!(count)))
            .into_iter()
            .collect()
    }
}

/// To two places, as people write it.
#[expect(clippy::cast_precision_loss, reason = "counts of comments are far below 2^52")]
fn percent(part: u64, whole: u64) -> f64 {
    (10_000.0 * part as f64 / whole.max(1) as f64).round() / 100.0
}

/// What `get-stats` says of these tallies: all of them together, and month by month.
pub fn statistics(tallies: &[Tally], hold: HoldAs) -> Value {
    let all = Figures::of(tallies, hold);
    let of_month = |month: &[Tally]| {
        let mut figures = Figures::of(month, hold).json();
        figures.extend(month.first().map(|tally| ("da".to_owned(), json!(format!("{}-01", tally.month)))));
        Some((month.first()?.month.clone(), Value::Object(figures)))
    };
    let breakdown: Map<String, Value> = tallies.chunk_by(|a, b| a.month == b.month).filter_map(of_month).collect();
    let mut told = all.json();
    told.insert("accuracy".to_owned(), json!(all.accuracy()));
    told.insert("breakdown".to_owned(), Value::Object(breakdown));
    Value::Object(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(month: &str, verdict: Verdict, ruled: Option<Ruling>, comments: u64) -> Tally {
        Tally { month: month.to_owned(), verdict, ruled, comments }
    }

    fn tallies() -> Vec<Tally> {
        vec![
            tally("2026-10", Verdict::Publish, None, 90),
            tally("2026-10", Verdict::Publish, Some(Ruling::Spam), 2),
            tally("2026-11", Verdict::Hold, Some(Ruling::Publish), 4),
            tally("2026-11", Verdict::Hold, Some(Ruling::Spam), 8),
            tally("2026-11", Verdict::Reject, Some(Ruling::Remove), 16),
            tally("2026-11", Verdict::Reject, Some(Ruling::Publish), 1),
        ]
    }

    #[test]
    fn a_held_comment_counts_as_what_the_client_was_told() {
        let check = |hold, (spam, ham, missed_spam, false_positives)| {
            assert_eq!(Figures::of(&tallies(), hold), Figures { spam, ham, missed_spam, false_positives });
        };
        check(HoldAs::Spam, (29, 92, 2, 5));
        check(HoldAs::Ham, (17, 104, 10, 1));
    }

    #[test]
    fn statistics_add_up_month_by_month() {
        let told = statistics(&tallies(), HoldAs::Spam);
        let expected = json!({
            "spam": 29, "ham": 92, "missed_spam": 2, "false_positives": 5, "accuracy": 94.21,
            "breakdown": {
                "2026-10": { "spam": 0, "ham": 92, "missed_spam": 2, "false_positives": 0, "da": "2026-10-01" },
                "2026-11": { "spam": 29, "ham": 0, "missed_spam": 0, "false_positives": 5, "da": "2026-11-01" },
            },
        });
        assert_eq!(told, expected);
        assert_eq!(statistics(&[], HoldAs::Spam)["accuracy"], json!(100.0));
    }

    #[test]
    fn a_site_is_a_row_or_a_line() {
        let figures = Figures { spam: 3, ham: 4, missed_spam: 1, false_positives: 2 };
        assert_eq!(figures.csv_line("blog"), "blog,7,3,4,1,2,false\n");
        let row = figures.of_site("blog");
        assert_eq!((&row["api_calls"], &row["false_positives"], &row["is_revoked"]), (&json!("7"), &json!("2"), &json!(false)));
    }
}
