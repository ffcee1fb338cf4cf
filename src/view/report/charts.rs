//! The charts of the report: each takes its numbers and says in one sentence what one sees.

use super::{Grouping, Load, ReportPage, held, share};
use crate::classifier::curves::{Drift, LOG_ODDS_SHOWN, Step};
use crate::classifier::evaluate::{Measures, Tally};
use crate::view::chart::{Anchor, Bar, Figure, Fill, Key, Plot, Scale, Stroke, Table, Tick, bars, linear_ticks};
use crate::view::safe;
use crate::view::words::{percent, thousands};
use std::f64::consts::SQRT_2;

/// Heaps of scores: ham up, spam down, the held band shaded.
pub fn heaps(page: &ReportPage<'_>) -> Figure {
    let (seen, policy) = (page.standing.seen, page.standing.policy);
    let highest = page.heaps.iter().map(|heap| heap.spam.max(heap.ham)).max().unwrap_or(0).max(1);
    let mut plot = Plot::new(Scale::linear(-LOG_ODDS_SHOWN, LOG_ODDS_SHOWN), Scale::root(-float(highest), float(highest)));
    let (publish, reject) = (log_odds(policy.publish_max), log_odds(policy.reject_min));
    plot.span(publish, reject, Fill::HoldTint);
    for heap in page.heaps {
        plot.column((heap.from, heap.to), (0.0, float(heap.ham)), Fill::Ham);
        plot.column((heap.from, heap.to), (-float(heap.spam), 0.0), Fill::Spam);
    }
    plot.level(0.0, Stroke::Axis);
    plot.limit(publish, Stroke::Thin);
    plot.limit(reject, Stroke::Thin);
    plot.x_ticks(
        &probabilities(&[(0.001, "0.1 %"), (0.02, "2 %"), (0.5, "50 %"), (0.98, "98 %"), (0.999, "99.9 %")]),
        "probability of spam",
    );
    plot.above(f64::midpoint(publish, reject), "held");
    let top = float(highest);
    plot.label((LOG_ODDS_SHOWN, top), (0.0, 14.0), Anchor::End, &format!("{} ham ↑", thousands(seen.ham.comments())));
    plot.label((-LOG_ODDS_SHOWN, -top), (0.0, -6.0), Anchor::Start, &format!("{} spam ↓", thousands(seen.spam.comments())));
    let (held_count, all) = (seen.spam.held + seen.ham.held, seen.spam.comments() + seen.ham.comments());
    let rows = page.heaps.iter().map(|heap| vec![between(heap.from, heap.to), thousands(heap.ham), thousands(heap.spam)]);
    let told = "Histogram of scores: ham upwards, spam downwards, the band that goes to people shaded between";
    Figure {
        title: "Scores, with the band".to_owned(),
        finding: format!(
            "{} of {} go to people: {}. Most scores between the lines, and some beside them that the judge doubts. Heights are square roots.",
            thousands(held_count),
            thousands(all),
            percent(held(seen))
        ),
        legend: vec![(Key::Fill(Fill::Ham), "ham".to_owned()), (Key::Fill(Fill::Spam), "spam".to_owned())],
        picture: Some(plot.finish(told)),
        table: Some(Table::new("Comments by score", &["Score", "Ham", "Spam"], rows.collect())),
    }
}

