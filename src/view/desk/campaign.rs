//! A group of near-copies, ruled on together: exactly the versions that are shown and ticked, with one undo.

use super::{Around, Frame, Toast, ToastShown, line, number};
use crate::clock::Timestamp;
use crate::comment::Comment;
use crate::decision::{Band, Decision};
use crate::view::reasons::Reasons;
use crate::view::safe::{self, Html};
use crate::view::{action, rendered, words};
use askama::Template;

/// `/desk/campaigns` and below.
#[derive(Debug, Clone, Copy)]
pub struct CampaignPage<'a> {
    pub frame: Frame<'a>,
    /// Every group that is held, the largest first.
    pub groups: &'a [GroupRow<'a>],
    /// The one in the middle; none where there is none.
    pub open: Option<OpenGroup<'a>>,
    pub say: Option<CampaignSay>,
    pub toast: Option<Toast<'a>>,
    pub now: Timestamp,
}

/// One group in the list.
#[derive(Debug, Clone, Copy)]
pub struct GroupRow<'a> {
    pub path: &'a str,
    pub first: &'a Comment,
    pub band: Option<Band>,
    pub size: usize,
    pub is_current: bool,
}

/// The group in the middle.
#[derive(Debug, Clone, Copy)]
pub struct OpenGroup<'a> {
    pub path: &'a str,
    /// `one text`, `one link`, `one contact`.
    pub shared: &'a str,
    /// Oldest first; at most as many as one page shows.
    pub members: &'a [CampaignMember<'a>],
    /// How many there are in all.
    pub size: usize,
    pub decision: Option<&'a Decision>,
    pub next: Option<&'a str>,
    /// How many may be published together.
    pub publish_max: usize,
}

#[derive(Debug, Clone, Copy)]
pub struct CampaignMember<'a> {
    pub comment: &'a Comment,
    pub version: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CampaignSay {
    /// Some had been decided or had changed.
    Missed {
        taken: usize,
        missed: usize,
    },
    NothingTicked,
    TooManyToPublish {
        max: usize,
    },
    Undone {
        comments: usize,
    },
    NotTaken,
}

impl CampaignPage<'_> {
    pub fn render(&self) -> String {
        let rows = self.groups.iter().map(|group| group.shown(self.now)).collect();
        rendered(&Page {
            around: self.frame.around(),
            heading: words::count(self.groups.len(), "campaign", "campaigns"),
            rows,
            open: self.open.and_then(|open| open.shown(self.now)),
            say: self.say.map(CampaignSay::words),
            toast: self.toast.map(Toast::shown),
        })
    }
}

impl CampaignSay {
    fn words(self) -> (&'static str, String) {
        match self {
            Self::Missed { taken, missed } => {
                let missed = words::count(
                    missed,
                    "had been decided or had changed since it was shown; it was",
                    "had been decided or had changed since they were shown; they were",
                );
                ("warn", format!("{} ruled. {missed} left as they are.", words::count(taken, "comment", "comments")))
            }
            Self::NothingTicked => ("warn", "Nothing was ticked, so nothing was ruled.".to_owned()),
            Self::TooManyToPublish { max } => {
                ("warn", format!("At most {max} are published together: what readers get to see was read. Nothing was ruled."))
            }
            Self::Undone { comments } => ("good", format!("Taken back: {}.", words::count(comments, "comment", "comments"))),
            Self::NotTaken => ("bad", "That was not taken: the form was from another session, or from elsewhere.".to_owned()),
        }
    }
}

impl GroupRow<'_> {
    fn shown(&self, now: Timestamp) -> RowShown {
        let (band_class, cells) = action::band(self.band);
        RowShown {
            path: self.path.to_owned(),
            band: words::band(self.band),
            band_class,
            cells,
            size: number(self.size),
            age: words::span(self.first.received_at, now),
            name: line(words::name(self.first), 40),
            body: line(&self.first.body, 90),
            is_current: self.is_current,
        }
    }
}

