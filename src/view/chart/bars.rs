//! Bars: one row a name, its words above and a bar of parts below. A name may be a stranger's; it is shortened and escaped here.

use super::{Anchor, Fill, Pen, Tone};
use crate::view::excerpt::short;
use crate::view::safe::{self, Html};

/// Left and right ends of the longest bar, and what a row takes of the height.
const LEFT: f64 = 5.0;
const RIGHT: f64 = 335.0;
const ROW: f64 = 36.0;
const THICK: f64 = 12.0;

/// So much of a name fits beside a note.
const NAME_CHARS_MAX: usize = 28;

/// What is there at all is seen.
const SLIVER: f64 = 1.5;

#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    pub name: String,
    /// At the right, above the bar: the counts in words.
    pub note: String,
    /// Lengths, in units of the longest.
    pub parts: Vec<(f64, Fill)>,
}

/// All bars, `longest` as long as the picture is wide.
pub fn bars(bars: &[Bar], longest: f64, told: &str) -> Html {
    let mut pen = Pen::new();
    let mut top = 4.0;
    for bar in bars {
        let name = short(&safe::plain(&bar.name), NAME_CHARS_MAX).dotted("…", str::to_owned);
        pen.text((LEFT, top + 12.0), Anchor::Start, Tone::Label, &name);
        pen.text((RIGHT, top + 12.0), Anchor::End, Tone::Note, &bar.note);
        let mut from = LEFT;
        for (length, fill) in &bar.parts {
            let share = if longest > 0.0 && longest.is_finite() { (length / longest).clamp(0.0, 1.0) } else { 0.0 };
            let width = if share > 0.0 { ((RIGHT - LEFT) * share).max(SLIVER).min(RIGHT - from) } else { 0.0 };
            pen.rect((from, top + 18.0), (width - 1.0, THICK), *fill);
            from += width;
        }
        top += ROW;
    }
    pen.finish(top, told)
}