/// The left edge of the curve on a logarithmic axis: no one would run the rest.
pub fn roc(page: &ReportPage<'_>) -> Figure {
    let (spam, ham) = page.judged;
    let rate_min = (1.0 / float(ham.max(1))).clamp(0.0005, 0.05);
    let found_at =
        |rate: f64| share(page.thresholds.iter().take_while(|at| share(at.ham, ham) <= rate + 1e-12).last().map_or(0, |at| at.spam), spam);
    let floor = floor_of(found_at(rate_min), &[0.8, 0.6, 0.4, 0.2]);
    let mut plot = Plot::new(Scale::log(rate_min, 1.0), Scale::linear(floor, 1.0));
    plot.y_ticks(&shares(&[floor, f64::midpoint(floor, 1.0), 1.0]));
    let ticks = [0.001, 0.005, 0.02, 0.1, 1.0].into_iter().filter(|rate| *rate >= rate_min);
    plot.x_ticks(&shares(&ticks.collect::<Vec<_>>()), "ham taken for spam, log scale");
    let points: Vec<_> =
        std::iter::once((0.0, 0.0)).chain(page.thresholds.iter().map(|at| (share(at.ham, ham), share(at.spam, spam)))).collect();
    plot.line(&points, Stroke::Line);
    let chosen = (0.005, found_at(0.005));
    if chosen.0 >= rate_min {
        plot.drop_line(chosen);
        plot.dot(chosen, 5.0, Fill::Ink);
        let down = if chosen.1 - floor < 0.3 * (1.0 - floor) { -12.0 } else { 22.0 };
        plot.label(chosen, (8.0, down), Anchor::Start, &format!("{} at 0.5 %", percent(chosen.1)));
    }
    let rows = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1].into_iter().map(|rate| vec![percent(rate), percent(found_at(rate))]);
    Figure {
        title: "ROC".to_owned(),
        finding: format!(
            "A spam scores above a ham {} of the time. The left edge is enlarged, since nobody would run the right one.",
            percent(page.measures.auc)
        ),
        legend: Vec::new(),
        picture: Some(plot.finish(&format!("ROC curve on a logarithmic axis: {} of spam found at 0.5 % of ham lost", percent(chosen.1)))),
        table: Some(Table::new("Spam found at a rate of ham taken for spam", &["Ham taken for spam", "Spam found"], rows.collect())),
    }
}

pub fn precision_recall(page: &ReportPage<'_>) -> Figure {
    let spam = page.judged.0;
    let point = |spam_called: usize, ham_called: usize| (share(spam_called, spam), share(spam_called, spam_called + ham_called));
    let points: Vec<_> = page.thresholds.iter().map(|at| point(at.spam, at.ham)).collect();
    let precision_at = |recall: f64| points.iter().find(|(found, _)| *found >= recall - 1e-12).map_or(0.0, |(_, precision)| *precision);
    let floor = floor_of(precision_at(0.98), &[0.9, 0.8, 0.5]);
    let seen = page.standing.seen;
    let chosen = point(seen.spam.rejected, seen.ham.rejected);
    let left = floor_of(chosen.0 - 0.05, &[0.7, 0.5, 0.2]);
    let mut plot = Plot::new(Scale::linear(left, 1.0), Scale::linear(floor, 1.0));
    plot.y_ticks(&shares(&[floor, f64::midpoint(floor, 1.0), 1.0]));
    plot.x_ticks(&shares(&[left, f64::midpoint(left, 1.0), 1.0]), "recall: spam found");
    let shown: Vec<_> = points.iter().copied().filter(|(found, _)| *found >= left).collect();
    plot.line(&shown, Stroke::Line);
    if seen.spam.rejected > 0 {
        plot.dot(chosen, 5.0, Fill::Ink);
        let (right, anchor) = if chosen.0 - left < 0.3 * (1.0 - left) { (0.0, Anchor::Start) } else { (0.0, Anchor::Middle) };
        plot.label(chosen, (right, 24.0), anchor, &format!("rejected: {} of spam", percent(chosen.0)));
    }
    let rows = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99].into_iter().map(|recall| vec![percent(recall), percent(precision_at(recall))]);
    Figure {
        title: "Precision and recall".to_owned(),
        finding: format!(
            "Of what is rejected {} is spam, at {} of spam in these comments.{}",
            percent(chosen.1),
            percent(share(spam, spam + page.judged.1)),
            if floor > 0.0 || left > 0.0 { " The axes are cut to the corner that matters." } else { "" }
        ),
        legend: Vec::new(),
        picture: Some(plot.finish(&format!(
            "Precision against recall; where comments are rejected, recall {}, precision {}",
            percent(chosen.0),
            percent(chosen.1)
        ))),
        table: Some(Table::new("Precision at recall", &["Recall", "Precision"], rows.collect())),
    }
}

