//! The desk's pages: a list, one comment in the middle, the evidence beside it, and what belongs to them. Every page works without the
//! script; what a button may do, and for whom, is the shells' and `flow`'s.

mod account;
mod audit;
mod campaign;
mod explain;
mod figures;
mod line;
mod list;
mod review;

pub use account::{AccountPage, AccountSay};
pub use audit::{AuditPage, Automatic, RestPage, Which};
pub(super) use campaign::differing;
pub use campaign::{CampaignMember, CampaignPage, CampaignSay, GroupRow, OpenGroup};
pub use explain::DeskExplainPage;
#[cfg(test)]
pub use figures::samples as figures_samples;
pub use figures::{Agreement, DayCounts, FiguresPage, Mails, Oldest, Promise, ScoreHeap, SiteTab, Work};
pub use list::{List, Row};
pub use review::{Alike, Before, Claim, DeskNotice, DeskPage, OnDesk, Past, Said};

use crate::clock::Timestamp;
use crate::decision::Ruling;
use crate::view::excerpt::short;
use crate::view::safe::{self, Html};
use crate::view::{action, words};

/// The desk's own script, served as `/assets/desk.js`. It makes the desk fast and adds nothing that is not there without it.
pub const SCRIPT: &str = include_str!("../assets/desk.js");

/// What stands around every page of the desk.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    pub moderator_name: &'a str,
    /// What the forms of this session carry.
    pub csrf: &'a str,
    pub tab: Tab,
    /// How much waits.
    pub waiting: usize,
    /// Groups of near-copies among it.
    pub campaigns: usize,
    pub seal: Seal,
    pub mails_off: Option<MailsOff<'a>>,
}

/// That the moderator gets no mails, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MailsOff<'a> {
    pub why: WhyOff,
    pub since: Timestamp,
    pub now: Timestamp,
    /// Who gets mails of the same sites all the same.
    pub others: &'a [String],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyOff {
    Own,
    Admin,
    Bounces,
}

impl MailsOff<'_> {
    fn said(&self) -> String {
        let why = match self.why {
            WhyOff::Own => "you paused them",
            WhyOff::Admin => "an admin paused them",
            WhyOff::Bounces => "two came back",
        };
        let others = match self.others {
            [] => "Nobody else gets any.".to_owned(),
            [one] => format!("{} still gets theirs.", safe::header_text(one)),
            others => format!("{} others still get theirs.", words::spelt(others.len())),
        };
        format!("Your mails have been off for {}: {why}. {}", words::span(self.since, self.now), action::capital(&others))
    }
}

/// What stands on every page of the budgets of the moderator's sites.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seal {
    /// All of them hold; the loosest bound among them.
    Certified {
        spam_published_max: f64,
    },
    NotCertified,
}

/// The page's place among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Review,
    Campaigns,
    Audit,
    Figures,
    Account,
}

/// What was just ruled, and the way back.
#[derive(Debug, Clone, Copy)]
pub struct Toast<'a> {
    pub ruling: Ruling,
    pub comments: usize,
    pub name: &'a str,
    /// What takes it back.
    pub batch: &'a str,
    pub csrf: &'a str,
    /// Until the blog hears of it.
    pub seconds: u64,
}

struct ToastShown {
    said: String,
    name: Html,
    batch: String,
    csrf: String,
    seconds: u64,
}

impl Toast<'_> {
    fn shown(self) -> ToastShown {
        let said = action::capital(words::ruling(self.ruling));
        let many = format!("{said}: {} comments", number(self.comments));
        ToastShown {
            name: if self.comments == 1 { line(self.name, 40) } else { Html::default() },
            said: if self.comments == 1 { format!("{said}:") } else { many },
            batch: self.batch.to_owned(),
            csrf: self.csrf.to_owned(),
            seconds: self.seconds,
        }
    }
}

/// The frame as the templates have it.
struct Around {
    moderator: String,
    csrf: String,
    tab: &'static str,
    waiting: String,
    campaigns: usize,
    /// The bound, where the budget is certified.
    certified: Option<String>,
    mails_off: Option<String>,
}

impl Frame<'_> {
    fn around(&self) -> Around {
        let tab = match self.tab {
            Tab::Review => "review",
            Tab::Campaigns => "campaigns",
            Tab::Audit => "audit",
            Tab::Figures => "figures",
            Tab::Account => "account",
        };
        Around {
            moderator: safe::header_text(self.moderator_name),
            csrf: self.csrf.to_owned(),
            tab,
            waiting: number(self.waiting),
            campaigns: self.campaigns,
            certified: match self.seal {
                Seal::Certified { spam_published_max } => Some(words::percent(spam_published_max)),
                Seal::NotCertified => None,
            },
            mails_off: self.mails_off.map(|off| off.said()),
        }
    }
}

/// One line of a stranger's.
fn line(text: &str, chars_max: usize) -> Html {
    safe::line(&short(text, chars_max).dotted("…", str::to_owned))
}

/// A search as it was typed, fit to stand in its field again.
fn typed(query: &str) -> String {
    safe::kept(query).replace(['\n', '\t'], " ")
}

/// A path that keeps the search.
fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() {
        return path.to_owned();
    }
    let kept: String = query
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("{path}?q={kept}")
}

/// `1,234`: thousands are told apart.
fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!([0, 31, 999, 1_000, 100_000, 1_234_567].map(number), ["0", "31", "999", "1,000", "100,000", "1,234,567"]);
    }
}
