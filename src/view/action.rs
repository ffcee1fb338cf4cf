//! The page behind a digest's links: every undecided comment with one form each, near-copies with one together, or one comment alone.
//! Showing it decides nothing; the forms post to the same path. What is no item (an expired link, say) is a [`NoticePage`].

use super::excerpt::short;
use super::reasons::{self, Reason};
use super::safe::{self, Html};
use super::{Item, Ruled, Section, desk, leads, rendered, words};
use crate::clock::Timestamp;
use crate::decision::{Band, Ruling};
use crate::text;
use askama::Template;

/// A page must open on a phone; longer comments are read to here, and how much is left is said.
const BODY_CHARS_MAX: usize = 20_000;

const NAME_CHARS_MAX: usize = 120;
const TITLE_CHARS_MAX: usize = 160;
const REASON_CHARS_MAX: usize = 200;

/// `/d/TOKEN`: everything it shows.
#[derive(Clone, Copy)]
pub struct ActionPage<'a> {
    pub site_name: &'a str,
    pub moderator_name: &'a str,
    /// The path that forms post to and links return to: `/d/TOKEN`.
    pub path: &'a str,
    /// All undecided items of the digest, and the focused or just decided one.
    pub items: &'a [Item<'a>],
    /// The number of the one item to show, from `?i=N`; an unknown number shows all.
    pub focus: Option<usize>,
    /// How many items the digest has, decided or not.
    pub total: usize,
    /// The nonce for the form of the item with this number.
    pub nonce: &'a dyn Fn(usize) -> String,
    pub notice: Option<Notice<'a>>,
    /// Near-copies that may be published together.
    pub publish_max: usize,
    pub expires_at: Timestamp,
    pub now: Timestamp,
}

/// What became of the ruling that led to this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// Just now; the blog hears of it after so many seconds.
    Decided {
        ruling: Ruling,
        comments: usize,
        /// Those that had been decided or had changed since the page was made; they are as they were.
        missed: usize,
        wait_seconds: u64,
        /// What names it, and the nonce of the form that takes it back.
        undo: (&'a str, &'a str),
    },
    /// So many rulings were taken back.
    TakenBack {
        comments: usize,
    },
    /// So many may not be published together.
    TooManyToPublish {
        max: usize,
    },
    AlreadyDecided(Ruled<'a>),
    /// The nonce had expired.
    PageTooOld,
    /// The comment changed since the page was made.
    EditedSince,
}

/// A page without items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticePage<'a> {
    /// Only once the link has proved to be ours.
    pub site_name: Option<&'a str>,
    pub refusal: Refusal,
}

/// Why there is nothing to rule on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    Expired {
        at: Timestamp,
    },
    UnknownLink,
    RefusedOrigin,
    NothingLeft,
    /// The desk has no such comment, or not for this moderator.
    NotHere,
    Unavailable,
}

