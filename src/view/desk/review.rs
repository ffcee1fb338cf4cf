//! One comment on the desk, with everything that a person needs to rule on it.

use super::line::Line;
use super::list::ListShown;
use super::{Around, Frame, List, Toast, ToastShown, line, number, typed, with_query};
use crate::clock::Timestamp;
use crate::comment::Comment;
use crate::decision::{Band, Objection, Status};
use crate::text;
use crate::view::reasons::Reasons;
use crate::view::safe::{self, Html};
use crate::view::{Item, Ruled, action, rendered, words};
use askama::Template;

/// `/desk/` and `/desk/c/ID`.
#[derive(Debug, Clone, Copy)]
pub struct DeskPage<'a> {
    pub frame: Frame<'a>,
    pub list: List<'a>,
    pub item: OnDesk<'a>,
    pub notice: Option<DeskNotice<'a>>,
    pub toast: Option<Toast<'a>>,
    pub now: Timestamp,
}

/// The comment in the middle.
#[derive(Debug, Clone, Copy)]
pub struct OnDesk<'a> {
    pub item: Item<'a>,
    /// What a ruling acts on.
    pub version: u32,
    /// The one after it and the one before, as paths.
    pub next: Option<&'a str>,
    pub previous: Option<&'a str>,
    /// From 1, of so many; none for one that does not wait.
    pub place: Option<(usize, usize)>,
    /// Which site, for those who have several.
    pub site_name: Option<&'a str>,
    /// The author's earlier comments, the newest first.
    pub past: &'a [Past<'a>],
    pub similar: &'a [Alike<'a>],
    /// What readers and the author say against how it stands, the newest first.
    pub objections: &'a [Said<'a>],
    /// What it said before its edits, the newest first.
    pub edits: &'a [Before<'a>],
    /// Near-copies that are held with it, and where they stand together.
    pub group: Option<(usize, &'a str)>,
    pub claim: Claim<'a>,
    /// The address in full, where it was asked for.
    pub address: Option<&'a str>,
    /// Whose text is covered until asked for.
    pub is_covered: bool,
    /// It was decided by a person before, and is put before one again.
    pub is_second_look: bool,
}

/// An earlier comment of the author.
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    pub comment: &'a Comment,
    pub status: Status,
}

/// A decided comment that is similar.
#[derive(Debug, Clone, Copy)]
pub struct Alike<'a> {
    pub comment: &'a Comment,
    pub ruled: Ruled<'a>,
    pub like: &'static str,
}

/// What a reader reports or the author appeals, in their own words if there are any.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    pub objection: Objection,
    pub text: Option<&'a str>,
    pub at: Timestamp,
}

/// What a comment said before an edit.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    pub name: &'a str,
    pub body: &'a str,
    /// It said so until then.
    pub until: Timestamp,
}

/// Who is on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim<'a> {
    Free,
    Own { until: Timestamp },
    Other { name: &'a str, until: Timestamp },
}

/// What happened, over the comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeskNotice<'a> {
    /// Somebody else was faster.
    AlreadyDecided(Ruled<'a>),
    EditedSince,
    ClaimedBy(&'a str),
    Undone,
    NothingToUndo,
    /// The form was of another session, or of a page that is too old.
    NotTaken,
    LookedAgain,
}

const BODY_CHARS_MAX: usize = 20_000;
const PARENT_CHARS_MAX: usize = 400;
const NAME_CHARS_MAX: usize = 120;
const TITLE_CHARS_MAX: usize = 160;
const QUOTE_CHARS_MAX: usize = 110;
/// Of a reader's or the author's words.
const SAID_CHARS_MAX: usize = 600;
/// Objections and edits that are shown: who reads ten knows what they are about.
const SAID_MAX: usize = 10;

impl DeskPage<'_> {
    pub fn render(&self) -> String {
        let item = self.item.shown(self.now, self.list.query);
        let title =
            if item.is_covered { "Covered".to_owned() } else { safe::header_text(&safe::plain(words::name(self.item.item.comment))) };
        rendered(&Page {
            around: self.frame.around(),
            title: format!("{title} · {} to review", number(self.list.waiting)),
            list: self.list.shown(),
            item,
            say: self.notice.map(|notice| notice.say(self.item.next)),
            toast: self.toast.map(Toast::shown),
        })
    }
}

