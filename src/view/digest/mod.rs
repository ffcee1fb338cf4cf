//! The digest: held comments put before one moderator in one mail, as text and as HTML; spot checks stand apart from them, and near-copies
//! behind one of them. The subject holds counts and the site's configured name only; what does not fit into the budget of bytes waits on
//! the page.

mod said;
mod weight;

use crate::clock::Timestamp;
use crate::decision::{Band, Status};
use crate::view::excerpt::{excerpt, short};
use crate::view::reasons::Reason;
use crate::view::safe::{self, Html};
use crate::view::{Item, Section, leads, rendered, words};
use askama::Template;
use std::collections::BTreeSet;
use weight::Weight;

/// Gmail clips HTML at 102 KB; clients on phones earlier. Bytes of UTF-8.
const HTML_BYTES_MAX: usize = 70_000;

/// Of the whole message's 90 KB, what its headers and boundaries leave.
const ENCODED_BYTES_MAX: usize = 87_000;

/// What stands around the items has at most so many bytes, of HTML and of text.
const FRAME_BYTES_MAX: (usize, usize) = (5_000, 1_000);

const NAME_CHARS_MAX: usize = 60;
const TITLE_CHARS_MAX: usize = 90;
const REASON_CHARS_MAX: usize = 90;

/// Reasons of each side in a mail; the page has more.
const REASONS_MAX: usize = 3;

/// RFC 3676 asks for lines below 78; less keeps quoted replies whole.
const COLUMNS: usize = 64;

/// Why a digest is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    New,
    /// Too many to be worked through in mails: some examples, and the page.
    Flood,
    /// They were mailed before and still wait.
    Reminder,
    /// Whose turn it was left them to somebody who stands by.
    Handover,
    /// A week's rejections that stood near the line. They ask for nothing.
    Weekly,
}

/// Everything a digest is made of.
#[derive(Debug, Clone, Copy)]
pub struct DigestView<'a> {
    pub occasion: Occasion,
    pub site_name: &'a str,
    pub moderator_name: &'a str,
    /// All that the page holds, the sections one after another.
    pub items: &'a [Item<'a>],
    /// Items shown in the mail, near-copies counted with the one that stands for them; the others wait on the page.
    pub items_max: usize,
    /// Comments that wait beyond what the page can hold.
    pub behind: usize,
    /// Comments decided without a person since the last digest.
    pub handled: u64,
    /// Of each comment's text; 0 quotes nothing.
    pub excerpt_chars_max: usize,
    /// `https://mod.blog.example/d/TOKEN`, without a query.
    pub review_url: &'a str,
    pub pause_url: Option<&'a str>,
    pub expires_at: Timestamp,
    pub now: Timestamp,
}