impl ActionPage<'_> {
    pub fn render(&self) -> String {
        let focused = self.items.iter().find(|item| Some(item.number) == self.focus);
        let mut shown: Vec<(&Item<'_>, Vec<&Item<'_>>)> = leads(self.items).collect();
        if let Some(focused) = focused {
            shown.retain(|(lead, _)| lead.number == focused.number);
            if shown.is_empty() {
                // A copy, looked at for itself.
                shown.push((focused, Vec::new()));
            }
        }
        let open = self.items.iter().filter(|item| item.ruled.is_none()).count();
        let heading = match open {
            0 => "Nothing left to review".to_owned(),
            open => format!("{} to review", words::count(open, "comment", "comments")),
        };
        let title = focused.map_or_else(|| heading.clone(), |item| format!("Review {} of {}", item.number, self.total));
        rendered(&Page {
            site: safe::header_text(self.site_name),
            moderator: safe::header_text(self.moderator_name),
            title,
            heading,
            open,
            path: self.path,
            say: self.notice.map(Say::of),
            is_focused: focused.is_some(),
            has_copies: self.items.iter().any(|item| item.copy_of.is_some()),
            items: shown.into_iter().map(|(item, copies)| self.shown(item, &copies)).collect(),
            others: leads(self.items).filter(|_| focused.is_some()).map(|(item, copies)| self.other(item, copies.len())).collect(),
            these: words::these(self.total),
            until: self.expires_at.day(),
        })
    }

    fn shown(&self, item: &Item<'_>, copies: &[&Item<'_>]) -> Shown {
        let bounded = |text: &str, chars_max| safe::line(&short(text, chars_max).dotted("…", str::to_owned));
        let reasons = item.reasons();
        let end = item.comment.body.char_indices().nth(BODY_CHARS_MAX).map_or(item.comment.body.len(), |(at, _)| at);
        let body = text::cut(&item.comment.body, end);
        let author = &item.comment.author;
        Shown {
            number: item.number,
            total: self.total,
            band: words::band(item.band()),
            band_class: band(item.band()).0,
            cells: band(item.band()).1,
            page: bounded(words::page(item.comment), TITLE_CHARS_MAX),
            age: words::ago(item.comment.received_at, self.now),
            name: bounded(words::name(item.comment), NAME_CHARS_MAX),
            email: author.email.as_deref().map_or_else(|| "no address".to_owned(), |email| safe::mask_email(email, "…")),
            history: words::history(item.history),
            objections: words::objections(item.objections),
            website: author.url.as_deref().map(|url| bounded(url, TITLE_CHARS_MAX)),
            body: safe::body(body, &reasons.marks(body, item.number)),
            cut_chars: item.comment.body.get(end..).unwrap_or("").chars().count(),
            path: self.path.to_owned(),
            nonce: (self.nonce)(item.number),
            ruled: item.ruled.map(said),
            section: item.section(),
            copies: copies.iter().map(|copy| self.copy(copy, &item.comment.body)).collect(),
            can_publish: copies.len() < self.publish_max,
            spam: notes(&reasons.spam, item.number, 1),
            ham: notes(&reasons.ham, item.number, reasons.spam.len() + 1),
        }
    }

    /// A box that is ticked, for exactly this version.
    fn copy(&self, item: &Item<'_>, first: &str) -> Copied {
        Copied {
            value: format!("{}.{}", item.number, (self.nonce)(item.number)),
            number: item.number,
            name: safe::line(&short(words::name(item.comment), 40).dotted("…", str::to_owned)),
            page: safe::line(&short(words::page(item.comment), 60).dotted("…", str::to_owned)),
            differs: desk::differing(first, &item.comment.body).map(|words| safe::line(&short(&words, 40).dotted("…", str::to_owned))),
            age: words::ago(item.comment.received_at, self.now),
        }
    }

    fn other(&self, item: &Item<'_>, copies: usize) -> Other {
        Other {
            number: item.number,
            is_current: Some(item.number) == self.focus,
            copies,
            band: words::band(item.band()),
            page: safe::line(&short(words::page(item.comment), 60).dotted("…", str::to_owned)),
        }
    }
}

impl NoticePage<'_> {
    pub fn render(&self) -> String {
        let (class, heading, meaning, advice) = self.refusal.words();
        rendered(&NoticeTemplate { site: self.site_name.map(safe::header_text).unwrap_or_default(), class, heading, meaning, advice })
    }
}

impl Refusal {
    /// Its colour, what happened, what it means, and the one thing to do.
    fn words(self) -> (&'static str, &'static str, String, &'static str) {
        match self {
            Self::Expired { at } => (
                "bad",
                "This link has expired",
                format!("It could act until {}. Nothing changed.", at.day()),
                "Use the link in a newer mail; comments that still wait are in it.",
            ),
            Self::UnknownLink => (
                "bad",
                "This link is not known here",
                "A mail program may have cut it short. Nothing changed.".to_owned(),
                "Open the mail again and copy the whole link.",
            ),
            Self::RefusedOrigin => (
                "bad",
                "This did not come from our own page",
                "It was not taken. Nothing changed.".to_owned(),
                "Open the link in the mail again and press the button there.",
            ),
            Self::NothingLeft => {
                ("good", "Nothing left to review", "Every comment of this mail is decided.".to_owned(), "You can close this page.")
            }
            Self::NotHere => (
                "warn",
                "There is no such comment here",
                "It may be of a site that is not yours, or be gone.".to_owned(),
                "Go back to the desk.",
            ),
            Self::Unavailable => (
                "warn",
                "Nothing can be read or written down just now",
                "If you ruled, it was not taken. What waits is safe.".to_owned(),
                "Try again in a minute.",
            ),
        }
    }
}

/// A notice over the items.
struct Say<'a> {
    class: &'static str,
    strong: String,
    rest: String,
    undo: Option<(&'a str, &'a str)>,
}

