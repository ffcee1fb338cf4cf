//! Charts: small pictures of numbers as inline SVG, drawn from plain values. Each is a figure with a title, one sentence that tells the finding, and
//! its data behind it as a table, so that it reads without colour, without a picture and on paper. Colours are the stylesheet's custom properties;
//! kinds are told apart by pattern as well. What is drawn, and from what, is the pages' (see `report`, `figures`).
//!
//! Drawing is total: what is no number is not drawn, what lies beyond an axis is drawn at its end, and nothing at all says so in words.

mod bars;
mod pen;
mod plot;
mod scale;
mod table;

pub use bars::{Bar, bars};
pub use pen::{Anchor, Fill, Pen, Stroke, Tone};
pub use plot::{Plot, Tick};
pub use scale::{Scale, linear_ticks};
pub use table::Table;

use crate::view::safe::{Html, escaped};
use std::fmt::Write;

/// The patterns that fills refer to, once for each page that has charts.
pub const PATTERNS: &str = "<svg width=\"0\" height=\"0\" class=\"vh\" aria-hidden=\"true\" focusable=\"false\"><defs>\
    <pattern id=\"p-hold\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><rect width=\"6\" height=\"6\" class=\"f-hold\"/>\
    <path d=\"M-1 1l2-2M0 6l6-6M5 7l2-2\" class=\"ptl\"/></pattern>\
    <pattern id=\"p-spam\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><rect width=\"6\" height=\"6\" class=\"f-spam\"/>\
    <circle cx=\"1.5\" cy=\"1.5\" r=\".9\" class=\"f-bg\"/><circle cx=\"4.5\" cy=\"4.5\" r=\".9\" class=\"f-bg\"/></pattern></defs></svg>";

/// One chart on a page.
#[derive(Debug)]
pub struct Figure {
    pub title: String,
    /// What one sees in it, with its number.
    pub finding: String,
    /// What fills and lines mean, where they are not labelled in place.
    pub legend: Vec<(Key, String)>,
    /// None where there is nothing to draw: the finding then says why.
    pub picture: Option<Html>,
    pub table: Option<Table>,
}

/// A sign of the legend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Fill(Fill),
    Line(Stroke),
    Dot,
}

impl Figure {
    /// A place on the page where a chart would be, and why there is none.
    pub fn empty(title: &str, why: &str) -> Self {
        Self { title: title.to_owned(), finding: why.to_owned(), legend: Vec::new(), picture: None, table: None }
    }

    pub fn html(&self) -> Html {
        let mut out = String::from("<figure class=\"chart\"><figcaption>");
        // Writing to a string does not fail.
        let _ = write!(out, "<h3>{}</h3><p>{}</p></figcaption>", escaped(&self.title), escaped(&self.finding));
        if !self.legend.is_empty() {
            let entries: String = self.legend.iter().map(|(key, words)| format!("<li>{}{}</li>", key.html(), escaped(words))).collect();
            let _ = write!(out, "<ul class=\"legend\">{entries}</ul>");
        }
        if let Some(picture) = &self.picture {
            let _ = write!(out, "{picture}");
        }
        if let Some(table) = &self.table {
            let _ = write!(out, "<details><summary>As a table</summary>{}</details>", table.html());
        }
        out.push_str("</figure>");
        Html::made(out)
    }
}

impl Key {
    fn html(self) -> String {
        let sign = match self {
            Self::Fill(fill) => format!("<rect width=\"14\" height=\"14\" {}/>", fill.attribute()),
            Self::Line(stroke) => format!("<path d=\"M0 7h14\" class=\"{}\"/>", stroke.class()),
            Self::Dot => "<circle cx=\"7\" cy=\"7\" r=\"4\" class=\"f-ink\"/>".to_owned(),
        };
        format!("<svg viewBox=\"0 0 14 14\" aria-hidden=\"true\">{sign}</svg>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Figure {
        let mut plot = Plot::new(Scale::linear(0.0, 10.0), Scale::linear(0.0, 1.0));
        plot.y_ticks(&[Tick::new(0.0, "0"), Tick::new(1.0, "100 %")]);
        plot.x_ticks(&[Tick::new(0.0, "0"), Tick::new(10.0, "10")], "labels");
        plot.span(4.0, 6.0, Fill::HoldTint);
        plot.line(&[(0.0, 0.1), (5.0, 0.6), (10.0, 0.9)], Stroke::Line);
        plot.whisker(5.0, 0.5, 0.7);
        plot.dot((5.0, 0.6), 4.0, Fill::Ink);
        plot.label((5.0, 0.6), (8.0, 14.0), Anchor::Start, "a < b");
        Figure {
            title: "What \"more\" brings".to_owned(),
            finding: "It rises.".to_owned(),
            legend: vec![
                (Key::Fill(Fill::Spam), "spam".to_owned()),
                (Key::Line(Stroke::Dash), "before".to_owned()),
                (Key::Dot, "seen".to_owned()),
            ],
            picture: Some(plot.finish("A line that rises")),
            table: Some(Table {
                caption: "Found".to_owned(),
                heads: vec!["Labels".to_owned(), "Share".to_owned()],
                rows: vec![vec!["5".to_owned(), "60 %".to_owned()]],
            }),
        }
    }

    #[test]
    fn a_figure_is_drawn_the_same_every_time() {
        assert_eq!(sample().html(), sample().html());
        insta::assert_snapshot!("figure", sample().html().to_string().replace('>', ">\n"));
    }

    #[test]
    fn nothing_to_draw_is_said_in_words() {
        let html = Figure::empty("Drift", "No comment has a date.").html().to_string();
        assert!(html.contains("No comment has a date.") && !html.contains("<svg") && !html.contains("<details"), "{html}");
    }

    fn any_number() -> impl Strategy<Value = f64> {
        prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::INFINITY), Just(f64::MIN), Just(0.0), Just(1e300), -5.0..5.0]
    }

    proptest! {
        #[test]
        fn whatever_is_drawn_stays_within_the_picture(
            ends in (any_number(), any_number(), any_number(), any_number()),
            points in proptest::collection::vec((any_number(), any_number()), 0..30),
            words in "[x<&\"']{0,40}",
        ) {
            let mut plot = Plot::new(Scale::linear(ends.0, ends.1), Scale::log(ends.2, ends.3));
            plot.line(&points, Stroke::Line);
            plot.steps(&points, Stroke::Thin);
            for (x, y) in &points {
                plot.dot((*x, *y), 3.0, Fill::Spam);
                plot.column((*x, *y), (*y, *x), Fill::Hold);
                plot.whisker(*x, *y, *x);
                plot.label((*x, *y), (0.0, 0.0), Anchor::Middle, &words);
            }
            let drawn = plot.finish(&words).to_string();
            prop_assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
            for number in drawn.split(['"', ' ', 'M', 'L', '>', '<']).filter_map(|part| part.parse::<f64>().ok()) {
                prop_assert!((-20.0..=1000.0).contains(&number), "{number} in {drawn}");
            }
            let bar = |share: f64| Bar { name: words.clone(), note: words.clone(), parts: vec![(share, Fill::Ham), (ends.0, Fill::Spam)] };
            let drawn = bars(&points.iter().map(|(x, _)| bar(*x)).collect::<Vec<_>>(), ends.1, &words).to_string();
            prop_assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        }
    }
}