/// People's load against the errors let through, with the budget's point.
pub fn load(page: &ReportPage<'_>) -> Figure {
    const TITLE: &str = "People's load against errors let through";
    let Some((first, last)) = page.load.first().zip(page.load.last()) else {
        return Figure::empty(TITLE, "These labels carry no budget yet, so there is nothing to choose between.");
    };
    let most = page.load.iter().map(|load| held(load.seen)).fold(0.01, f64::max);
    let ticks = linear_ticks(most, 4, 0.001);
    let top = ticks.last().copied().unwrap_or(1.0);
    let mut plot = Plot::new(Scale::log(first.spam_published_max / SQRT_2, 0.1 * SQRT_2), Scale::linear(0.0, top));
    plot.y_ticks(&shares(&ticks));
    let marks = [0.001, 0.003, 0.01, 0.03, 0.1].into_iter().filter(|share| *share >= first.spam_published_max / SQRT_2);
    plot.x_ticks(&shares(&marks.collect::<Vec<_>>()), "budget: spam published at most, log scale");
    let points: Vec<_> = page.load.iter().map(|load| (load.spam_published_max, held(load.seen))).collect();
    plot.steps(&points, Stroke::Line);
    points.iter().for_each(|point| plot.dot(*point, 3.0, Fill::Ink));
    let chosen = page.load.iter().find(|load| load.is_chosen);
    if let Some(chosen) = chosen {
        let at = (chosen.spam_published_max, held(chosen.seen));
        plot.drop_line(at);
        plot.dot(at, 6.0, Fill::Hold);
        plot.label(at, (10.0, -10.0), Anchor::Start, &format!("the budget: {} held", percent(at.1)));
    }
    let rows = page.load.iter().map(|load| {
        let Load { seen, .. } = load;
        let held_count = thousands(seen.spam.held + seen.ham.held);
        vec![
            percent(load.spam_published_max),
            thousands(seen.spam.published),
            thousands(seen.ham.rejected),
            held_count,
            percent(held(*seen)),
        ]
    });
    let finding = match chosen {
        Some(chosen) => format!(
            "A stricter budget costs reading: {} of all comments at {} of spam published, {} at {}.",
            percent(held(chosen.seen)),
            percent(chosen.spam_published_max),
            percent(held(first.seen)),
            percent(first.spam_published_max)
        ),
        None => format!("The budget itself is not certified yet; from {} on one would be.", percent(first.spam_published_max)),
    };
    let told =
        format!("Falling steps: {} held at the strictest budget, {} at the loosest", percent(held(first.seen)), percent(held(last.seen)));
    Figure {
        title: TITLE.to_owned(),
        finding,
        legend: Vec::new(),
        picture: Some(plot.finish(&told)),
        table: Some(Table::new("Held at each budget", &["Budget", "Spam published", "Ham rejected", "Held", "Share"], rows.collect())),
    }
}

/// Whether 5 % means 5 %.
pub fn reliability(page: &ReportPage<'_>) -> Figure {
    let axis = Scale::linear(-LOG_ODDS_SHOWN, LOG_ODDS_SHOWN);
    let mut plot = Plot::new(axis, axis);
    let ticks = probabilities(&[(0.001, "0.1 %"), (0.05, "5 %"), (0.5, "50 %"), (0.95, "95 %"), (0.999, "99.9 %")]);
    plot.y_ticks(&ticks);
    plot.x_ticks(&ticks, "probability of spam that was said");
    plot.line(&[(-LOG_ODDS_SHOWN, -LOG_ODDS_SHOWN), (LOG_ODDS_SHOWN, LOG_ODDS_SHOWN)], Stroke::Dash);
    for kept in page.reliability {
        let x = log_odds(kept.said);
        plot.whisker(x, log_odds(kept.low), log_odds(kept.high));
        let radius = 3.0 + float(kept.comments).log10().clamp(0.0, 3.0) * 0.8;
        plot.dot((x, log_odds(share(kept.spam, kept.comments))), radius, Fill::Ink);
        plot.above(x, &compact(kept.comments));
    }
    let rows = page.reliability.iter().map(|kept| {
        vec![
            percent(kept.said),
            percent(share(kept.spam, kept.comments)),
            thousands(kept.spam),
            thousands(kept.comments),
            format!("{} to {}", percent(kept.low), percent(kept.high)),
        ]
    });
    let within = page.reliability.iter().filter(|kept| (kept.low..=kept.high).contains(&kept.said)).count();
    Figure {
        title: "Reliability".to_owned(),
        finding: format!(
            "When it says 5 %, is it 5 %? {within} of {} heaps agree within their 90 % whiskers; the mean gap is {:.3}. Counts stand above.",
            page.reliability.len(),
            page.measures.ece
        ),
        legend: vec![(Key::Dot, "what came".into()), (Key::Line(Stroke::Dash), "what was said".into())],
        picture: Some(plot.finish("Reliability diagram on axes of log-odds: on the dashed diagonal what is said is what comes")),
        table: Some(Table::new("Said and found", &["Said", "Found", "Spam", "Of", "90 % interval"], rows.collect())),
    }
}