impl<'a> Say<'a> {
    fn of(notice: Notice<'a>) -> Self {
        match notice {
            Notice::Decided { ruling, comments, missed, wait_seconds, undo } => Self {
                undo: Some(undo),
                class: if missed == 0 { "good" } else { "warn" },
                strong: match comments {
                    1 => format!("{}.", capital(words::ruling(ruling))),
                    comments => format!("{comments} comments {}.", words::ruling(ruling)),
                },
                rest: format!(
                    "The blog hears of it in {wait_seconds}\u{a0}s.{}{}",
                    if ruling == Ruling::Remove { " The filter learns nothing from it." } else { "" },
                    match missed {
                        0 => String::new(),
                        1 => " 1 had been decided or had changed meanwhile, and is as it was.".to_owned(),
                        missed => format!(" {missed} had been decided or had changed meanwhile, and are as they were."),
                    }
                ),
            },
            Notice::TakenBack { comments: 0 } => Self {
                undo: None,
                class: "warn",
                strong: "There was nothing to take back.".to_owned(),
                rest: "Somebody has decided otherwise since.".to_owned(),
            },
            Notice::TakenBack { comments } => Self {
                undo: None,
                class: "good",
                strong: "Taken back.".to_owned(),
                rest: format!("{} again.", words::count(comments, "comment waits", "comments wait")),
            },
            Notice::TooManyToPublish { max } => Self {
                undo: None,
                class: "warn",
                strong: format!("At most {max} are published together."),
                rest: "What readers get to see should have been read. Nothing was ruled.".to_owned(),
            },
            Notice::AlreadyDecided(ruled) => Self {
                undo: None,
                class: "good",
                strong: format!("Already decided by {}, {} UTC:", safe::header_text(ruled.by), ruled.at.hour()),
                rest: format!("{}. Nothing changed now.", words::ruling(ruled.ruling)),
            },
            Notice::PageTooOld => Self {
                undo: None,
                class: "warn",
                strong: "This page was open too long.".to_owned(),
                rest: "Nothing changed. Here it is anew.".to_owned(),
            },
            Notice::EditedSince => Self {
                undo: None,
                class: "warn",
                strong: "The comment was edited meanwhile.".to_owned(),
                rest: "You see the new text. Nothing was ruled.".to_owned(),
            },
        }
    }
}

pub(super) fn said(ruled: Ruled<'_>) -> String {
    format!("{} by {}, {} at {} UTC", capital(words::ruling(ruled.ruling)), safe::header_text(ruled.by), ruled.at.day(), ruled.at.hour())
}

pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The class and the symbol of a band.
pub(super) fn band(band: Option<Band>) -> (&'static str, &'static str) {
    match band {
        Some(Band::LikelyFine) => ("fine", "g1"),
        Some(Band::Unsure) => ("unsure", "g2"),
        Some(Band::LikelySpam) => ("likely", "g3"),
        Some(Band::RulesOnly) | None => ("rules", "g0"),
    }
}

pub(super) fn notes(reasons: &[Reason], item: usize, first: usize) -> Vec<Note> {
    let note = |(index, reason): (usize, &Reason)| Note {
        number: first + index,
        id: reasons::note_id(item, first + index),
        text: safe::line(&short(&capital(&reason.text), REASON_CHARS_MAX).dotted("…", str::to_owned)),
        weight: reason.weight.word(),
        bars: reason.weight.bars(),
    };
    reasons.iter().enumerate().map(note).collect()
}

#[derive(Template)]
#[template(path = "action.html")]
struct Page<'a> {
    site: String,
    moderator: String,
    title: String,
    heading: String,
    open: usize,
    path: &'a str,
    say: Option<Say<'a>>,
    is_focused: bool,
    has_copies: bool,
    items: Vec<Shown>,
    others: Vec<Other>,
    these: String,
    until: String,
}

/// One item as the page shows it.
struct Shown {
    number: usize,
    total: usize,
    band: &'static str,
    band_class: &'static str,
    cells: &'static str,
    page: Html,
    age: String,
    name: Html,
    email: String,
    history: String,
    objections: Option<String>,
    website: Option<Html>,
    body: Html,
    cut_chars: usize,
    path: String,
    nonce: String,
    ruled: Option<String>,
    section: Section,
    /// Ruled on with it, as far as they stay ticked.
    copies: Vec<Copied>,
    can_publish: bool,
    spam: Vec<Note>,
    ham: Vec<Note>,
}

pub(super) struct Note {
    pub number: usize,
    pub id: String,
    pub text: Html,
    pub weight: &'static str,
    pub bars: u8,
}

struct Copied {
    value: String,
    number: usize,
    name: Html,
    page: Html,
    differs: Option<Html>,
    age: String,
}

struct Other {
    number: usize,
    is_current: bool,
    copies: usize,
    band: &'static str,
    page: Html,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticeTemplate {
    site: String,
    class: &'static str,
    heading: &'static str,
    meaning: String,
    advice: &'static str,
}
