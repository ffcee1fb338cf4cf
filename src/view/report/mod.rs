//! The report of an evaluation: one page that needs nothing beside itself, with every figure as a chart and as a table. It takes measures and
//! counts; making them is `flow`'s, and its charts are in [`charts`].

mod charts;
mod lists;

use crate::budget::workload::Forecast;
use crate::budget::{Bounds, Budget};
use crate::classifier::Label;
use crate::classifier::curves::{Drift, Heap, Kept, Step, Threshold};
use crate::classifier::evaluate::{Comparison, Measures, ThreeWay};
use crate::clock::Timestamp;
use crate::decision::{Decision, Policy};
use crate::view::chart::{Figure, PATTERNS};
use crate::view::safe::Html;
use crate::view::words::{percent, thousands};
use crate::view::{STYLESHEET, rendered};
use askama::Template;

/// All that the page shows.
#[derive(Debug)]
pub struct ReportPage<'a> {
    /// What was measured, in a few words.
    pub title: String,
    /// What was judged by what: a sentence.
    pub how: String,
    pub made_at: Timestamp,
    /// What a reader must know before the figures.
    pub notes: &'a [String],
    /// (spam, ham).
    pub judged: (usize, usize),
    pub measures: Measures,
    pub standing: Standing,
    pub baseline: Option<Baseline>,
    pub thresholds: &'a [Threshold],
    pub heaps: &'a [Heap],
    pub reliability: &'a [Kept],
    pub drift: Option<&'a Drift>,
    pub steps: &'a [Step],
    pub load: &'a [Load],
    pub groupings: &'a [Grouping],
    pub mistakes: &'a [Mistake<'a>],
    /// (what, which): how to make the page again, and of what.
    pub provenance: &'a [(String, String)],
}

/// The thresholds that were measured and what they make of the comments.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    pub budget: Budget,
    pub policy: Policy,
    pub seen: ThreeWay,
    pub bounds: Bounds,
    pub forecast: Option<Forecast>,
    pub comments_per_day: f64,
    /// (spam, ham) labels that a certificate still needs; none where it is certified.
    pub needed: Option<(usize, usize)>,
}

/// Another model on the same comments.
#[derive(Debug, Clone)]
pub struct Baseline {
    pub name: String,
    pub measures: Measures,
    pub seen: ThreeWay,
    /// What was measured less the baseline, with 95 % intervals.
    pub comparison: Comparison,
}

/// What a budget for published spam would send to people, the one for rejected ham as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    pub spam_published_max: f64,
    pub seen: ThreeWay,
    /// The budget that was asked for.
    pub is_chosen: bool,
}

/// The same comments by where they are from.
#[derive(Debug, Clone, PartialEq)]
pub struct Grouping {
    /// `source`, `language`, `group`, `file`.
    pub by: &'static str,
    /// The largest first; what is too small to tell stands together as the last.
    pub members: Vec<Member>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub name: String,
    pub seen: ThreeWay,
    /// None where one class is missing.
    pub auc: Option<f64>,
}

/// A comment that was judged wrongly, or nearly.
#[derive(Debug)]
pub struct Mistake<'a> {
    pub label: Label,
    pub body: &'a str,
    pub decision: Decision,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    style: Html,
    patterns: Html,
    title: String,
    how: &'a str,
    day: String,
    notes: &'a [String],
    heads: Vec<Head>,
    is_certified: bool,
    budget: String,
    meaning: Vec<String>,
    comparison: Option<(String, String)>,
    separates: Vec<Html>,
    confusion: lists::Confusion,
    means: Vec<Html>,
    time: Vec<Html>,
    groups: Vec<Html>,
    mistakes_told: String,
    mistakes: Vec<lists::Shown>,
    provenance: &'a [(String, String)],
}

/// A headline figure.
struct Head {
    what: &'static str,
    value: String,
    /// What the baseline has.
    was: Option<String>,
}