/// A mail ready for its envelope: at most 70 KB of HTML, at most 90 KB as sent, whatever the comments hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestMail {
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl DigestView<'_> {
    pub fn render(&self) -> DigestMail {
        let Fitting { html, text, comments } = self.fitting();
        let total = self.items.len();
        let frame = Frame {
            subject: self.subject(),
            site: safe::header_text(self.site_name),
            moderator: safe::header_text(self.moderator_name),
            headline: self.headline(),
            lead: self.lead(),
            opening: self.opening(),
            preheader: self.preheader(),
            more: self.more_words(total - comments),
            all: self.all_words(),
            these: words::these(total),
            review_url: self.review_url,
            pause_url: self.pause_url,
            until: self.expires_at.day(),
        };
        let text = rendered(&TextMail { frame: &frame, items: &text }) + "\n";
        let html = rendered(&HtmlMail { frame: &frame, items: &html });
        DigestMail { subject: frame.subject, text, html }
    }

    /// As many items from the front as the budget of bytes holds.
    fn fitting(&self) -> Fitting {
        let mut fitting = Fitting { html: Vec::new(), text: Vec::new(), comments: 0 };
        let (html_frame, text_frame) = FRAME_BYTES_MAX;
        let (mut html_weight, mut text_weight) = (Weight::plain(html_frame), Weight::plain(text_frame));
        let (mut html_bytes, mut last) = (html_frame, None);
        let level = if self.has_headings() { 3 } else { 2 };
        for (item, copies) in leads(self.items).take(self.items_max) {
            let heading = Some(item.section()).filter(|section| last != Some(*section)).and_then(|section| self.heading(section));
            let html = rendered(&self.html_item(item, &copies, (heading, level)));
            let text = rendered(&self.text_item(item, &copies, heading));
            html_bytes += html.len();
            (html_weight, text_weight) = (html_weight.plus(Weight::of(&html)), text_weight.plus(Weight::of(&text)));
            if html_bytes > HTML_BYTES_MAX || html_weight.encoded() + text_weight.encoded() > ENCODED_BYTES_MAX {
                break;
            }
            last = Some(item.section());
            fitting.html.push(html);
            fitting.text.push(text);
            fitting.comments += 1 + copies.len();
        }
        fitting
    }

    /// Where all is of one kind, the headline says of which; spot checks explain themselves.
    fn heading(&self, section: Section) -> Option<Heading> {
        match section {
            Section::Waits => self.has_headings().then_some(Heading { title: "Waiting for a ruling", lead: "" }),
            Section::Check => Some(Heading {
                title: "Decided automatically, a second look",
                lead: "Drawn by chance. Hamlet does not say what it decided, so that your word is your own.",
            }),
            Section::NearTheLine => None,
        }
    }

    fn has_headings(&self) -> bool {
        self.items.iter().any(|item| item.section() == Section::Check)
    }

    fn html_item(&self, item: &Item<'_>, copies: &[&Item<'_>], (heading, level): (Option<Heading>, u8)) -> HtmlItem {
        let shown = |text: &str, chars_max| safe::mail(&short(text, chars_max).dotted("…", str::to_owned));
        let reasons = item.reasons();
        let quote = excerpt(&item.comment.body, &reasons.needles(), self.excerpt_chars_max).dotted("…", str::to_owned);
        let (class, colour, cells) = dress(item.band());
        HtmlItem {
            heading,
            level,
            class,
            colour,
            cells,
            number: item.number,
            band: words::band(item.band()),
            page: shown(words::page(item.comment), TITLE_CHARS_MAX),
            // A number keeps its unit.
            age: words::ago(item.comment.received_at, self.now).replace(' ', "\u{a0}"),
            name: shown(words::name(item.comment), NAME_CHARS_MAX),
            facts: facts(item, "…"),
            quote: (self.excerpt_chars_max > 0).then(|| safe::mail(&quote)),
            alike: alike(item, copies),
            copies: copies.len(),
            why: why(item),
            spam: said(&reasons.spam, |text| shown(text, REASON_CHARS_MAX)),
            ham: said(&reasons.ham, |text| shown(text, REASON_CHARS_MAX)),
            url: format!("{}?i={}", self.review_url, item.number),
        }
    }

    fn text_item(&self, item: &Item<'_>, copies: &[&Item<'_>], heading: Option<Heading>) -> TextItem {
        let shown = |text: &str, chars_max| safe::isolated(&short(text, chars_max).dotted("...", safe::plain));
        let reasons = item.reasons();
        let quote = if self.excerpt_chars_max == 0 {
            String::new()
        } else {
            excerpt(&item.comment.body, &reasons.needles(), self.excerpt_chars_max).dotted("...", safe::plain)
        };
        let spam = said(&reasons.spam, |text| format!("+ {}", shown(text, REASON_CHARS_MAX)));
        let ham = said(&reasons.ham, |text| format!("- {}", shown(text, REASON_CHARS_MAX)));
        TextItem {
            heading,
            lead: heading.filter(|heading| !heading.lead.is_empty()).map(|heading| wrapped(heading.lead, COLUMNS)).unwrap_or_default(),
            number: item.number,
            band: words::band(item.band()).to_uppercase(),
            page: shown(words::page(item.comment), TITLE_CHARS_MAX),
            age: words::ago(item.comment.received_at, self.now),
            name: shown(words::name(item.comment), NAME_CHARS_MAX),
            facts: facts(item, "..."),
            alike: alike(item, copies),
            copies: copies.len(),
            why: spam.into_iter().chain(ham).collect(),
            quote: wrapped(&quote, COLUMNS).iter().filter(|line| !line.is_empty()).map(|line| safe::isolated(line)).collect(),
            url: format!("{}?i={}", self.review_url, item.number),
        }
    }
}

