//! What was decided without a person, to look through; and the day's end, when nothing waits.

use super::line::{WIDTH, place};
use super::{Around, Frame, Toast, ToastShown, line, number, typed};
use crate::clock::Timestamp;
use crate::comment::Comment;
use crate::decision::{Decision, Status};
use crate::view::safe::Html;
use crate::view::{action, rendered, words};
use askama::Template;
use std::collections::HashMap;
use std::fmt::Write as _;

/// One automatic decision.
#[derive(Debug, Clone, Copy)]
pub struct Automatic<'a> {
    pub comment: &'a Comment,
    pub decision: &'a Decision,
    pub status: Status,
}

/// `/desk/audit`.
#[derive(Debug, Clone, Copy)]
pub struct AuditPage<'a> {
    pub frame: Frame<'a>,
    /// The newest first.
    pub rows: &'a [Automatic<'a>],
    /// Only what stood near a threshold.
    pub which: Which,
    /// The page after this one, as a path.
    pub earlier: Option<&'a str>,
    /// Second looks that were answered, and those that differed from the first.
    pub second_looks: (usize, usize),
    pub now: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    All,
    NearTheLine,
}

/// `/desk/` when nothing waits.
#[derive(Debug, Clone, Copy)]
pub struct RestPage<'a> {
    pub frame: Frame<'a>,
    /// What was decided without a person in the last 24 hours, as far as it is drawn.
    pub today: &'a [Automatic<'a>],
    /// The search, where there was one and it found nothing.
    pub query: &'a str,
    /// It stopped after so many, with more to look through; none where it saw all.
    pub searched: Option<usize>,
    pub toast: Option<Toast<'a>>,
    pub undone: usize,
}

impl Automatic<'_> {
    /// Whether little more would have put it before a person.
    pub fn is_near_the_line(&self) -> bool {
        self.decision.is_near_the_line()
    }

    fn shown(&self, now: Timestamp) -> RowShown {
        let (band_class, cells) = action::band(Some(self.decision.band));
        RowShown {
            path: format!("/desk/c/{}", self.comment.id),
            status: if self.status == Status::Published { "published" } else { "rejected" },
            band: words::band(Some(self.decision.band)),
            band_class,
            cells,
            is_near: self.is_near_the_line(),
            name: line(words::name(self.comment), 40),
            body: line(&self.comment.body, 140),
            page: line(words::page(self.comment), 60),
            age: words::span(self.comment.received_at, now),
        }
    }
}

impl AuditPage<'_> {
    pub fn render(&self) -> String {
        let (answered, differing) = self.second_looks;
        rendered(&Audit {
            around: self.frame.around(),
            rows: self.rows.iter().map(|row| row.shown(self.now)).collect(),
            is_near: self.which == Which::NearTheLine,
            earlier: self.earlier.map(str::to_owned),
            answered,
            differing,
        })
    }
}

impl RestPage<'_> {
    pub fn render(&self) -> String {
        let of = |status| self.today.iter().filter(|row| row.status == status).count();
        let (published, rejected) = (of(Status::Published), of(Status::Rejected));
        rendered(&Rest {
            around: self.frame.around(),
            published: number(published),
            rejected: number(rejected),
            handled: number(published + rejected),
            near: self.today.iter().filter(|row| row.is_near_the_line()).count(),
            dots: dots(self.today),
            query: typed(self.query),
            searched: self.searched.map(number),
            toast: self.toast.map(Toast::shown),
            undone: self.undone,
        })
    }
}

/// A dot each, heaped up where they stand, on 640 by 142: as many as fit.
fn dots(today: &[Automatic<'_>]) -> Html {
    const STEP: i64 = 8;
    const HEAP_MAX: i64 = 16;
    let mut heaps: HashMap<i64, i64> = HashMap::new();
    let mut out = String::new();
    for row in today {
        // What a rule decided has no score: it stands at the end that it went to.
        let is_published = row.status == Status::Published;
        let (publish, reject) = super::line::HELD;
        let x = place(row.decision).unwrap_or(if is_published { 0.0 } else { WIDTH });
        let x = if is_published { x.min(publish - 6.0) } else { x.max(reject + 6.0) };
        #[expect(clippy::cast_possible_truncation, reason = "a place within the drawing")]
        let column = (x * 2.0 / 8.0).round() as i64 * STEP;
        let heap = heaps.entry(column).or_default();
        if *heap < HEAP_MAX {
            let class = if is_published { "f-ham" } else { "f-spam" };
            let _ = write!(out, "<circle cx=\"{column}\" cy=\"{}\" r=\"2.800\" class=\"{class}\"/>", 136 - *heap * STEP);
            *heap += 1;
        }
    }
    Html::made(out)
}

#[derive(Template)]
#[template(path = "desk_audit.html")]
struct Audit {
    around: Around,
    rows: Vec<RowShown>,
    is_near: bool,
    earlier: Option<String>,
    answered: usize,
    differing: usize,
}

#[derive(Template)]
#[template(path = "desk_rest.html")]
struct Rest {
    around: Around,
    published: String,
    rejected: String,
    handled: String,
    near: usize,
    dots: Html,
    query: String,
    searched: Option<String>,
    toast: Option<ToastShown>,
    undone: usize,
}

struct RowShown {
    path: String,
    status: &'static str,
    band: &'static str,
    band_class: &'static str,
    cells: &'static str,
    is_near: bool,
    name: Html,
    body: Html,
    page: Html,
    age: String,
}