impl OpenGroup<'_> {
    fn shown(&self, now: Timestamp) -> Option<OpenShown> {
        let (first, last) = (self.members.first()?, self.members.last()?);
        let reasons = self.decision.map(Reasons::of).unwrap_or_default();
        let band = self.decision.map(|decision| decision.band);
        let (band_class, cells) = action::band(band);
        let body = crate::text::cut(&first.comment.body, 4_000);
        let distinct = |of: &dyn Fn(&Comment) -> Option<String>| {
            self.members.iter().filter_map(|member| of(member.comment)).collect::<std::collections::BTreeSet<_>>().len()
        };
        let names = distinct(&|comment| comment.author.name.clone());
        let addresses = distinct(&|comment| comment.author.email.as_ref().map(|email| email.to_lowercase()));
        let pages = distinct(&|comment| comment.page.url.clone().or_else(|| comment.page.title.clone()));
        Some(OpenShown {
            path: self.path.to_owned(),
            one_by_one: format!("/desk/c/{}", first.comment.id),
            next: self.next.map(str::to_owned),
            heading: format!("{} alike: {}", number(self.size), self.shared),
            band: words::band(band),
            band_class,
            cells,
            facts: [
                words::count(names, "name", "names"),
                words::count(addresses, "address", "addresses"),
                words::count(pages, "page", "pages"),
            ],
            first: words::ago(first.comment.received_at, now),
            last: words::ago(last.comment.received_at, now),
            body: safe::body(body, &reasons.marks(body, 1)),
            spam: action::notes(&reasons.spam, 1, 1),
            ham: action::notes(&reasons.ham, 1, reasons.spam.len() + 1),
            ticks: rhythm(self.members, now),
            count: self.members.len(),
            can_publish: self.members.len() <= self.publish_max,
            more: self.size.saturating_sub(self.members.len()),
            members: self.members.iter().map(|member| member.shown(first.comment, now)).collect(),
        })
    }
}

/// When they came, as strokes over the time from the first till now, on 320.
fn rhythm(members: &[CampaignMember<'_>], now: Timestamp) -> String {
    let Some(from) = members.iter().map(|member| member.comment.received_at).min() else { return String::new() };
    let whole = now.since(from).as_millis().max(1);
    let x = |member: &CampaignMember<'_>| member.comment.received_at.since(from).as_millis() * 318 / whole + 1;
    let places: std::collections::BTreeSet<u128> = members.iter().map(x).collect();
    places.iter().map(|x| format!("M{x} 6v18")).collect()
}

impl CampaignMember<'_> {
    fn shown(&self, first: &Comment, now: Timestamp) -> MemberShown {
        MemberShown {
            value: format!("{}.{}", self.comment.id, self.version),
            path: format!("/desk/c/{}", self.comment.id),
            name: line(words::name(self.comment), 40),
            page: line(words::page(self.comment), 60),
            differs: differing(&first.body, &self.comment.body).map(|words| line(&words, 40)),
            age: words::span(self.comment.received_at, now),
        }
    }
}

/// The words of a text that the first has not, as far as a column holds them; none where it is the same.
pub fn differing(first: &str, other: &str) -> Option<String> {
    let known: std::collections::HashSet<&str> = first.split_whitespace().collect();
    let own: Vec<&str> = other.split_whitespace().filter(|word| !known.contains(word)).take(6).collect();
    (!own.is_empty()).then(|| own.join(" "))
}

#[derive(Template)]
#[template(path = "desk_campaign.html")]
struct Page {
    around: Around,
    heading: String,
    rows: Vec<RowShown>,
    open: Option<OpenShown>,
    say: Option<(&'static str, String)>,
    toast: Option<ToastShown>,
}

struct RowShown {
    path: String,
    band: &'static str,
    band_class: &'static str,
    cells: &'static str,
    size: String,
    age: String,
    name: Html,
    body: Html,
    is_current: bool,
}

struct OpenShown {
    path: String,
    one_by_one: String,
    next: Option<String>,
    heading: String,
    band: &'static str,
    band_class: &'static str,
    cells: &'static str,
    facts: [String; 3],
    first: String,
    last: String,
    body: Html,
    spam: Vec<action::Note>,
    ham: Vec<action::Note>,
    ticks: String,
    count: usize,
    can_publish: bool,
    more: usize,
    members: Vec<MemberShown>,
}

struct MemberShown {
    value: String,
    path: String,
    name: Html,
    page: Html,
    differs: Option<Html>,
    age: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named() {
        assert_eq!(differing("use code BEANS24 now", "use code BEANS7 now").as_deref(), Some("BEANS7"));
        assert_eq!(differing("the same", "the  same"), None);
    }
}
