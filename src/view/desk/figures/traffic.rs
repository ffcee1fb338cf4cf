//! Charts of what came and what the machine made of it.

use super::{DayCounts, FiguresPage, ScoreHeap, float, number};
use crate::budget::workload::Forecast;
use crate::decision::logistic;
use crate::view::chart::{Bar, Figure, Fill, Key, Plot, Scale, Stroke, Table, Tick, bars, linear_ticks};
use crate::view::safe;
use crate::view::words::percent;

/// Reasons drawn; the table has all.
const REASONS_MAX: usize = 6;

impl FiguresPage<'_> {
    pub(super) fn comments_a_day(&self) -> Figure {
        const TITLE: &str = "Comments a day";
        let all = |day: &DayCounts| day.published + day.held + day.rejected;
        let Some(peak) = self.days.iter().max_by_key(|day| all(day)).filter(|day| all(day) > 0) else {
            return Figure::empty(TITLE, "No comment came in these days.");
        };
        let mut plot = self.plot(float(all(peak)));
        for (at, day) in (0_u32..).zip(self.days) {
            let place = (f64::from(at), f64::from(at) + 1.0);
            let (published, held, all) = (float(day.published), float(day.published + day.held), float(all(day)));
            plot.column(place, (0.0, published), Fill::Ham);
            plot.column(place, (published, held), Fill::Hold);
            plot.column(place, (held, all), Fill::Spam);
        }
        let [published, held, rejected] = [self.sum(|day| day.published), self.sum(|day| day.held), self.sum(|day| day.rejected)];
        let row = |day: &DayCounts| vec![day.day.date(), number(day.published), number(day.held), number(day.rejected)];
        let told =
            format!("Stacked columns, one a day: published, held and rejected; the most, {}, on {}", number(all(peak)), peak.day.day());
        Figure {
            title: TITLE.to_owned(),
            finding: format!(
                "{} in {} days, by what the machine said; the most on {}: {}.",
                number(published + held + rejected),
                self.days.len(),
                peak.day.day(),
                number(all(peak))
            ),
            legend: vec![
                (Key::Fill(Fill::Ham), format!("published {}", number(published))),
                (Key::Fill(Fill::Hold), format!("held {}", number(held))),
                (Key::Fill(Fill::Spam), format!("rejected {}", number(rejected))),
            ],
            picture: Some(plot.finish(&told)),
            table: Some(Table::new(
                "Comments a day by verdict",
                &["Day", "Published", "Held", "Rejected"],
                self.days.iter().map(row).collect(),
            )),
        }
    }

    /// People's load beside what was forecast when the model was measured.
    pub(super) fn held_a_day(&self) -> Figure {
        const TITLE: &str = "Held a day, and what was forecast";
        let most = self.days.iter().map(|day| day.held).max().unwrap_or(0);
        if most == 0 {
            return Figure::empty(TITLE, "Nothing was held in these days.");
        }
        let forecast = self.budget.forecast();
        let high = forecast.map_or(0.0, |forecast| f64::from(forecast.high_per_day));
        let mut plot = self.plot(float(most).max(high));
        let end = f64::from(u32::try_from(self.days.len()).unwrap_or(u32::MAX));
        if let Some(forecast) = forecast {
            plot.block((0.0, end), (f64::from(forecast.low_per_day), high), Fill::HoldTint);
            plot.level(forecast.expected_per_day, Stroke::Dash);
        }
        let points: Vec<_> = (0_u32..).zip(self.days).map(|(at, day)| (f64::from(at) + 0.5, float(day.held))).collect();
        plot.line(&points, Stroke::Thin);
        points.iter().for_each(|point| plot.dot(*point, 3.0, Fill::Ink));
        let finding = match forecast {
            Some(forecast) => {
                let within = |day: &&DayCounts| (u64::from(forecast.low_per_day)..=u64::from(forecast.high_per_day)).contains(&day.held);
                let within = self.days.iter().filter(within).count();
                format!(
                    "{within} of {} days within the forecast of four days of five; about {:.0} a day were expected.",
                    self.days.len(),
                    forecast.expected_per_day
                )
            }
            None => format!("At most {} a day. There is no forecast: no model was measured on this site.", number(most)),
        };
        let mut legend = vec![(Key::Dot, "held".to_owned())];
        if forecast.is_some() {
            legend.extend([(Key::Line(Stroke::Dash), "forecast".to_owned()), (Key::Fill(Fill::HoldTint), "four days of five".to_owned())]);
        }
        let expected = forecast.map(|forecast| (format!("{:.0}", forecast.expected_per_day), within(&forecast)));
        let row = |day: &DayCounts| {
            let (about, between) = expected.clone().unwrap_or_else(|| ("none".to_owned(), "none".to_owned()));
            vec![day.day.date(), number(day.held), about, between]
        };
        Figure {
            title: TITLE.to_owned(),
            finding,
            legend,
            picture: Some(plot.finish("Line of held comments a day, beside the forecast where there is one")),
            table: Some(Table::new(
                "Held comments a day",
                &["Day", "Held", "Forecast", "Four days of five"],
                self.days.iter().map(row).collect(),
            )),
        }
    }

    pub(super) fn scores(&self) -> Figure {
        const TITLE: &str = "Where the scores fall";
        let all = |heap: &ScoreHeap| heap.published + heap.held + heap.rejected;
        let (Some(first), Some(last)) = (self.heaps.first(), self.heaps.last()) else {
            return Figure::empty(TITLE, "No comment of these days has a score.");
        };
        let most = float(self.heaps.iter().map(all).max().unwrap_or(0));
        let mut plot = Plot::new(Scale::linear(first.from, last.to), Scale::root(0.0, most));
        for heap in self.heaps {
            let (place, published, held) = ((heap.from, heap.to), float(heap.published), float(heap.published + heap.held));
            plot.column(place, (0.0, published), Fill::Ham);
            plot.column(place, (published, held), Fill::Hold);
            plot.column(place, (held, float(all(heap))), Fill::Spam);
        }
        plot.x_ticks(&[Tick::new(first.from, "surely ham"), Tick::new(0.0, "even"), Tick::new(last.to, "surely spam")], "");
        let scored: u64 = self.heaps.iter().map(all).sum();
        let held: u64 = self.heaps.iter().map(|heap| heap.held).sum();
        let odds = |log_odds: f64| percent(logistic(log_odds));
        let row = |heap: &ScoreHeap| {
            let between = format!("{} to {}", odds(heap.from), odds(heap.to));
            vec![between, number(heap.published), number(heap.held), number(heap.rejected)]
        };
        Figure {
            title: TITLE.to_owned(),
            finding: format!(
                "Of the latest {} with a score {} were held. Heights are square roots, so that the small can be seen.",
                number(scored),
                number(held)
            ),
            legend: vec![
                (Key::Fill(Fill::Ham), "published".to_owned()),
                (Key::Fill(Fill::Hold), "held".to_owned()),
                (Key::Fill(Fill::Spam), "rejected".to_owned()),
            ],
            picture: Some(plot.finish("Histogram of scores from surely ham to surely spam, by what was decided")),
            table: Some(Table::new(
                "Comments by probability of spam",
                &["Probability", "Published", "Held", "Rejected"],
                self.heaps.iter().filter(|heap| all(heap) > 0).map(row).collect(),
            )),
        }
    }

    pub(super) fn reasons(&self) -> Figure {
        const TITLE: &str = "Why comments were held";
        let Some(most) = self.reasons.iter().map(|(_, count)| *count).max().filter(|most| *most > 0) else {
            return Figure::empty(TITLE, "Nothing was held in these days.");
        };
        let drawn: Vec<Bar> = self
            .reasons
            .iter()
            .take(REASONS_MAX)
            .map(|(reason, count)| Bar { name: reason.clone(), note: number(*count), parts: vec![(float(*count), Fill::Hold)] })
            .collect();
        let rows = self.reasons.iter().map(|(reason, count)| vec![safe::plain(reason), number(*count)]);
        Figure {
            title: TITLE.to_owned(),
            finding: format!(
                "Of the latest {} that were held, each reason in the words of its last time. One comment may have more than one.",
                number(self.held_read)
            ),
            legend: Vec::new(),
            picture: Some(bars(&drawn, float(most), "One bar for each reason: how many comments it held")),
            table: Some(Table::new("Reasons that held comments", &["Reason", "Comments"], rows.collect())),
        }
    }

    /// A place for each day, and so much height.
    fn plot(&self, most: f64) -> Plot {
        let days = f64::from(u32::try_from(self.days.len()).unwrap_or(u32::MAX));
        let ticks = linear_ticks(most, 3, 1.0);
        let mut plot = Plot::new(Scale::linear(0.0, days), Scale::linear(0.0, ticks.last().copied().unwrap_or(1.0)));
        plot.y_ticks(&ticks.iter().map(|tick| Tick::new(*tick, format!("{tick:.0}"))).collect::<Vec<_>>());
        let each = self.days.len().div_ceil(4).max(1);
        let ticks: Vec<Tick> = (0_u32..).zip(self.days).step_by(each).map(|(at, day)| Tick::new(f64::from(at), day.day.day())).collect();
        plot.x_ticks(&ticks, "");
        plot
    }
}

fn within(forecast: &Forecast) -> String {
    format!("{} to {}", forecast.low_per_day, forecast.high_per_day)
}
