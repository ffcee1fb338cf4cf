//! The report for programs. Field names are stable: new ones may come, none is renamed or changes its unit. Shares and probabilities are in
//! `0.0..=1.0`.

use super::plots::Plots;
use super::report::{Quality, Report, Share, Way};
use crate::budget::workload::{FORECAST_LEVEL, Forecast};
use crate::classifier::Label;
use crate::classifier::evaluate::{Difference, FALSE_POSITIVE_RATES, Measures, Tally};
use crate::view::Baseline;
use serde_json::{Value, json};

pub fn document(report: &Report) -> serde_json::Result<String> {
    let protocol = &report.protocol;
    let inputs: Vec<Value> = report
        .inputs
        .iter()
        .map(|input| json!({ "name": input.name, "sha256": input.sha256, "spam": input.spam, "ham": input.ham, "skipped": input.skipped }))
        .collect();
    serde_json::to_string_pretty(&json!({
        "format_version": 1,
        "inputs": inputs,
        "protocol": {
            "by": protocol.by,
            "parts": protocol.parts,
            "models_trained": protocol.models,
            "seed": protocol.seed,
            "base": protocol.base,
            "model": protocol.model,
        },
        "judged": { "spam": report.judged.0, "ham": report.judged.1, "not_judged": report.not_judged },
        "measures": quality(&report.alone),
        "measures_with_tracker": report.tracked.as_ref().map(quality),
        "budget": {
            "spam_published_share_max": report.budget.spam_published_max(),
            "ham_rejected_share_max": report.budget.ham_rejected_max(),
            "confidence": report.budget.confidence(),
            "certified": report.certified.is_some(),
            "more_labels_needed": { "spam": report.needed.0, "ham": report.needed.1 },
        },
        "comments_per_day": report.comments_per_day,
        "outcome_shipped": way(&report.shipped),
        "outcome_budget": report.certified.as_ref().map(way),
        "curve": report.curve.as_ref().map(|points| points.iter().map(point).collect::<Vec<_>>()),
        "learning_curve": report.learning_curve.as_ref().map(|steps| steps.iter().map(step).collect::<Vec<_>>()),
        "baseline": report.baseline.as_ref().map(baseline),
        "plots": plots(&report.plots),
        "notes": report.notes,
    }))
}

fn baseline(baseline: &Baseline) -> Value {
    let difference = |difference: Difference| json!({ "estimate": difference.estimate, "interval_95": [difference.low, difference.high] });
    json!({
        "model": baseline.name,
        "measures": measures(&baseline.measures),
        "spam": tally(baseline.seen.spam),
        "ham": tally(baseline.seen.ham),
        "auc_gained": difference(baseline.comparison.auc),
        "log_loss_nats_gained": difference(baseline.comparison.log_loss),
    })
}

/// What the charts of the page are drawn from.
fn plots(plots: &Plots) -> Value {
    let thresholds = plots.thresholds.iter().map(|at| json!({ "log_odds": at.log_odds, "spam": at.spam, "ham": at.ham }));
    let heaps =
        plots.heaps.iter().map(|heap| json!({ "log_odds_from": heap.from, "log_odds_to": heap.to, "spam": heap.spam, "ham": heap.ham }));
    let reliability = plots
        .reliability
        .iter()
        .map(|kept| json!({ "said": kept.said, "spam": kept.spam, "comments": kept.comments, "interval_90": [kept.low, kept.high] }));
    let drift = plots.drift.as_ref().map(|drift| {
        let periods = drift.periods.iter().map(|period| {
            let interval = [period.low, period.high];
            let start = period.start.to_string();
            json!({ "start": start, "spam": period.spam, "ham": period.ham, "log_loss_nats": period.log_loss, "interval_90": interval })
        });
        json!({ "weeks": drift.weeks, "periods": periods.collect::<Vec<_>>() })
    });
    let load = plots.load.iter().map(
        |load| json!({ "spam_published_share_max": load.spam_published_max, "spam": tally(load.seen.spam), "ham": tally(load.seen.ham) }),
    );
    let groupings = plots.groupings.iter().map(|grouping| {
        let members = grouping.members.iter().map(
            |member| json!({ "name": member.name, "spam": tally(member.seen.spam), "ham": tally(member.seen.ham), "auc": member.auc }),
        );
        json!({ "by": grouping.by, "members": members.collect::<Vec<_>>() })
    });
    let mistakes = plots.mistakes.iter().map(|wrong| {
        let label = if wrong.label == Label::Spam { "spam" } else { "ham" };
        json!({ "index": wrong.index, "label": label, "verdict": wrong.decision.verdict.as_str(), "log_odds": wrong.log_odds })
    });
    json!({
        "thresholds": thresholds.collect::<Vec<_>>(),
        "heaps": heaps.collect::<Vec<_>>(),
        "reliability": reliability.collect::<Vec<_>>(),
        "drift": drift,
        "load": load.collect::<Vec<_>>(),
        "groupings": groupings.collect::<Vec<_>>(),
        "mistakes": mistakes.collect::<Vec<_>>(),
    })
}

