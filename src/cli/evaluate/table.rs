//! The report for people: plain text that fits a terminal of 80 columns, in words first and figures beside them.

use super::report::{Quality, Report, Share, Way};
use crate::budget::{INCOMING_SPAM, Point};
use crate::classifier::curves::Step;
use crate::classifier::evaluate::{FALSE_POSITIVE_RATES, Measures, Tally};
pub use crate::view::{percent, thousands as count};
use std::fmt::Write;

/// Columns of the report: the terminal that all others imitate has 80.
const WIDTH: usize = 78;

/// Columns of a bar.
const BAR: usize = 22;

pub fn text(report: &Report) -> String {
    let mut page = Page::default();
    head(&mut page, report);
    called(&mut page, report);
    scores(&mut page, report);
    verdicts(&mut page, report);
    readers(&mut page, report);
    work(&mut page, report);
    report.curve.iter().for_each(|points| curve(&mut page, report, points));
    report.learning_curve.iter().for_each(|steps| learning_curve(&mut page, steps));
    page.text.truncate(page.text.trim_end().len());
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, line: impl std::fmt::Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{}", line.to_string().trim_end());
    }

    fn heading(&mut self, words: &str) {
        self.line(format_args!("\n{words} {}", "─".repeat(WIDTH.saturating_sub(words.chars().count() + 1))));
    }

    /// Words broken into lines, each after `indent` blanks, the first after `mark`.
    fn words(&mut self, mark: &str, indent: usize, words: &str) {
        let mut line = format!("{mark:indent$}");
        let empty = line.chars().count();
        for word in words.split_whitespace() {
            let length = line.chars().count();
            if length > empty && length + 1 + word.chars().count() > WIDTH {
                self.line(&line);
                line = " ".repeat(indent);
            } else if length > empty {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(line);
    }
}

fn head(page: &mut Page, report: &Report) {
    let (spam, ham) = report.judged;
    let names: Vec<&str> = report.inputs.iter().map(|input| input.name.rsplit('/').next().unwrap_or_default()).collect();
    let files = if names.len() > 3 { format!("{} files", names.len()) } else { names.join(", ") };
    page.words("", 0, &format!("{} comments judged, {} spam and {} ham, of {files}", count(spam + ham), count(spam), count(ham)));
    let protocol = &report.protocol;
    let how = match (&protocol.model, protocol.by) {
        (Some(model), _) => format!("All of them by the finished model {model}"),
        (None, "groups") => format!("{} parts of whole groups, each judged by a model of all others", protocol.parts),
        (None, "time") => {
            let first = count(report.not_judged);
            format!(
                "{} parts in order of time, each judged by a model of all before it; {first} only learnt from or left out",
                protocol.parts
            )
        }
        (None, "texts") => format!("{} parts, each judged by a model of the others; copies of a text stay in one", protocol.parts),
        (None, _) => format!("{} parts, each judged by a model of the others", protocol.parts),
    };
    let base = protocol.base.as_ref().map(|base| format!(", over the base {base}")).unwrap_or_default();
    page.words("", 0, &format!("{how}{base}."));
    report.notes.iter().for_each(|note| page.words("  ! ", 4, note));
}

fn called(page: &mut Page, report: &Report) {
    page.heading("If \"likelier spam than not\" were the verdict");
    called_by(page, &report.alone);
    if let Some(tracked) = &report.tracked {
        page.line("\n  with the prior tracker");
        called_by(page, tracked);
    }
}

fn called_by(page: &mut Page, quality: &Quality) {
    for (what, share) in [("spam caught", quality.spam_caught), ("ham blocked", quality.ham_blocked), ("judged right", quality.right)] {
        let counts = format!("{} of {}", count(share.hits), count(share.of));
        page.line(format_args!("  {what:<12} {:>12}   {counts:>16}   likely {}", out_of_hundred(share), interval(share)));
    }
}

fn scores(page: &mut Page, report: &Report) {
    let tracked = report.tracked.as_ref();
    page.heading("How good the scores are");
    if tracked.is_some() {
        page.line(format_args!("  {:<24} {:>9} {:>9}", "", "alone", "tracked"));
    }
    let mut row = |what: &str, value: &dyn Fn(&Quality) -> String, words: &str| {
        let second = tracked.map(|tracked| format!(" {:>9}", value(tracked))).unwrap_or_default();
        page.line(format_args!("  {what:<24} {:>9}{second}   {words}", value(&report.alone)));
    };
    let measure = |of: fn(&Measures) -> f64| move |quality: &Quality| format!("{:.4}", of(&quality.measures));
    let short = |long: &'static str| if tracked.is_some() { "" } else { long };
    row("AUC", &measure(|m| m.auc), short("a spam scores above a ham so often"));
    if let Some((_, groups)) = report.alone.group_auc {
        let mean = |quality: &Quality| quality.group_auc.map(|(mean, _)| format!("{mean:.4}")).unwrap_or_default();
        row(&format!("AUC, mean of {groups} groups"), &mean, short("those that hold both spam and ham"));
    }
    row("MCC", &measure(|m| m.mcc), short("1 is perfect, 0 is guessing"));
    row("log loss", &measure(|m| m.log_loss), short("0 is perfect, always \"half\" is .6931"));
    row("Brier", &measure(|m| m.brier), short("0 is perfect, always \"half\" is .25"));
    row("calibration error", &measure(|m| m.ece), short("how far probabilities are from what came"));
    for (at, rate) in FALSE_POSITIVE_RATES.into_iter().enumerate() {
        let value = move |quality: &Quality| quality.measures.recall_at.get(at).map(|share| percent(*share)).unwrap_or_default();
        row(&format!("spam caught at {} FP", percent(rate)), &value, short("the best threshold that blocks so much ham"));
    }
}

fn verdicts(page: &mut Page, report: &Report) {
    let budget = report.budget;
    page.heading("Verdicts: published, held for a person, rejected");
    way(page, "The thresholds that ship", &report.shipped);
    let allowed = format!(
        "at most {} of spam published, {} of ham rejected, {} sure",
        percent(budget.spam_published_max()),
        percent(budget.ham_rejected_max()),
        percent(budget.confidence())
    );
    page.line("");
    if let Some(certified) = &report.certified {
        page.words("  ", 2, &format!("The budget ({allowed}): CERTIFIED"));
        way(page, "Its thresholds", certified);
    } else {
        page.words("  ", 2, &format!("The budget ({allowed}): NOT CERTIFIED"));
        let needed = [(report.needed.0, "spam"), (report.needed.1, "ham")].into_iter().filter(|(needed, _)| *needed > 0);
        let needed: Vec<String> = needed.map(|(needed, of)| format!("{} more labels of {of}", count(needed))).collect();
        page.words("  ", 2, &format!("{} needed. Until then the thresholds that ship stay in force.", needed.join(" and ")));
    }
}

fn way(page: &mut Page, whose: &str, way: &Way) {
    let (policy, bounds) = (way.policy, way.bounds);
    page.words(
        "  ",
        2,
        &format!("{whose}: published up to {}, rejected from {}", threshold(policy.publish_max), threshold(policy.reject_min)),
    );
    for (class, tally) in [("ham ", way.seen.ham), ("spam", way.seen.spam)] {
        let shares = [tally.published, tally.held, tally.rejected].map(|n| percent(part(n, tally.comments())));
        let [published, held, rejected] = shares;
        page.line(format_args!("    {class} {}  {published:>7} published {held:>7} held {rejected:>7} rejected", bar(tally)));
    }
    let (spam, ham) = (percent(bounds.spam_published_max), percent(bounds.ham_rejected_max));
    page.words("    ", 4, &format!("bounds: at most {spam} of spam published, at most {ham} of ham rejected"));
}

/// Published, held and rejected as lengths; whatever happened at all is seen, and rounding goes to the longest.
fn bar(tally: Tally) -> String {
    let counts = [tally.published, tally.held, tally.rejected];
    let room = BAR - counts.iter().filter(|n| **n > 0).count();
    let mut cells = counts.map(|n| if n == 0 { 0 } else { 1 + n * room / tally.comments().max(1) });
    let missing = BAR.saturating_sub(cells.iter().sum());
    if let Some((_, longest)) = counts.iter().zip(&mut cells).max_by_key(|(n, _)| **n) {
        *longest += missing;
    }
    cells.iter().zip(["█", "▒", "·"]).map(|(cells, mark)| mark.repeat(*cells)).collect()
}

fn readers(page: &mut Page, report: &Report) {
    page.heading("Spam among what readers see, at most");
    let cells = |values: [String; 4]| values.map(|value| format!("{value:>9}")).concat();
    page.line(format_args!("  {:<24}{}  is spam", "if of all that comes in", cells(INCOMING_SPAM.map(percent))));
    let ways = [("thresholds that ship", Some(&report.shipped)), ("the budget's", report.certified.as_ref())];
    for (whose, way) in ways.into_iter().filter_map(|(whose, way)| Some((whose, way?))) {
        page.line(format_args!("  {whose:<24}{}", cells(way.bounds.spam_among_published().map(|(_, most)| percent(most)))));
    }
    page.words("  ", 2, &format!("Bounds that are {} sure, for traffic like these comments.", percent(report.budget.confidence())));
}

fn work(page: &mut Page, report: &Report) {
    page.heading("People's work");
    let volume = report.comments_per_day;
    page.words("  ", 2, &format!("At {volume} comments a day, as much of it spam as here:"));
    let ways = [("thresholds that ship", Some(&report.shipped)), ("the budget's", report.certified.as_ref())];
    for (whose, forecast) in ways.into_iter().filter_map(|(whose, way)| Some((whose, way?.forecast?))) {
        let (low, high) = (forecast.low_per_day, forecast.high_per_day);
        page.line(format_args!("  {whose:<22} about {:.0} a day are held; four days of five {low} to {high}", forecast.expected_per_day));
    }
}

/// A row for each share of spam allowed, a column for each of ham; pairs that a tighter budget has already are not repeated.
fn curve(page: &mut Page, report: &Report, points: &[Point]) {
    page.heading("Held, by what the budget allows");
    if points.is_empty() {
        page.words("  ", 2, "These labels carry no budget of the curve.");
        return;
    }
    let distinct = |share: fn(&Point) -> f64| {
        let mut shares: Vec<f64> = points.iter().map(share).collect();
        shares.sort_by(f64::total_cmp);
        shares.dedup();
        shares
    };
    let spam = distinct(|point| point.certificate.budget.spam_published_max());
    let ham = distinct(|point| point.certificate.budget.ham_rejected_max());
    let cell = |spam: f64, ham: f64| {
        let is_here = |point: &&Point| {
            let budget = point.certificate.budget;
            budget.spam_published_max().total_cmp(&spam).is_eq() && budget.ham_rejected_max().total_cmp(&ham).is_eq()
        };
        let seen = points.iter().find(is_here).map(|point| point.certificate.seen);
        seen.map(|seen| percent(part(seen.spam.held + seen.ham.held, seen.spam.comments() + seen.ham.comments()))).unwrap_or_default()
    };
    let row = |cells: &mut dyn Iterator<Item = String>| cells.map(|cell| format!("{cell:>8}")).collect::<String>();
    page.line(format_args!("  {:<10}{}", "", "ham rejected, at most"));
    page.line(format_args!("  {:<10}{}", "spam", row(&mut ham.iter().map(|share| percent(*share)))));
    for share in spam {
        page.line(format_args!("  {:<10}{}", percent(share), row(&mut ham.iter().map(|ham| cell(share, *ham)))));
    }
    let confidence = percent(report.budget.confidence());
    page.words(
        "  ",
        2,
        &format!("Share of all comments that a person must read; each pair {confidence} sure if chosen without looking here."),
    );
}

fn learning_curve(page: &mut Page, steps: &[Step]) {
    page.heading("What more labels bring");
    page.line(format_args!("  {:>8} {:>9} {:>11} {:>9}", "labels", "AUC", "accuracy", "log loss"));
    for step in steps {
        let accuracy = percent(step.accuracy);
        page.line(format_args!("  {:>8} {:>9.4} {accuracy:>11} {:>9.4}", count(step.examples), step.auc, step.log_loss));
    }
    page.words("  ", 2, "Medians of five models of so many labels drawn at random, each judging all others.");
}

/// `95 of 100`; a share that would read as none or as all has a digit more.
fn out_of_hundred(share: Share) -> String {
    let value = 100.0 * part(share.hits, share.of);
    let whole = share.hits == 0 || share.hits == share.of || (1.0..99.0).contains(&value);
    if whole { format!("{value:.0} of 100") } else { format!("{value:.1} of 100") }
}

fn interval(share: Share) -> String {
    format!("{:.1} to {:.1} %", 100.0 * share.low, 100.0 * share.high)
}

/// Digits up to the second that tells it from 0 or 1. A threshold outside these is never reached.
pub fn threshold(probability: f64) -> String {
    if !(0.0..=1.0).contains(&probability) {
        return "none".to_owned();
    }
    let distance = probability.min(1.0 - probability).max(1e-12);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 12")]
    let digits = (-distance.log10()).ceil().max(1.0) as usize;
    format!("{probability:.*}", digits + 1)
}

#[expect(clippy::cast_precision_loss, reason = "counts of comments are far below 2^52")]
fn part(some: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { some as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_read_as_people_write_them() {
        assert_eq!(
            [0.45, 0.97, 0.5, 0.0123, 0.999_87, -0.1, 1.1].map(threshold),
            ["0.45", "0.970", "0.50", "0.012", "0.99987", "none", "none"]
        );
    }

    #[test]
    fn a_share_that_is_not_whole_does_not_read_as_none_or_all() {
        let of = |hits, of| out_of_hundred(Share { hits, of, low: 0.0, high: 1.0 });
        assert_eq!(
            [of(0, 9), of(1, 999), of(950, 1000), of(999, 1000), of(9, 9)],
            ["0 of 100", "0.1 of 100", "95 of 100", "99.9 of 100", "100 of 100"]
        );
    }

    #[test]
    fn a_bar_is_as_long_as_any_other_and_hides_nothing() {
        for (published, held, rejected) in [(1, 0, 0), (1, 1000, 1), (1000, 1, 0), (1, 1, 1000), (500, 500, 0), (0, 1, 9000)] {
            let bar = bar(Tally { published, held, rejected });
            assert_eq!(bar.chars().count(), 22, "{bar}");
            for (n, mark) in [(published, '█'), (held, '▒'), (rejected, '·')] {
                assert_eq!(bar.contains(mark), n > 0, "{bar}");
            }
        }
    }
}
