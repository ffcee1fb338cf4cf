//! The report as one HTML file: what was measured, put into the words of the page. The page itself is `view`'s.

use super::plots::Wrong;
use super::report::{Protocol, Report};
use super::table::count;
use crate::classifier::{Card, Example};
use crate::clock::Timestamp;
use crate::view::{Mistake, ReportPage, Standing};

pub fn page(report: &Report, all: &[Example], card: Option<&Card>, made_at: Timestamp) -> String {
    let way = report.in_force();
    let mistakes: Vec<Mistake<'_>> = report.plots.mistakes.iter().filter_map(|wrong| mistake(wrong, all)).collect();
    ReportPage {
        title: title(report),
        how: how(report),
        made_at,
        notes: &report.notes,
        judged: report.judged,
        measures: report.alone.measures,
        standing: Standing {
            budget: report.budget,
            policy: way.policy,
            seen: way.seen,
            bounds: way.bounds,
            forecast: way.forecast,
            comments_per_day: report.comments_per_day,
            needed: report.certified.is_none().then_some(report.needed),
        },
        baseline: report.baseline.clone(),
        thresholds: &report.plots.thresholds,
        heaps: &report.plots.heaps,
        reliability: &report.plots.reliability,
        drift: report.plots.drift.as_ref(),
        steps: report.learning_curve.as_deref().unwrap_or_default(),
        load: &report.plots.load,
        groupings: &report.plots.groupings,
        mistakes: &mistakes,
        provenance: &provenance(report, card),
    }
    .render()
}

fn mistake<'a>(wrong: &Wrong, all: &'a [Example]) -> Option<Mistake<'a>> {
    Some(Mistake { label: wrong.label, body: &all.get(wrong.index)?.body, decision: wrong.decision.clone() })
}

fn title(report: &Report) -> String {
    report.protocol.model.as_ref().map_or_else(|| "Models of these labels".to_owned(), |model| format!("Model {model}"))
}

fn how(report: &Report) -> String {
    let (spam, ham) = report.judged;
    let Protocol { by, parts, models, base, .. } = &report.protocol;
    let judged = format!("{} labelled comments: {} spam, {} ham", count(spam + ham), count(spam), count(ham));
    let how = match (&report.protocol.model, *by) {
        (Some(_), _) => ", all by this finished model.".to_owned(),
        (None, "groups") => format!(", in {parts} parts of whole groups, each judged by a model of all others."),
        (None, "time") => format!(", in {parts} parts in order of time, each judged by a model of all before it."),
        (None, "texts") => format!(", in {parts} parts, each judged by a model of the others; copies of a text stay on one side."),
        (None, _) => format!(", in {models} parts, each judged by a model of the others."),
    };
    let base = base.as_ref().map(|base| format!(" They lean on the base {base}.")).unwrap_or_default();
    let beside = report.baseline.as_ref().map(|baseline| format!(" Beside them stands {}.", baseline.name)).unwrap_or_default();
    format!(
        "{judged}{how}{base}{beside} Verdicts are those that the daemon would give to the text alone, without lists and without the past."
    )
}

/// How to make the page again, and of what.
fn provenance(report: &Report, card: Option<&Card>) -> Vec<(String, String)> {
    let mut told = vec![("Command".to_owned(), command())];
    for input in &report.inputs {
        let skipped = if input.skipped > 0 { format!(", {} skipped", count(input.skipped)) } else { String::new() };
        told.push((input.name.clone(), format!("{} spam, {} ham{skipped}; sha256 {}", count(input.spam), count(input.ham), input.sha256)));
    }
    told.extend(report.protocol.seed.map(|seed| ("Seed".to_owned(), seed.to_string())));
    let (budget, policy) = (report.budget, report.in_force().policy);
    let allowed = format!(
        "spam published {}, ham rejected {}, confidence {}",
        budget.spam_published_max(),
        budget.ham_rejected_max(),
        budget.confidence()
    );
    told.push(("Budget".to_owned(), allowed));
    told.push(("Thresholds".to_owned(), format!("published up to {}, rejected from {}", policy.publish_max, policy.reject_min)));
    if let Some(card) = card {
        told.push(("Model made".to_owned(), card.trained_at.clone()));
        told.push((
            "Learnt from".to_owned(),
            format!("{} spam, {} ham, {} copies left out", count(card.spam), count(card.ham), count(card.copies)),
        ));
        let sources = card.sources.iter().map(|source| {
            let origin = source.origin.as_ref().map(|origin| format!("; {origin}")).unwrap_or_default();
            (format!("Source {}", source.name), format!("{} comments; sha256 {}{origin}", count(source.examples), source.sha256))
        });
        told.extend(sources);
    }
    told.push(("Hamlet".to_owned(), env!("CARGO_PKG_VERSION").to_owned()));
    told
}

/// As it was typed, with quotes where a shell needs them.
fn command() -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    let quoted =
        |word: String| if !word.is_empty() && word.chars().all(is_plain) { word } else { format!("'{}'", word.replace('\'', "'\\''")) };
    let words = std::env::args_os().skip(1).map(|word| quoted(word.to_string_lossy().into_owned()));
    std::iter::once("hamlet".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