impl ReportPage<'_> {
    pub fn render(&self) -> String {
        let html = |figures: Vec<Figure>| figures.iter().map(Figure::html).collect();
        rendered(&Page {
            style: Html::made(STYLESHEET.to_owned()),
            patterns: Html::made(PATTERNS.to_owned()),
            title: crate::view::safe::plain(&self.title),
            how: &self.how,
            day: self.made_at.long_day(),
            notes: self.notes,
            heads: self.heads(),
            is_certified: self.standing.needed.is_none(),
            budget: self.standing.told(self.judged),
            meaning: self.standing.meaning(),
            comparison: self.baseline.as_ref().map(Baseline::told),
            separates: html(vec![charts::heaps(self), charts::roc(self), charts::precision_recall(self)]),
            confusion: lists::Confusion::of(self.standing.seen),
            means: html(vec![charts::load(self), charts::reliability(self)]),
            time: html(vec![charts::drift(self.drift, &self.measures), charts::learning(self.steps)]),
            groups: html(self.groupings.iter().map(charts::grouping).collect()),
            mistakes_told: lists::told(self),
            mistakes: self.mistakes.iter().map(lists::Shown::of).collect(),
            provenance: self.provenance,
        })
    }

    fn heads(&self) -> Vec<Head> {
        let was = self.baseline.as_ref();
        let measure =
            |what, told: &dyn Fn(&Measures) -> String| Head { what, value: told(&self.measures), was: was.map(|was| told(&was.measures)) };
        let recall = |measures: &Measures| measures.recall_at.get(1).map(|share| percent(*share)).unwrap_or_default();
        vec![
            measure("spam found, 0.5 % of ham lost", &recall),
            measure("area under ROC", &|measures| format!("{:.4}", measures.auc)),
            measure("log loss", &|measures| format!("{:.3}", measures.log_loss)),
            measure("calibration gap", &|measures| format!("{:.3}", measures.ece)),
            Head { what: "held for people", value: percent(held(self.standing.seen)), was: was.map(|was| percent(held(was.seen))) },
        ]
    }
}

/// The share of all comments that people are asked about.
fn held(seen: ThreeWay) -> f64 {
    share(seen.spam.held + seen.ham.held, seen.spam.comments() + seen.ham.comments())
}

#[expect(clippy::cast_precision_loss, reason = "counts of comments are far below 2^52")]
fn share(some: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { some as f64 / all as f64 }
}

impl Standing {
    /// What is certified, or what is missing.
    fn told(&self, (spam, ham): (usize, usize)) -> String {
        let (budget, bounds) = (self.budget, self.bounds);
        let Some((spam_needed, ham_needed)) = self.needed else {
            return format!(
                "At most {} of spam published and at most {} of ham rejected, {} confidence, from {} labels.",
                percent(bounds.spam_published_max),
                percent(bounds.ham_rejected_max),
                percent(budget.confidence()),
                thousands(spam + ham)
            );
        };
        let needed = [(spam_needed, "spam"), (ham_needed, "ham")].into_iter().filter(|(needed, _)| *needed > 0);
        let needed: Vec<String> = needed.map(|(needed, of)| format!("{} more labels of {of}", thousands(needed))).collect();
        let needed = if needed.is_empty() { "Better scores".to_owned() } else { needed.join(" and ") };
        format!(
            "{needed} are needed to promise at most {} of spam published and {} of ham rejected with {} confidence. Until then the thresholds \
             that ship stay in force.",
            percent(budget.spam_published_max()),
            percent(budget.ham_rejected_max()),
            percent(budget.confidence())
        )
    }

    /// What it means for readers and for people, a sentence each.
    fn meaning(&self) -> Vec<String> {
        let (spam, ham) = (self.seen.spam, self.seen.ham);
        let errors = format!(
            "Of {} spam {} got through; of {} ham {} {} lost.",
            thousands(spam.comments()),
            thousands(spam.published),
            thousands(ham.comments()),
            thousands(ham.rejected),
            if ham.rejected == 1 { "was" } else { "were" }
        );
        let work = self.forecast.map(|forecast| {
            format!(
                "At {} comments a day, as much of it spam as here, people read about {:.0} a day; four days of five {} to {}.",
                self.comments_per_day, forecast.expected_per_day, forecast.low_per_day, forecast.high_per_day
            )
        });
        let thresholds = format!(
            "Published up to {}, rejected from {}; between them, and wherever the judge has a doubt of its own, a person decides.",
            threshold(self.policy.publish_max),
            threshold(self.policy.reject_min)
        );
        std::iter::once(errors).chain(work).chain([thresholds]).collect()
    }
}

/// A probability with the digits that tell it from 0 or 1; one outside these is never reached.
fn threshold(probability: f64) -> String {
    if (0.0..=1.0).contains(&probability) { format!("a score of {}", percent(probability)) } else { "no score at all".to_owned() }
}

