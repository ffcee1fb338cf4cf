//! The digest: held comments put before one moderator in one mail, as text and as HTML; spot checks stand apart from them, and near-copies
//! behind one of them. The subject holds counts and the site's configured name only; what does not fit into the budget of bytes waits on
//! the page.

use super::excerpt::{excerpt, short};
use super::reasons::Reason;
use super::safe::{self, Html};
use super::{Item, Section, leads, rendered, words};
use crate::clock::Timestamp;
use crate::decision::{Band, Status};
use askama::Template;
use std::collections::BTreeSet;

/// Gmail clips HTML at 102 KB; clients on phones earlier. Bytes of UTF-8.
const HTML_BYTES_MAX: usize = 70_000;

/// Of the whole message's 90 KB, what its headers and boundaries leave; counted as quoted-printable, the costlier encoding.
const ENCODED_BYTES_MAX: usize = 87_000;

/// What header, footer and preheader weigh at most, encoded.
const FRAME_BYTES_MAX: usize = 6_000;

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
            handled: self.handled_words(),
            effort: self.effort(),
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
        let (mut html_bytes, mut encoded_bytes, mut last) = (FRAME_BYTES_MAX, FRAME_BYTES_MAX, None);
        let level = if self.has_headings() { 3 } else { 2 };
        for (item, copies) in leads(self.items).take(self.items_max) {
            let heading = Some(item.section()).filter(|section| last != Some(*section)).and_then(|section| self.heading(section));
            let html = rendered(&self.html_item(item, &copies, (heading, level)));
            let text = rendered(&self.text_item(item, &copies, heading));
            html_bytes += html.len();
            encoded_bytes += encoded(&html) + encoded(&text);
            if html_bytes > HTML_BYTES_MAX || encoded_bytes > ENCODED_BYTES_MAX {
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

    fn more_words(&self, on_page: usize) -> String {
        match (on_page, self.behind) {
            (0, 0) => String::new(),
            (on_page, 0) => format!("{on_page} more on the page."),
            (on_page, behind) => format!("{on_page} more on the page, and {behind} more once these are decided."),
        }
    }

    /// Counts and the configured name only: no word of a commenter reaches a header.
    fn subject(&self) -> String {
        let site = safe::header_text(self.site_name);
        let comments = words::count(self.items.len() + self.behind, "comment", "comments");
        let asks = match self.occasion {
            Occasion::New => "to review",
            Occasion::Flood => "at once to review",
            Occasion::Reminder => "still to review",
            Occasion::Handover => "left for you to review",
            Occasion::Weekly => return format!("[{site}] {comments} rejected near the line"),
        };
        let counted = |band, what: String| Some(self.banded(band)).filter(|count| *count > 0).map(|count| format!("{count} {what}, "));
        let spam = counted(Some(Band::LikelySpam), "likely spam".to_owned()).unwrap_or_default();
        let plural = if self.banded(None) == 1 { "spot check" } else { "spot checks" };
        let checks = counted(None, plural.to_owned()).unwrap_or_default();
        let oldest = self.items.iter().map(|item| item.comment.received_at).min().unwrap_or(self.now);
        format!("[{site}] {comments} {asks} ({spam}{checks}oldest {})", words::span(oldest, self.now))
    }

    fn banded(&self, band: Option<Band>) -> usize {
        self.items.iter().filter(|item| item.band() == band).count()
    }

    fn headline(&self) -> String {
        let all = self.items.len() + self.behind;
        let is_one = all == 1;
        let says = match self.occasion {
            Occasion::New | Occasion::Flood if is_one => "waits for you",
            Occasion::New | Occasion::Flood => "wait for you",
            Occasion::Reminder if is_one => "still waits for you",
            Occasion::Reminder => "still wait for you",
            Occasion::Handover if is_one => "was left for you",
            Occasion::Handover => "were left for you",
            Occasion::Weekly if is_one => "was rejected near the line",
            Occasion::Weekly => "were rejected near the line",
        };
        format!("{} {says}", words::count(all, "comment", "comments"))
    }

    fn handled_words(&self) -> String {
        match self.handled {
            0 => String::new(),
            1 => "1 other was handled automatically.".to_owned(),
            handled => format!("{handled} others were handled automatically."),
        }
    }

    /// What is asked of the reader, and how long it takes: twenty seconds each, as moderators take for short comments.
    fn effort(&self) -> String {
        let asks = match self.occasion {
            Occasion::New | Occasion::Reminder => "",
            Occasion::Handover => "Nobody else has decided, so they come to you, who stands by.",
            Occasion::Flood => return "So many came at once that this is a summary; the next comes tomorrow.".to_owned(),
            Occasion::Weekly => {
                return "Their scores were just over the line: a little less, and you would have been asked. Publish what should not have \
                        been rejected; the rest asks for nothing."
                    .to_owned();
            }
        };
        let leads = leads(self.items).count();
        let takes = match (leads, (leads * 20).div_ceil(60)) {
            (0 | 1, _) => String::new(),
            (_, 1) => "These take about a minute.".to_owned(),
            (_, minutes) => format!("These take about {minutes} minutes."),
        };
        [asks, &takes].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
    }

    fn opening(&self) -> Vec<String> {
        let said = format!("{}. {}", self.headline(), self.handled_words());
        let lines = [said.trim_end().to_owned(), self.effort()].map(|text| wrapped(&text, COLUMNS));
        lines.into_iter().flatten().filter(|line| !line.is_empty()).collect()
    }

    /// What a mail program shows beside the subject.
    fn preheader(&self) -> String {
        let bands = [Some(Band::LikelySpam), Some(Band::Unsure), Some(Band::LikelyFine), Some(Band::RulesOnly), None];
        let counted = bands.map(|band| (self.banded(band), words::band(band).to_lowercase()));
        let parts: Vec<String> = counted.iter().filter(|(count, _)| *count > 0).map(|(count, band)| format!("{count} {band}")).collect();
        format!("{}. {}", parts.join(", "), self.handled_words())
    }

    fn all_words(&self) -> String {
        match self.items.len() {
            1 => "it".to_owned(),
            2 => "both".to_owned(),
            total => format!("all {}", words::spelt(total)),
        }
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
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
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

/// Bytes in quoted-printable (RFC 2045, section 6.7): three for what is not plain ASCII, and a soft break every 73.
fn encoded(text: &str) -> usize {
    let bytes: usize = text.bytes().map(|b| if matches!(b, b' '..=b'<' | b'>'..=b'~') { 1 } else { 3 }).sum();
    bytes + bytes.div_ceil(73) * 3
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
    handled: String,
    effort: String,
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
