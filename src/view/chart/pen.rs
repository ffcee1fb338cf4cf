//! The pen: shapes and words as SVG text, in the units of the picture. Fills and strokes are classes of the stylesheet, so that they follow light, dark
//! and paper by themselves.

use crate::view::safe::{Html, escaped};
use std::fmt::Write;

/// Ham is solid, held hatched, spam dotted: told apart without colour too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    Ham,
    Hold,
    Spam,
    Ink,
    HoldTint,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    Line,
    Thin,
    Dash,
    Axis,
    Grid,
}

/// Which end of the words stands at the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A label says what one sees, a note what an axis means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Label,
    Note,
}

/// Points nearer to the last one drawn than this are not seen apart, neither on a screen nor on paper.
const APART_MIN: f64 = 0.3;

/// Beyond this lies nothing that anybody sees: numbers stay short.
const FAR: f64 = 1000.0;

#[derive(Debug)]
pub struct Pen {
    out: String,
}

impl Fill {
    pub(super) fn attribute(self) -> &'static str {
        match self {
            Self::Ham => "class=\"f-ham\"",
            Self::Hold => "fill=\"url(#p-hold)\"",
            Self::Spam => "fill=\"url(#p-spam)\"",
            Self::Ink => "class=\"f-ink\"",
            Self::HoldTint => "class=\"band\"",
        }
    }
}

impl Stroke {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Line => "l",
            Self::Thin => "l thin",
            Self::Dash => "l dash",
            Self::Axis => "ax",
            Self::Grid => "gr",
        }
    }
}

impl Pen {
    /// A picture 340 wide: readable on a phone and in a column of three.
    pub fn new() -> Self {
        Self { out: String::new() }
    }

    /// From a corner; what has no extent is not drawn.
    pub fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), fill: Fill) {
        if [x, y].iter().all(|at| at.is_finite()) && width > 0.0 && height > 0.0 {
            let (x, y, width, height) = (short(x), short(y), short(width), short(height));
            self.push(format_args!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {}/>", fill.attribute()));
        }
    }

    pub fn dot(&mut self, (x, y): (f64, f64), radius: f64, fill: Fill) {
        if x.is_finite() && y.is_finite() {
            self.push(format_args!("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {}/>", short(x), short(y), short(radius), fill.attribute()));
        }
    }

    pub fn line(&mut self, points: impl IntoIterator<Item = (f64, f64)>, stroke: Stroke) {
        let points = thinned(points.into_iter().filter(|(x, y)| x.is_finite() && y.is_finite()));
        if points.len() > 1 {
            self.push(format_args!("<path d=\"{}\" class=\"{}\"/>", path(&points), stroke.class()));
        }
    }

    pub fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, tone: Tone, words: &str) {
        if !(x.is_finite() && y.is_finite()) || words.is_empty() {
            return;
        }
        let class = match (anchor, tone) {
            (Anchor::Start, Tone::Note) => "",
            (Anchor::Start, Tone::Label) => " class=\"lab\"",
            (Anchor::Middle, Tone::Note) => " class=\"m\"",
            (Anchor::Middle, Tone::Label) => " class=\"m lab\"",
            (Anchor::End, Tone::Note) => " class=\"e\"",
            (Anchor::End, Tone::Label) => " class=\"e lab\"",
        };
        self.push(format_args!("<text x=\"{}\" y=\"{}\"{class}>{}</text>", short(x), short(y), escaped(words)));
    }

    /// The picture, with what a screen reader says of it.
    pub fn finish(self, height: f64, told: &str) -> Html {
        let height = short(height);
        Html::made(format!("<svg viewBox=\"0 0 340 {height}\" role=\"img\" aria-label=\"{}\">{}</svg>", escaped(told), self.out))
    }

    fn push(&mut self, part: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.out.write_fmt(part);
    }
}

fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        let _ = write!(path, "{}{} {}", if at == 0 { "M" } else { "L" }, short(*x), short(*y));
    }
    path
}

/// Without points that nobody sees: too near to the last one, or on the straight way between two others.
fn thinned(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    let near = |a: f64, b: f64| (a - b).abs() < APART_MIN;
    let mut points = points.peekable();
    while let Some(point) = points.next() {
        let is_last = points.peek().is_none();
        match kept.as_slice() {
            [.., last] if near(last.0, point.0) && near(last.1, point.1) && !is_last => continue,
            [.., before, last] if near(before.0, point.0) && near(last.0, point.0) || near(before.1, point.1) && near(last.1, point.1) => {
                kept.pop();
            }
            _ => {}
        }
        kept.push(point);
    }
    kept
}

/// One digit after the point, and none where it is zero.
fn short(value: f64) -> String {
    let text = format!("{:.1}", value.clamp(-FAR, FAR));
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_not_drawn() {
        let mut pen = Pen::new();
        pen.rect((1.0, 1.0), (0.0, 5.0), Fill::Ham);
        pen.rect((f64::NAN, 1.0), (5.0, 5.0), Fill::Ham);
        pen.line([(1.0, 1.0)], Stroke::Line);
        pen.text((1.0, f64::INFINITY), Anchor::Start, Tone::Note, "lost");
        let drawn = pen.finish(10.0, "").to_string();
        assert!(drawn.ends_with("aria-label=\"\"></svg>"), "{drawn}");
    }

    #[test]
    fn a_thousand_points_of_one_step_are_three() {
        let step = (0..500).map(|n| (f64::from(n) / 10.0, 10.0)).chain((0..500).map(|n| (50.0, 10.0 + f64::from(n) / 10.0)));
        let mut pen = Pen::new();
        pen.line(step, Stroke::Line);
        let drawn = pen.finish(10.0, "").to_string();
        assert!(drawn.matches('L').count() <= 3, "{drawn}");
    }
}