impl OnDesk<'_> {
    fn shown(&self, now: Timestamp, query: &str) -> ItemShown {
        let Item { comment, decision, .. } = self.item;
        let is_blind = self.item.is_check || self.is_second_look;
        let mut reasons = if is_blind { Reasons::default() } else { self.item.reasons() };
        if self.is_covered {
            // What is covered is quoted nowhere else.
            reasons.spam.retain(|reason| reason.needle.is_none());
            reasons.ham.retain(|reason| reason.needle.is_none());
        }
        let band = if is_blind { None } else { self.item.band() };
        let (band_class, cells) = action::band(band);
        let end = comment.body.char_indices().nth(BODY_CHARS_MAX).map_or(comment.body.len(), |(at, _)| at);
        let body = text::cut(&comment.body, end);
        let email = match (self.address, comment.author.email.as_deref()) {
            (Some(address), _) => safe::line(address),
            (None, Some(email)) => safe::line(&safe::mask_email(email, "…")),
            (None, None) => safe::line("no address"),
        };
        let (is_held_by_other, claim) = self.claim.words(now);
        ItemShown {
            path: format!("/desk/c/{}", comment.id),
            explain: format!("/desk/explain/{}", comment.id),
            version: self.version,
            query: typed(query),
            next: self.next.map(str::to_owned),
            previous: self.previous.map(str::to_owned),
            place: self.place.map(|(place, of)| format!("{} of {}", number(place), number(of))),
            all: self.place.map(|(_, of)| number(of)),
            site: self.site_name.map(safe::header_text),
            page: line(words::page(comment), TITLE_CHARS_MAX),
            age: words::ago(comment.received_at, now),
            band: words::band(band),
            band_class,
            cells,
            is_rules_only: band == Some(Band::RulesOnly),
            name: line(words::name(comment), NAME_CHARS_MAX),
            email,
            can_show_address: self.address.is_none() && comment.author.email.is_some(),
            history: words::history(self.item.history),
            website: comment.author.url.as_deref().map(|url| line(url, TITLE_CHARS_MAX)),
            parent: comment.parent_body.as_deref().filter(|parent| !parent.trim().is_empty()).map(|parent| line(parent, PARENT_CHARS_MAX)),
            body: safe::body(body, &reasons.marks(body, 1)),
            body_words: body.split_whitespace().count(),
            cut_chars: comment.body.get(end..).unwrap_or("").chars().count(),
            line: if is_blind { None } else { Line::of(decision) },
            spam: action::notes(&reasons.spam, 1, 1),
            ham: action::notes(&reasons.ham, 1, reasons.spam.len() + 1),
            is_blind,
            is_second_look: self.is_second_look,
            is_covered: self.is_covered,
            is_ruled: self.item.ruled.is_some() && !self.is_second_look,
            standing: self.standing(),
            said: if is_blind { Vec::new() } else { self.objections.iter().take(SAID_MAX).map(|said| said.shown(now)).collect() },
            more_said: if is_blind { 0 } else { self.objections.len().saturating_sub(SAID_MAX) },
            edits: if self.is_covered { Vec::new() } else { self.edits.iter().take(SAID_MAX).map(|edit| edit.shown(now)).collect() },
            past: self.past.iter().map(Past::shown).collect(),
            similar: self.similar.iter().map(|alike| alike.shown(now)).collect(),
            group: self.group.map(|(size, path)| (size, with_query(path, ""))),
            claim,
            is_held_by_other,
        }
    }

    /// How it stands, where it does not wait.
    fn standing(&self) -> Option<String> {
        if self.is_second_look {
            return None;
        }
        if let Some(objections) = words::objections(self.item.objections) {
            return Some(action::capital(&objections));
        }
        match (self.item.ruled, self.item.status) {
            (Some(ruled), _) => Some(action::said(ruled)),
            (None, Status::Published) if !self.item.is_check => Some("Published by Hamlet; nobody has looked at it".to_owned()),
            (None, Status::Rejected) if !self.item.is_check => Some("Rejected by Hamlet; nobody has looked at it".to_owned()),
            (None, Status::Published | Status::Rejected | Status::Held | Status::Queued) => None,
        }
    }
}

impl Claim<'_> {
    /// Whether a ruling has to wait, and what is said.
    fn words(self, now: Timestamp) -> (bool, Option<String>) {
        match self {
            Self::Free => (false, None),
            Self::Own { until } => (false, Some(format!("Yours until {} UTC. Others see your name on it.", until.hour()))),
            Self::Other { name, until } => {
                let minutes = until.since(now).as_secs().div_ceil(60).max(1);
                let minutes = words::count(usize::try_from(minutes).unwrap_or(1), "more minute", "more minutes");
                (true, Some(format!("{} is on this for {minutes}. You can read it; ruling waits.", safe::header_text(name))))
            }
        }
    }
}

impl Said<'_> {
    fn shown(&self, now: Timestamp) -> SaidShown {
        SaidShown {
            who: match self.objection {
                Objection::Report => "A reader",
                Objection::Appeal => "The author",
            },
            words: self.text.filter(|text| !text.trim().is_empty()).map(|text| line(text, SAID_CHARS_MAX)),
            ago: words::ago(self.at, now),
        }
    }
}