pub fn learning(steps: &[Step]) -> Figure {
    const TITLE: &str = "Learning curve";
    let Some((first, last)) = steps.first().zip(steps.last()) else {
        return Figure::empty(TITLE, "Not measured: it takes a second round of training. Ask for it with --learning-curve.");
    };
    let worst = steps.iter().map(|step| step.auc).fold(1.0, f64::min);
    let floor = floor_of(worst, &[0.98, 0.95, 0.9, 0.8, 0.7, 0.5]);
    let mut plot = Plot::new(Scale::log(float(first.examples), float(last.examples)), Scale::linear(floor, 1.0));
    plot.y_ticks(
        &[floor, f64::midpoint(floor, 1.0), 1.0]
            .map(|area| Tick::new(area, format!("{area:.3}").trim_end_matches('0').trim_end_matches('.'))),
    );
    let ticks: Vec<Tick> = steps.iter().map(|step| Tick::new(float(step.examples), thousands(step.examples))).collect();
    let each = ticks.len().div_ceil(5);
    let ticks: Vec<Tick> = ticks.into_iter().rev().step_by(each.max(1)).collect();
    plot.x_ticks(&ticks, "labels, log scale");
    let points: Vec<_> = steps.iter().map(|step| (float(step.examples), step.auc)).collect();
    plot.line(&points, Stroke::Line);
    points.iter().for_each(|point| plot.dot(*point, 3.0, Fill::Ink));
    let rows = steps.iter().map(|step| {
        vec![
            thousands(step.examples),
            format!("{:.4}", step.auc),
            percent(step.accuracy),
            format!("{:.4}", step.log_loss),
            step.orders.to_string(),
        ]
    });
    Figure {
        title: TITLE.to_owned(),
        finding: format!(
            "Area under ROC: {:.3} from {} labels, {:.3} from {}. Medians of five draws, each judging the rest.",
            first.auc,
            thousands(first.examples),
            last.auc,
            thousands(last.examples)
        ),
        legend: Vec::new(),
        picture: Some(plot.finish(&format!("The area under ROC rises from {:.3} to {:.3} with the number of labels", first.auc, last.auc))),
        table: Some(Table::new("What more labels bring", &["Labels", "Area", "Right", "Log loss", "Draws"], rows.collect())),
    }
}

pub fn drift(drift: Option<&Drift>, measures: &Measures) -> Figure {
    const TITLE: &str = "Drift over time";
    let Some((drift, (first, last))) = drift.and_then(|drift| Some((drift, drift.periods.first().zip(drift.periods.last())?))) else {
        return Figure::empty(TITLE, "The comments carry no dates that can be read, or are all of one week.");
    };
    let most = drift.periods.iter().map(|period| period.log_loss).fold(measures.log_loss, f64::max);
    let ticks = linear_ticks((most * 1.2).min(3.0), 3, 0.001);
    let day = |at: crate::clock::Timestamp| float(usize::try_from(at.seconds().max(0) / 86_400).unwrap_or(0));
    let mut plot =
        Plot::new(Scale::linear(day(first.start) - 2.0, day(last.start) + 2.0), Scale::linear(0.0, ticks.last().copied().unwrap_or(1.0)));
    plot.y_ticks(&ticks.iter().map(|loss| Tick::new(*loss, format!("{loss:.2}"))).collect::<Vec<_>>());
    let each = drift.periods.len().div_ceil(3).max(1);
    let ticks: Vec<Tick> = drift.periods.iter().step_by(each).map(|period| Tick::new(day(period.start), period.start.month())).collect();
    plot.x_ticks(&ticks, if drift.weeks == 1 { "week" } else { "weeks" });
    plot.level(measures.log_loss, Stroke::Dash);
    plot.line(&drift.periods.iter().map(|period| (day(period.start), period.log_loss)).collect::<Vec<_>>(), Stroke::Thin);
    for period in &drift.periods {
        plot.whisker(day(period.start), period.low, period.high);
        plot.dot((day(period.start), period.log_loss), 3.5, Fill::Ink);
    }
    let worst = drift.periods.iter().max_by(|a, b| a.log_loss.total_cmp(&b.log_loss)).unwrap_or(first);
    let step = if drift.weeks == 1 { "a week".to_owned() } else { format!("in steps of {} weeks", drift.weeks) };
    let rows = drift.periods.iter().map(|period| {
        let interval = format!("{:.3} to {:.3}", period.low, period.high);
        vec![period.start.date(), thousands(period.spam), thousands(period.ham), format!("{:.3}", period.log_loss), interval]
    });
    Figure {
        title: TITLE.to_owned(),
        finding: format!(
            "Log loss {step}, less is better, whiskers 90 %, the dashed line is the whole: {:.3}. Worst from {}: {:.3}.",
            measures.log_loss,
            worst.start.date(),
            worst.log_loss
        ),
        legend: vec![(Key::Dot, "each time".into()), (Key::Line(Stroke::Dash), "the whole".into())],
        picture: Some(plot.finish(&format!("Log loss over time, worst from {} on", worst.start.date()))),
        table: Some(Table::new("Log loss over time", &["From", "Spam", "Ham", "Log loss", "90 % interval"], rows.collect())),
    }
}