impl Baseline {
    /// Whether the difference is more than chance, and by how much: (name, sentence).
    fn told(&self) -> (String, String) {
        let loss = self.comparison.log_loss;
        let verdict = if loss.high < 0.0 {
            "Better than"
        } else if loss.low > 0.0 {
            "Worse than"
        } else {
            "Not told apart by these comments from"
        };
        let told = format!(
            "{verdict} the baseline: log loss {:+.4} (95 % interval {:+.4} to {:+.4}; less is better), area {:+.4} ({:+.4} to {:+.4}).",
            loss.estimate, loss.low, loss.high, self.comparison.auc.estimate, self.comparison.auc.low, self.comparison.auc.high
        );
        (crate::view::safe::plain(&self.name), told)
    }
}

#[cfg(test)]
pub mod samples {
    use super::*;
    use crate::classifier::Label::{Ham, Spam};
    use crate::classifier::curves;
    use crate::classifier::evaluate::{Tally, compare, measure};
    use crate::decision::logistic;
    use crate::view::samples;

    /// Sixty comments of two sources over ten weeks, the same words in every place where a stranger's words can stand.
    pub fn page(words: &str) -> String {
        let scored: Vec<_> = (0..60).map(|n| (f64::from(n % 17) - 8.0, if n % 17 + n % 3 > 9 { Spam } else { Ham })).collect();
        of(&scored, words)
    }

    pub fn of(scored: &[(f64, Label)], words: &str) -> String {
        let policy = Policy { publish_max: 0.1, reject_min: 0.9, discard_min: 0.99 };
        let seen: ThreeWay = scored.iter().map(|(at, label)| (policy.verdict(logistic(*at)), *label)).collect();
        let day = |n: i64| Timestamp::from_ms(samples::now().ms() - n * 86_400_000);
        let dated: Vec<_> = (0..).zip(scored).map(|(n, (at, label))| (day(n), *at, *label)).collect();
        let (measures, drift) = (measure(scored), curves::drift(&dated));
        let twice: Vec<_> = scored.iter().map(|(at, label)| (at / 2.0, *at, *label)).collect();
        let sample = samples::decision(Some(-3.0), &[("x", crate::rules::Effect::Hold, words, 0.0)], &[(words, 1.0), ("“a word”", -2.0)]);
        let member = |name: &str| Member { name: name.to_owned(), seen, auc: None };
        ReportPage {
            title: format!("Model {words}"),
            how: "Sixty labelled comments.".to_owned(),
            made_at: samples::now(),
            notes: &["a note".to_owned()],
            judged: (seen.spam.comments(), seen.ham.comments()),
            measures,
            standing: Standing {
                budget: Budget::default(),
                policy,
                seen,
                bounds: Bounds::of(seen, 0.9),
                forecast: Forecast::of(Tally { published: 5, held: 3, rejected: 2 }, crate::budget::audit::Rates::NONE, 100.0, 0.8),
                comments_per_day: 100.0,
                needed: Some((299, 598)),
            },
            baseline: Some(Baseline { name: words.to_owned(), measures, seen, comparison: compare(&twice, 0.95, || 0.5) }),
            thresholds: &curves::thresholds(scored),
            heaps: &curves::heaps(scored),
            reliability: &curves::reliability(scored),
            drift: drift.as_ref(),
            steps: &[],
            load: &[Load { spam_published_max: 0.01, seen, is_chosen: true }],
            groupings: &[Grouping { by: "source", members: vec![member(words), member("the other")] }],
            mistakes: &[Mistake { label: Spam, body: words, decision: sample }],
            provenance: &[("Hamlet".to_owned(), "0.1.0".to_owned())],
        }
        .render()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_needs_nothing_beside_itself_and_says_everything_twice() {
        let page = samples::page("Nice write-up.");
        for remote in ["http:", "https:", "src=", "@import", "<script", "<link"] {
            assert!(!page.contains(remote), "{remote}");
        }
        assert!(page.split("url(").skip(1).all(|target| target.starts_with("#p-")), "a picture refers to the page's own patterns alone");
        let pictures = page.matches("role=\"img\"").count();
        assert!(pictures >= 7 && page.matches("<details>").count() == pictures, "{pictures} pictures");
        assert_eq!(page.matches("aria-label").count(), pictures + 1);
        assert_eq!(page, samples::page("Nice write-up."));
    }

    #[test]
    fn no_comments_and_one_comment_make_a_page() {
        for scored in [&[][..], &[(0.0, Label::Ham)], &[(f64::NAN, Label::Spam)], &[(1e300, Label::Spam), (-1e300, Label::Ham)]] {
            let page = samples::of(scored, "words");
            assert!(page.trim_end().ends_with("</html>") && !page.contains("NaN"), "{scored:?}");
        }
    }
}
