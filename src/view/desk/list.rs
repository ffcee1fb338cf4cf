//! The list on the left: what waits, a line each.

use super::{line, number, typed, with_query};
use crate::clock::Timestamp;
use crate::comment::Comment;
use crate::decision::{Decision, Objection};
use crate::view::safe::Html;
use crate::view::{action, words};

/// What the list shows.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    pub rows: &'a [Row<'a>],
    /// How much waits in all.
    pub waiting: usize,
    pub oldest: Option<Timestamp>,
    /// The search, as it was typed.
    pub query: &'a str,
    /// The search stopped before the end.
    pub is_cut: bool,
    /// Comments of the last ten minutes, where they are a flood.
    pub flood: Option<usize>,
    pub now: Timestamp,
}

/// One comment of the list.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub comment: &'a Comment,
    pub decision: Option<&'a Decision>,
    /// Nothing that was decided is told.
    pub is_check: bool,
    pub is_current: bool,
    /// Held comments that are near-copies, itself among them.
    pub alike: usize,
    /// Somebody else who is on it.
    pub claimed_by: Option<&'a str>,
    /// Its words are not to be seen unasked.
    pub is_covered: bool,
    /// What people are asked about it for, beside the machine.
    pub objection: Option<Objection>,
}

const NAME_CHARS_MAX: usize = 40;
const BODY_CHARS_MAX: usize = 90;
const PAGE_CHARS_MAX: usize = 60;

/// A median ruling, for the time that the list says it will take; moderators decide two to four comments a minute.
const SECONDS_PER_RULING: usize = 20;

pub(super) struct ListShown {
    pub heading: String,
    pub effort: String,
    pub query: String,
    pub rows: Vec<RowShown>,
    pub is_cut: bool,
    pub flood: Option<String>,
}

pub(super) struct RowShown {
    pub path: String,
    pub band: &'static str,
    pub band_class: &'static str,
    pub cells: &'static str,
    pub alike: usize,
    pub age: String,
    pub name: Html,
    pub body: Html,
    pub page: Html,
    pub is_current: bool,
    pub claimed_by: Option<String>,
    pub is_covered: bool,
    pub objection: &'static str,
}

impl List<'_> {
    pub(super) fn shown(&self) -> ListShown {
        let effort = self.oldest.map(|oldest| {
            let minutes = (self.waiting * SECONDS_PER_RULING).div_ceil(60);
            let effort = if minutes < 90 { format!("about {minutes} min") } else { format!("about {} h", minutes.div_ceil(60)) };
            format!("oldest {}, {effort}", words::span(oldest, self.now))
        });
        ListShown {
            heading: format!("{} to review", number(self.waiting)),
            effort: effort.unwrap_or_default(),
            query: typed(self.query),
            rows: self.rows.iter().map(|row| row.shown(self)).collect(),
            is_cut: self.is_cut,
            flood: self.flood.map(number),
        }
    }
}

impl Row<'_> {
    fn shown(&self, list: &List<'_>) -> RowShown {
        let band = if self.is_check { None } else { self.decision.map(|decision| decision.band) };
        let (band_class, cells) = action::band(band);
        RowShown {
            path: with_query(&format!("/desk/c/{}", self.comment.id), list.query),
            band: words::band(band),
            band_class,
            cells,
            alike: self.alike,
            age: words::span(self.comment.received_at, list.now),
            name: line(words::name(self.comment), NAME_CHARS_MAX),
            body: line(&self.comment.body, BODY_CHARS_MAX),
            page: line(words::page(self.comment), PAGE_CHARS_MAX),
            is_current: self.is_current,
            claimed_by: self.claimed_by.map(crate::view::safe::header_text),
            is_covered: self.is_covered,
            objection: match self.objection {
                Some(Objection::Report) => "Reported",
                Some(Objection::Appeal) => "Appealed",
                None => "",
            },
        }
    }
}
