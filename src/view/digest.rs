//! The digest: held comments put before one moderator in one mail, as text and as HTML. The subject holds counts and the site's
//! configured name only; what does not fit into the budget of bytes waits on the page.

use super::excerpt::{excerpt, short};
use super::reasons::Reason;
use super::safe::{self, Html};
use super::{Item, rendered, words};
use crate::clock::Timestamp;
use crate::decision::Band;
use askama::Template;

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
}

/// Everything a digest is made of.
#[derive(Debug, Clone, Copy)]
pub struct DigestView<'a> {
    pub occasion: Occasion,
    pub site_name: &'a str,
    pub moderator_name: &'a str,
    pub items: &'a [Item<'a>],
    /// Further comments that wait, shown only on the page.
    pub more: usize,
    /// Those that wait beyond what the page can hold.
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
        let (html, text) = self.fitting();
        let frame = Frame {
            subject: self.subject(),
            site: safe::header_text(self.site_name),
            moderator: safe::header_text(self.moderator_name),
            headline: self.headline(),
            handled: self.handled_words(),
            effort: self.effort(),
            preheader: self.preheader(),
            more: self.more_words(self.total() - html.len()),
            all: self.all_words(),
            these: words::these(self.total()),
            review_url: self.review_url,
            pause_url: self.pause_url,
            until: self.expires_at.day(),
        };
        let text = rendered(&TextMail { frame: &frame, items: &text }) + "\n";
        let html = rendered(&HtmlMail { frame: &frame, items: &html });
        DigestMail { subject: frame.subject, text, html }
    }

    /// As many items from the front as the budget of bytes holds.
    fn fitting(&self) -> (Vec<String>, Vec<String>) {
        let (mut html, mut text) = (Vec::new(), Vec::new());
        let (mut html_bytes, mut encoded_bytes) = (FRAME_BYTES_MAX, FRAME_BYTES_MAX);
        for item in self.items {
            let one_html = rendered(&self.html_item(item));
            let one_text = rendered(&self.text_item(item));
            html_bytes += one_html.len();
            encoded_bytes += encoded(&one_html) + encoded(&one_text);
            if html_bytes > HTML_BYTES_MAX || encoded_bytes > ENCODED_BYTES_MAX {
                break;
            }
            html.push(one_html);
            text.push(one_text);
        }
        (html, text)
    }

    fn total(&self) -> usize {
        self.items.len() + self.more
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
        let comments = words::count(self.total() + self.behind, "comment", "comments");
        let asks = match self.occasion {
            Occasion::New => "to review",
            Occasion::Flood => "at once to review",
            Occasion::Reminder => "still to review",
        };
        let spam = self.banded(Some(Band::LikelySpam));
        let oldest = self.items.iter().map(|item| item.comment.received_at).min().unwrap_or(self.now);
        let spam = if spam > 0 { format!("{spam} likely spam, ") } else { String::new() };
        format!("[{}] {comments} {asks} ({spam}oldest {})", safe::header_text(self.site_name), words::span(oldest, self.now))
    }

    fn banded(&self, band: Option<Band>) -> usize {
        self.items.iter().filter(|item| item.band() == band).count()
    }

    fn headline(&self) -> String {
        let all = self.total() + self.behind;
        let wait = match (self.occasion, all) {
            (Occasion::New | Occasion::Flood, 1) => "waits",
            (Occasion::New | Occasion::Flood, _) => "wait",
            (Occasion::Reminder, 1) => "still waits",
            (Occasion::Reminder, _) => "still wait",
        };
        format!("{} {wait} for you", words::count(all, "comment", "comments"))
    }

    fn handled_words(&self) -> String {
        match self.handled {
            0 => String::new(),
            1 => "1 other was handled automatically.".to_owned(),
            handled => format!("{handled} others were handled automatically."),
        }
    }

    /// Twenty seconds each, as moderators take for short comments.
    fn effort(&self) -> String {
        if self.occasion == Occasion::Flood {
            return "So many came at once that this is a summary; the next comes tomorrow.".to_owned();
        }
        match (self.total(), (self.total() * 20).div_ceil(60)) {
            (0 | 1, _) => String::new(),
            (_, 1) => "These take about a minute.".to_owned(),
            (_, minutes) => format!("These take about {minutes} minutes."),
        }
    }

    /// What a mail program shows beside the subject.
    fn preheader(&self) -> String {
        let bands = [Some(Band::LikelySpam), Some(Band::Unsure), Some(Band::LikelyFine), Some(Band::RulesOnly), None];
        let counted = bands.map(|band| (self.banded(band), words::band(band).to_lowercase()));
        let parts: Vec<String> = counted.iter().filter(|(count, _)| *count > 0).map(|(count, band)| format!("{count} {band}")).collect();
        format!("{}. {}", parts.join(", "), self.handled_words())
    }

    fn all_words(&self) -> String {
        match self.total() {
            1 => "it".to_owned(),
            total => format!("all {}", words::spelt(total)),
        }
    }

    fn html_item(&self, item: &Item<'_>) -> HtmlItem {
        let shown = |text: &str, chars_max| safe::mail(&short(text, chars_max).dotted("…", str::to_owned));
        let reasons = item.reasons();
        let quote = excerpt(&item.comment.body, &reasons.needles(), self.excerpt_chars_max).dotted("…", str::to_owned);
        let (class, colour, cells) = dress(item.band());
        HtmlItem {
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
            is_check: item.is_check,
            spam: said(&reasons.spam, |text| shown(text, REASON_CHARS_MAX)),
            ham: said(&reasons.ham, |text| shown(text, REASON_CHARS_MAX)),
            url: format!("{}?i={}", self.review_url, item.number),
        }
    }

    fn text_item(&self, item: &Item<'_>) -> TextItem {
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
            number: item.number,
            band: words::band(item.band()).to_uppercase(),
            page: shown(words::page(item.comment), TITLE_CHARS_MAX),
            age: words::ago(item.comment.received_at, self.now),
            name: shown(words::name(item.comment), NAME_CHARS_MAX),
            facts: facts(item, "..."),
            why: spam.into_iter().chain(ham).collect(),
            is_check: item.is_check,
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

/// What both mails say around their items.
struct Frame<'a> {
    subject: String,
    site: String,
    moderator: String,
    headline: String,
    handled: String,
    effort: String,
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
    is_check: bool,
    spam: Vec<Html>,
    ham: Vec<Html>,
    url: String,
}

#[derive(Template)]
#[template(path = "digest_item.txt")]
struct TextItem {
    number: usize,
    band: String,
    page: String,
    age: String,
    name: String,
    facts: String,
    why: Vec<String>,
    is_check: bool,
    quote: Vec<String>,
    url: String,
}