/// The class, colour and cells of a band; fine left, spam right, as on the page.
fn dress(band: Option<Band>) -> (&'static str, &'static str, &'static str) {
    match band {
        Some(Band::LikelyFine) => ("f", "#0b6653", "■□□"),
        Some(Band::Unsure) => ("u", "#7c5000", "□■□"),
        Some(Band::LikelySpam) => ("l", "#a01c49", "□□■"),
        Some(Band::RulesOnly) | None => ("s", "#4e5a5e", "□□□"),
    }
}

/// `22 more like it, by 23 names on 3 pages`; none where there is no other.
fn alike(item: &Item<'_>, copies: &[&Item<'_>]) -> Option<String> {
    let all = || std::iter::once(item).chain(copies.iter().copied());
    let names: BTreeSet<&str> = all().map(|item| words::name(item.comment)).collect();
    let pages: BTreeSet<&str> = all().map(|item| words::page(item.comment)).collect();
    let places = format!("by {} on {}", words::count(names.len(), "name", "names"), words::count(pages.len(), "page", "pages"));
    (!copies.is_empty()).then(|| format!("{} more like it, {places}", copies.len()))
}

/// What stands before the reasons; none where there are none to be told.
fn why(item: &Item<'_>) -> Option<&'static str> {
    match (item.section(), item.status) {
        (Section::Check, _) => None,
        (Section::Waits | Section::NearTheLine, Status::Held | Status::Queued) => Some("Why held:"),
        (Section::Waits | Section::NearTheLine, Status::Published) => Some("Why published:"),
        (Section::Waits | Section::NearTheLine, Status::Rejected) => Some("Why rejected:"),
    }
}

fn facts(item: &Item<'_>, dots: &str) -> String {
    let email = item.comment.author.email.as_deref().map_or_else(|| "no address".to_owned(), |email| safe::mask_email(email, dots));
    let history = words::history(item.history);
    [email, history].into_iter().chain(words::objections(item.objections)).collect::<Vec<_>>().join(", ")
}

fn said<T>(reasons: &[Reason], show: impl Fn(&str) -> T) -> Vec<T> {
    reasons.iter().take(REASONS_MAX).map(|reason| show(&reason.text)).collect()
}

/// Lines of at most `columns` characters; a longer word has a line of its own.
pub(in crate::view) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= columns {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Items that fit, ready for the mail.
struct Fitting {
    html: Vec<String>,
    text: Vec<String>,
    /// How many comments they are, with their near-copies.
    comments: usize,
}

/// Over the first item of a section.
#[derive(Clone, Copy)]
struct Heading {
    title: &'static str,
    lead: &'static str,
}

/// What both mails say around their items.
struct Frame<'a> {
    subject: String,
    site: String,
    moderator: String,
    headline: String,
    lead: String,
    /// All that stands before the items, in lines.
    opening: Vec<String>,
    preheader: String,
    more: String,
    all: String,
    these: String,
    review_url: &'a str,
    pause_url: Option<&'a str>,
    until: String,
}

#[derive(Template)]
#[template(path = "digest.html")]
struct HtmlMail<'a> {
    frame: &'a Frame<'a>,
    items: &'a [String],
}

#[derive(Template)]
#[template(path = "digest.txt")]
struct TextMail<'a> {
    frame: &'a Frame<'a>,
    items: &'a [String],
}

#[derive(Template)]
#[template(path = "digest_item.html")]
struct HtmlItem {
    heading: Option<Heading>,
    /// Of the item's own heading.
    level: u8,
    class: &'static str,
    colour: &'static str,
    cells: &'static str,
    number: usize,
    band: &'static str,
    page: Html,
    age: String,
    name: Html,
    facts: String,
    quote: Option<Html>,
    alike: Option<String>,
    copies: usize,
    why: Option<&'static str>,
    spam: Vec<Html>,
    ham: Vec<Html>,
    url: String,
}

#[derive(Template)]
#[template(path = "digest_item.txt")]
struct TextItem {
    heading: Option<Heading>,
    lead: Vec<String>,
    number: usize,
    band: String,
    page: String,
    age: String,
    name: String,
    facts: String,
    alike: Option<String>,
    copies: usize,
    why: Vec<String>,
    quote: Vec<String>,
    url: String,
}