impl Before<'_> {
    fn shown(&self, now: Timestamp) -> BeforeShown {
        let end = self.body.char_indices().nth(BODY_CHARS_MAX).map_or(self.body.len(), |(at, _)| at);
        BeforeShown {
            name: line(self.name, NAME_CHARS_MAX),
            body: safe::body(text::cut(self.body, end), &[]),
            ago: words::ago(self.until, now),
        }
    }
}

impl Past<'_> {
    fn shown(&self) -> PastShown {
        let (mark, word) = match self.status {
            Status::Published => ("pub", "published"),
            Status::Held | Status::Queued => ("wait", "held"),
            Status::Rejected => ("spm", "rejected"),
        };
        PastShown { path: format!("/desk/c/{}", self.comment.id), mark, word, day: self.comment.received_at.day() }
    }
}

impl Alike<'_> {
    fn shown(&self, now: Timestamp) -> AlikeShown {
        AlikeShown {
            path: format!("/desk/c/{}", self.comment.id),
            quote: line(&self.comment.body, QUOTE_CHARS_MAX),
            is_ham: self.ruled.ruling == crate::decision::Ruling::Publish,
            ruling: action::capital(words::ruling(self.ruled.ruling)),
            by: safe::header_text(self.ruled.by),
            ago: words::ago(self.ruled.at, now),
            like: self.like,
        }
    }
}

impl DeskNotice<'_> {
    fn say(self, next: Option<&str>) -> Say {
        let next = next.map(str::to_owned);
        let say = |class, strong: String, rest: &str, next| Say { class, strong, rest: rest.to_owned(), next };
        match self {
            Self::AlreadyDecided(ruled) => {
                let strong = format!(
                    "Already decided by {}, {} UTC: {}.",
                    safe::header_text(ruled.by),
                    ruled.at.hour(),
                    words::ruling(ruled.ruling)
                );
                say("good", strong, "Your press changed nothing.", next)
            }
            Self::EditedSince => {
                say("warn", "This changed while it was open here.".to_owned(), "You see it as it is now. Nothing was ruled.", None)
            }
            Self::ClaimedBy(name) => say("warn", format!("{} is on this.", safe::header_text(name)), "Nothing was ruled.", next),
            Self::Undone => {
                say("good", "Taken back.".to_owned(), "It stands as it stood before. If the blog had heard, it hears of this too.", None)
            }
            Self::NothingToUndo => {
                say("warn", "There was nothing to take back.".to_owned(), "Somebody ruled on it since, or it was taken back before.", None)
            }
            Self::NotTaken => {
                say("bad", "That was not taken.".to_owned(), "The form was from another session, or from elsewhere. Rule here.", None)
            }
            Self::LookedAgain => say("good", "Thank you.".to_owned(), "Your second look is counted; the comment stays as it was.", None),
        }
    }
}

#[derive(Template)]
#[template(path = "desk_review.html")]
struct Page {
    around: Around,
    title: String,
    list: ListShown,
    item: ItemShown,
    say: Option<Say>,
    toast: Option<ToastShown>,
}

struct Say {
    class: &'static str,
    strong: String,
    rest: String,
    next: Option<String>,
}

struct SaidShown {
    who: &'static str,
    words: Option<Html>,
    ago: String,
}

struct BeforeShown {
    name: Html,
    body: Html,
    ago: String,
}

struct PastShown {
    path: String,
    mark: &'static str,
    word: &'static str,
    day: String,
}

struct AlikeShown {
    path: String,
    quote: Html,
    is_ham: bool,
    ruling: String,
    by: String,
    ago: String,
    like: &'static str,
}

#[expect(clippy::struct_excessive_bools, reason = "a template asks yes and no")]
struct ItemShown {
    path: String,
    explain: String,
    version: u32,
    query: String,
    next: Option<String>,
    previous: Option<String>,
    place: Option<String>,
    all: Option<String>,
    site: Option<String>,
    page: Html,
    age: String,
    band: &'static str,
    band_class: &'static str,
    cells: &'static str,
    is_rules_only: bool,
    name: Html,
    email: Html,
    can_show_address: bool,
    history: String,
    website: Option<Html>,
    parent: Option<Html>,
    body: Html,
    body_words: usize,
    cut_chars: usize,
    line: Option<Line>,
    spam: Vec<action::Note>,
    ham: Vec<action::Note>,
    is_blind: bool,
    is_second_look: bool,
    is_covered: bool,
    is_ruled: bool,
    standing: Option<String>,
    said: Vec<SaidShown>,
    more_said: usize,
    edits: Vec<BeforeShown>,
    past: Vec<PastShown>,
    similar: Vec<AlikeShown>,
    group: Option<(usize, String)>,
    claim: Option<String>,
    is_held_by_other: bool,
}
