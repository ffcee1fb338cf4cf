//! What people see: the digest mail, the page behind its links, and the demo blog. Templates are compiled in; nothing is read or
//! fetched, and the time comes in as an argument. Strangers' words pass through `safe` on their way out; who may see a page, and what
//! a button does, is the shells' and `flow`'s.

mod action;
mod chart;
mod defang;
mod demo;
mod desk;
mod digest;
mod excerpt;
mod explain;
mod flip;
mod form;
mod letter;
mod login;
mod mailbox;
mod reasons;
mod report;
mod safe;
mod terminal;
mod words;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod samples;

pub use action::{ActionPage, Notice, NoticePage, Refusal};
pub use demo::{DemoPage, Field, FormValues, Outcome, Reply};
pub use desk::{
    AccountPage, AccountSay, Agreement, Alike, AuditPage, Automatic, Before, CampaignMember, CampaignPage, CampaignSay, Claim, DayCounts,
    DeskExplainPage, DeskNotice, DeskPage, FiguresPage, Frame, GroupRow, List, Mails, MailsOff, Oldest, OnDesk, OpenGroup, Past, Promise,
    RestPage, Row, SCRIPT as DESK_SCRIPT, Said as DeskSaid, ScoreHeap, Seal, SiteTab, Tab, Toast, Which, WhyOff, Work,
};
pub use digest::{DigestMail, DigestView, Occasion};
pub use explain::ExplainView;
pub use flip::{FlipView, changes, probability};
pub use form::{FormPage, Said};
pub use letter::{Letter, LetterView};
pub use login::{LoginMail, LoginPage, LoginSay, OneTimePage};
pub use mailbox::{ConfirmNotice, ConfirmPage, MailboxNotice, MailboxPage};
pub use report::{Baseline, Grouping, Load, Member, Mistake, ReportPage, Standing};
pub use safe::{header_text, kept, mask_email, plain as terminal_text};
pub use terminal::{Ink, Sheet, Tone};
pub use words::{count, percent, thousands};

use crate::clock::Timestamp;
use crate::comment::Comment;
use crate::decision::{Band, Decision, Ruling, Status};
use reasons::Reasons;

/// One stylesheet for every page; served as `/assets/hamlet.css`.
pub const STYLESHEET: &str = include_str!("assets/hamlet.css");

/// One comment put before a moderator.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Its number in the mail, from 1: what `?i=N` and the form's `item` say.
    pub number: usize,
    pub comment: &'a Comment,
    pub decision: &'a Decision,
    pub status: Status,
    /// A spot check: the page says neither what was decided nor why, so that the ruling is the person's own.
    pub is_check: bool,
    pub history: History,
    /// What people ask about it, beside the machine.
    pub objections: Objections,
    /// The last ruling, if a person has ruled; then no form is shown.
    pub ruled: Option<Ruled<'a>>,
    /// The number of the item that stands for this one too, being nearly the same.
    pub copy_of: Option<usize>,
}

/// Which part of a mail a comment stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Held, or objected to: somebody waits for an answer.
    Waits,
    /// A spot check of what was decided automatically.
    Check,
    /// Rejected by a score little above the line.
    NearTheLine,
}

impl Item<'_> {
    /// Whether people are asked to rule on it.
    pub fn waits(&self) -> bool {
        self.is_check || self.status == Status::Held || self.objections != Objections::default()
    }

    pub fn section(&self) -> Section {
        match (self.is_check, self.waits()) {
            (true, _) => Section::Check,
            (false, true) => Section::Waits,
            (false, false) => Section::NearTheLine,
        }
    }

    /// None for a spot check.
    fn band(&self) -> Option<Band> {
        (!self.is_check).then_some(self.decision.band)
    }

    /// Both sides empty for a spot check.
    fn reasons(&self) -> Reasons {
        if self.is_check { Reasons::default() } else { Reasons::of(self.decision) }
    }
}

/// The items that stand for themselves and for others, each with those others, in their order.
fn leads<'a, 'b>(items: &'a [Item<'b>]) -> impl Iterator<Item = (&'a Item<'b>, Vec<&'a Item<'b>>)> {
    let copies = |lead: &Item<'_>| items.iter().filter(|item| item.copy_of == Some(lead.number)).collect();
    items.iter().filter(|item| item.copy_of.is_none()).map(move |lead| (lead, copies(lead)))
}

/// How many objected to how the comment stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Objections {
    pub reports: usize,
    pub appeals: usize,
}

/// What became of the author's earlier comments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct History {
    pub published: u32,
    pub spam: u32,
}

/// A ruling that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruled<'a> {
    pub ruling: Ruling,
    pub by: &'a str,
    pub at: Timestamp,
}

/// A template as text. Rendering into a string fails only where a `Display` does, and none of ours can.
fn rendered(template: &impl askama::Template) -> String {
    template.render().unwrap_or_default()
}