/// The same comments by where they are from: what happens to each, and what goes wrong.
pub fn grouping(grouping: &Grouping) -> Figure {
    let shares = |ham: Tally, spam: Tally| {
        let all = float((ham.comments() + spam.comments()).max(1));
        let part = |n: usize| float(n) / all;
        vec![
            (part(ham.published + spam.published), Fill::Ham),
            (part(ham.held + spam.held), Fill::Hold),
            (part(ham.rejected + spam.rejected), Fill::Spam),
        ]
    };
    let bar = |member: &super::Member| Bar {
        name: member.name.clone(),
        note: format!("{} spam through, {} ham lost", thousands(member.seen.spam.published), thousands(member.seen.ham.rejected)),
        parts: shares(member.seen.ham, member.seen.spam),
    };
    let rows = grouping.members.iter().map(|member| {
        let (spam, ham) = (member.seen.spam, member.seen.ham);
        vec![
            safe::plain(&member.name),
            thousands(ham.comments()),
            thousands(ham.rejected),
            thousands(spam.comments()),
            thousands(spam.published),
            percent(held(member.seen)),
            member.auc.map_or_else(|| "–".to_owned(), |auc| format!("{auc:.4}")),
        ]
    });
    let (low, high) = grouping
        .members
        .iter()
        .map(|member| held(member.seen))
        .fold((1.0, 0.0), |(low, high), held| (f64::min(low, held), f64::max(high, held)));
    let drawn: Vec<Bar> = grouping.members.iter().map(bar).collect();
    Figure {
        title: format!("By {}", grouping.by),
        finding: format!("People are asked about {} to {} of the comments.", percent(low), percent(high)),
        legend: vec![
            (Key::Fill(Fill::Ham), "published".into()),
            (Key::Fill(Fill::Hold), "held".into()),
            (Key::Fill(Fill::Spam), "rejected".into()),
        ],
        picture: Some(bars(&drawn, 1.0, "One bar each: the shares that are published, held and rejected")),
        table: Some(Table::new(
            &format!("By {}", grouping.by),
            &["Which", "Ham", "Lost", "Spam", "Through", "Held", "Area"],
            rows.collect(),
        )),
    }
}

fn probabilities(ticks: &[(f64, &str)]) -> Vec<Tick> {
    ticks.iter().map(|(probability, words)| Tick::new(log_odds(*probability), *words)).collect()
}

fn shares(values: &[f64]) -> Vec<Tick> {
    values.iter().map(|value| Tick::new(*value, percent(*value))).collect()
}

/// Where a probability stands on an axis of log-odds; the ends of the axis for 0, 1 and beyond.
fn log_odds(probability: f64) -> f64 {
    let shown = crate::decision::logistic(LOG_ODDS_SHOWN);
    let probability = probability.clamp(1.0 - shown, shown);
    (probability / (1.0 - probability)).ln()
}

/// The highest of `floors` that lies below a value, else zero: an axis is cut where nothing stands.
fn floor_of(value: f64, floors: &[f64]) -> f64 {
    floors.iter().copied().find(|floor| *floor <= value).unwrap_or(0.0)
}

/// `160`, `1.6k`: counts that stand side by side above a plot.
fn compact(count: usize) -> String {
    if count < 1000 { count.to_string() } else { format!("{:.1}k", float(count) / 1000.0) }
}

/// The ends of a heap as probabilities.
fn between(from: f64, to: f64) -> String {
    let edge = |log_odds: f64| {
        let share = crate::decision::logistic(log_odds);
        let digits = if share.min(1.0 - share) < 0.005 { 3 } else { 1 };
        format!("{:.digits$}", 100.0 * share)
    };
    format!("{} to {} %", edge(from), edge(to))
}

#[expect(clippy::cast_precision_loss, reason = "counts of comments are far below 2^52")]
fn float(count: usize) -> f64 {
    count as f64
}
