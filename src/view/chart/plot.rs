//! A plot: two axes and what stands between them. All plots are of one size, so that they stand side by side.

use super::{Anchor, Fill, Pen, Scale, Stroke, Tone};
use crate::view::safe::Html;

/// The picture is 340 by 222; so much of it is between the axes.
const LEFT: f64 = 44.0;
const RIGHT: f64 = 330.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 186.0;
const HEIGHT: f64 = 222.0;

/// A tick whose words would hang over the edge is drawn inwards.
const EDGE: f64 = 16.0;

#[derive(Debug)]
pub struct Plot {
    pen: Pen,
    x: Scale,
    y: Scale,
}

/// A value on an axis and its words.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    value: f64,
    words: String,
}

impl Tick {
    pub fn new(value: f64, words: impl Into<String>) -> Self {
        Self { value, words: words.into() }
    }
}

impl Plot {
    pub fn new(x: Scale, y: Scale) -> Self {
        Self { pen: Pen::new(), x, y }
    }

    /// A line across the plot for each, with its words at the left.
    pub fn y_ticks(&mut self, ticks: &[Tick]) {
        for tick in ticks {
            let y = self.y_at(tick.value);
            self.pen.line([(LEFT, y), (RIGHT, y)], Stroke::Grid);
            self.pen.text((LEFT - 6.0, y + 4.0), Anchor::End, Tone::Note, &tick.words);
        }
    }

    /// The axis below, its ticks and what it is.
    pub fn x_ticks(&mut self, ticks: &[Tick], what: &str) {
        self.pen.line([(LEFT, BOTTOM), (RIGHT, BOTTOM)], Stroke::Axis);
        for tick in ticks {
            let x = self.x_at(tick.value);
            let anchor = match x {
                x if x < LEFT + EDGE => Anchor::Start,
                x if x > RIGHT - EDGE => Anchor::End,
                _ => Anchor::Middle,
            };
            self.pen.text((x, BOTTOM + 16.0), anchor, Tone::Note, &tick.words);
        }
        self.pen.text((RIGHT, BOTTOM + 32.0), Anchor::End, Tone::Note, what);
    }

    /// A shaded stretch of the lower axis, from top to bottom.
    pub fn span(&mut self, from: f64, to: f64, fill: Fill) {
        let (from, to) = (self.x_at(from), self.x_at(to));
        self.pen.rect((from, TOP), (to - from, BOTTOM - TOP), fill);
    }

    /// A shaded stretch of both axes.
    pub fn block(&mut self, (from, to): (f64, f64), (low, high): (f64, f64), fill: Fill) {
        let (from, to, low, high) = (self.x_at(from), self.x_at(to), self.y_at(low), self.y_at(high));
        self.pen.rect((from, high), (to - from, low - high), fill);
    }

    /// A line from top to bottom.
    pub fn limit(&mut self, x: f64, stroke: Stroke) {
        let x = self.x_at(x);
        self.pen.line([(x, TOP), (x, BOTTOM)], stroke);
    }

    /// A line from left to right.
    pub fn level(&mut self, y: f64, stroke: Stroke) {
        let y = self.y_at(y);
        self.pen.line([(LEFT, y), (RIGHT, y)], stroke);
    }

    /// From the lower axis up to a point.
    pub fn drop_line(&mut self, (x, y): (f64, f64)) {
        let (x, y) = (self.x_at(x), self.y_at(y));
        self.pen.line([(x, BOTTOM), (x, y)], Stroke::Dash);
    }

    pub fn line(&mut self, points: &[(f64, f64)], stroke: Stroke) {
        let points: Vec<_> = points.iter().map(|(x, y)| (self.x_at(*x), self.y_at(*y))).collect();
        self.pen.line(points, stroke);
    }

    /// A value holds until the next one.
    pub fn steps(&mut self, points: &[(f64, f64)], stroke: Stroke) {
        let mut corners = Vec::with_capacity(2 * points.len());
        for (x, y) in points {
            let here = (self.x_at(*x), self.y_at(*y));
            if let Some((_, before)) = corners.last() {
                corners.push((here.0, *before));
            }
            corners.push(here);
        }
        self.pen.line(corners, stroke);
    }

    /// A column over a stretch of the lower axis, between two values.
    pub fn column(&mut self, (from, to): (f64, f64), (low, high): (f64, f64), fill: Fill) {
        let (from, to, low, high) = (self.x_at(from), self.x_at(to), self.y_at(low), self.y_at(high));
        // A gap between columns, unless they are too thin for one.
        let gap = if to - from > 4.0 { 1.2 } else { 0.3 };
        self.pen.rect((from, low.min(high)), (to - from - gap, (low - high).abs()), fill);
    }

    pub fn whisker(&mut self, x: f64, low: f64, high: f64) {
        let (x, low, high) = (self.x_at(x), self.y_at(low), self.y_at(high));
        self.pen.line([(x, low), (x, high)], Stroke::Thin);
    }

    pub fn dot(&mut self, (x, y): (f64, f64), radius: f64, fill: Fill) {
        self.pen.dot((self.x_at(x), self.y_at(y)), radius, fill);
    }

    /// Words beside a point, so far away from it in the units of the picture.
    pub fn label(&mut self, (x, y): (f64, f64), (right, down): (f64, f64), anchor: Anchor, words: &str) {
        self.pen.text((self.x_at(x) + right, self.y_at(y) + down), anchor, Tone::Label, words);
    }

    /// Words above the plot, at a place of the lower axis.
    pub fn above(&mut self, x: f64, words: &str) {
        self.pen.text((self.x_at(x), TOP - 6.0), Anchor::Middle, Tone::Note, words);
    }

    pub fn finish(self, told: &str) -> Html {
        self.pen.finish(HEIGHT, told)
    }

    fn x_at(&self, value: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * self.x.share(value)
    }

    fn y_at(&self, value: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * self.y.share(value)
    }
}