fn measures(measures: &Measures) -> Value {
    json!({
        "accuracy": measures.accuracy,
        "mcc": measures.mcc,
        "auc": measures.auc,
        "log_loss_nats": measures.log_loss,
        "brier": measures.brier,
        "calibration_error": measures.ece,
    })
}

fn quality(quality: &Quality) -> Value {
    let measures = &quality.measures;
    let recall: Vec<Value> = FALSE_POSITIVE_RATES
        .iter()
        .zip(&measures.recall_at)
        .map(|(rate, recall)| json!({ "ham_blocked_share_max": rate, "spam_caught_share": recall }))
        .collect();
    json!({
        "accuracy": measures.accuracy,
        "accuracy_interval_95": ends(quality.right),
        "spam_caught_share": measures.recall,
        "spam_caught_interval_95": ends(quality.spam_caught),
        "ham_blocked_share": measures.false_positive_rate,
        "ham_blocked_interval_95": ends(quality.ham_blocked),
        "mcc": measures.mcc,
        "auc": measures.auc,
        "auc_mean_of_groups": quality.group_auc.map(|(mean, _)| mean),
        "groups_of_both_classes": quality.group_auc.map(|(_, groups)| groups),
        "recall_at": recall,
        "log_loss_nats": measures.log_loss,
        "brier": measures.brier,
        "calibration_error": measures.ece,
    })
}

fn ends(share: Share) -> [f64; 2] {
    [share.low, share.high]
}

fn way(way: &Way) -> Value {
    let bounds = way.bounds;
    let among: Vec<Value> = bounds
        .spam_among_published()
        .iter()
        .map(|(incoming, most)| json!({ "incoming_spam_share": incoming, "spam_among_published_share_max": most }))
        .collect();
    json!({
        "publish_max": way.policy.publish_max,
        "reject_min": way.policy.reject_min,
        "spam": tally(way.seen.spam),
        "ham": tally(way.seen.ham),
        "bounds": {
            "spam_published_share_max": bounds.spam_published_max,
            "spam_rejected_share_min": bounds.spam_rejected_min,
            "ham_published_share_min": bounds.ham_published_min,
            "ham_rejected_share_max": bounds.ham_rejected_max,
        },
        "spam_among_published": among,
        "work": way.forecast.map(forecast),
    })
}

fn tally(tally: Tally) -> Value {
    json!({ "published": tally.published, "held": tally.held, "rejected": tally.rejected })
}

fn forecast(forecast: Forecast) -> Value {
    json!({
        "held_expected_per_day": forecast.expected_per_day,
        "held_low_per_day": forecast.low_per_day,
        "held_high_per_day": forecast.high_per_day,
        "level": FORECAST_LEVEL,
    })
}

fn point(point: &crate::budget::Point) -> Value {
    let certificate = &point.certificate;
    json!({
        "spam_published_share_max": certificate.budget.spam_published_max(),
        "ham_rejected_share_max": certificate.budget.ham_rejected_max(),
        "publish_max": certificate.policy.publish_max,
        "reject_min": certificate.policy.reject_min,
        "spam": tally(certificate.seen.spam),
        "ham": tally(certificate.seen.ham),
        "work": point.forecast.map(forecast),
    })
}

fn step(step: &crate::classifier::curves::Step) -> Value {
    json!({
        "examples": step.examples,
        "orders": step.orders,
        "auc_median": step.auc,
        "accuracy_median": step.accuracy,
        "log_loss_nats_median": step.log_loss,
    })
}
