//! Marks: the links and contacts by which a rewritten advertisement is still known: it may say anything, but it must say where to go.
//! A mark is a hash and what kind of thing it is of. Whether a mark tells anything, and what is done then, is `rules`' matter.

use crate::classifier::hashing::Hashing;
use crate::comment::{Comment, Shared};
use crate::text::{Link, Reading, domains};

/// Marks kept of one comment, so many of its links among them at most, so that decoys in front hide no telephone number behind.
pub const MARKS_MAX: usize = 4;
const LINKS_MAX: usize = 2;

/// Words before an `@name` that make it an address to write to; without one it is how people speak to each other.
const MESSENGERS: [&str; 17] = [
    "telegram",
    "tg",
    "whatsapp",
    "wa",
    "instagram",
    "insta",
    "ig",
    "snapchat",
    "snap",
    "kik",
    "signal",
    "viber",
    "wechat",
    "телеграм",
    "телеграмм",
    "тг",
    "ватсап",
];

/// Bytes of a path that tell one page from another; the rest is tracking.
const PATH_BYTES_MAX: usize = 64;

/// Digits of a telephone number. E.164 has at most 15; a folded text may lack some, since it has no digit three times in a row.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// Characters of a wallet or another code that nobody types by hand: 26 and more, less what folding takes.
const CODE_CHARS_MIN: usize = 24;

/// A hash with its kind in the lowest bits. Never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark(u64);

const KIND_BITS: u64 = 7;

impl Mark {
    fn new(shared: Shared, text: &str, hashing: &Hashing) -> Self {
        Self(hashing.word(text) & !KIND_BITS | kind(shared))
    }

    pub fn bits(self) -> u64 {
        self.0
    }

    /// None for 0, and for a kind there is not.
    pub fn from_bits(bits: u64) -> Option<Self> {
        KINDS.iter().any(|of| kind(*of) == bits & KIND_BITS).then_some(Self(bits))
    }

    /// What it is a mark of.
    pub fn shared(self) -> Shared {
        KINDS.into_iter().find(|of| kind(*of) == self.0 & KIND_BITS).unwrap_or(Shared::Code)
    }
}

const KINDS: [Shared; 5] = [Shared::Link, Shared::Phone, Shared::Mail, Shared::Name, Shared::Code];

/// As it stands in the lowest bits.
fn kind(shared: Shared) -> u64 {
    match shared {
        Shared::Text => 0,
        Shared::Link => 1,
        Shared::Phone => 2,
        Shared::Mail => 3,
        Shared::Name => 4,
        Shared::Code => 5,
    }
}

/// The marks of a comment, each once: links first, then what stands in the text, then the author's website.
pub fn marks(comment: &Comment, reading: &Reading, hashing: &Hashing) -> [Option<Mark>; MARKS_MAX] {
    let page = comment.page.url.as_deref().map(Link::parse);
    let is_own = |link: &Link| page.as_ref().is_some_and(|page| page.domain() == link.domain());
    let link_mark = |link: &Link| Some(Mark::new(Shared::Link, &place(link).filter(|_| !is_own(link))?, hashing));
    let website = comment.author.url.as_deref().map(Link::parse);
    let links = reading.links.iter().filter_map(link_mark).take(LINKS_MAX);
    let found = links.chain(contacts(&reading.folded, hashing)).chain(website.as_ref().and_then(link_mark));
    let mut marks = [None; MARKS_MAX];
    for mark in found {
        if marks.contains(&Some(mark)) {
            continue;
        }
        let Some(free) = marks.iter_mut().find(|slot| slot.is_none()) else { break };
        *free = Some(mark);
    }
    marks
}

/// Where a link leads, as far as it tells one advertiser from another: the domain, or the page where everybody has pages.
fn place(link: &Link) -> Option<String> {
    let domain = link.domain();
    if !domain.contains(['.', ':']) {
        return None;
    }
    if !(domains::is_everybodys(domain) || link.is_shortened()) {
        return Some(domain.to_owned());
    }
    let path = link.url.split_once("://").map_or(link.url.as_str(), |(_, rest)| rest).split_once('/').map_or("", |(_, path)| path);
    let path = path.split(['#', '&']).next().unwrap_or("").trim_end_matches('/');
    // The front page of such a host is nobody's.
    (!path.is_empty()).then(|| format!("{domain}/{}", crate::text::cut(path, PATH_BYTES_MAX)))
}

/// The links and contacts in a text alone, each as often as it stands there; without links to the page's own domain.
pub fn in_text<'a>(reading: &'a Reading, page_url: Option<&str>, hashing: &'a Hashing) -> impl Iterator<Item = Mark> + 'a {
    let own = page_url.map(|url| Link::parse(url).domain().to_owned());
    let elsewhere = reading.links.iter().filter(move |link| own.as_deref() != Some(link.domain()));
    let links = elsewhere.filter_map(|link| Some(Mark::new(Shared::Link, &place(link)?, hashing)));
    links.chain(contacts(&reading.folded, hashing)).take(MARKS_MAX)
}

/// Mail addresses, names at messengers, telephone numbers and codes of a folded text, in the order they stand.
fn contacts<'a>(folded: &'a str, hashing: &'a Hashing) -> impl Iterator<Item = Mark> + 'a {
    let mut before = ["", ""];
    let words = folded.split(' ').filter_map(move |word| {
        let word = word.trim_matches(|c: char| !(c.is_alphanumeric() || matches!(c, '@' | '+' | '_')));
        let found = contact(word, before).map(|(shared, text)| Mark::new(shared, text, hashing));
        before = [before[1], word];
        found
    });
    words.chain(phones(folded).map(|digits| Mark::new(Shared::Phone, &digits, hashing)))
}

fn contact<'a>(word: &'a str, before: [&str; 2]) -> Option<(Shared, &'a str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match word.split_once('@') {
        Some(("", name)) if name.len() >= 4 && name.chars().all(is_name) => {
            let messenger = |word: &str| MESSENGERS.contains(&word.trim_end_matches(|c: char| !c.is_alphanumeric()));
            before.iter().any(|word| messenger(word)).then_some((Shared::Name, name))
        }
        Some((_, host)) if !word.starts_with('@') && host.contains('.') => Some((Shared::Mail, word)),
        Some(_) => None,
        None => {
            let digits = word.bytes().filter(u8::is_ascii_digit).count();
            let is_code = word.len() >= CODE_CHARS_MIN && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
            (is_code && digits >= 4 && word.len() - digits >= 4).then_some((Shared::Code, word))
        }
    }
}

/// Words of digits in a row, over the signs that people set between them, if they begin as numbers do: with `+`, `(` or `0`, or ten digits
/// without a break.
fn phones(folded: &str) -> impl Iterator<Item = String> + '_ {
    let is_inside = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | '(' | ')' | '/');
    let mut words = folded.split([' ', ':', ',', ';']).chain([""]);
    std::iter::from_fn(move || {
        let mut run = String::new();
        loop {
            let word = words.next()?;
            if !word.is_empty() && word.trim_end_matches(['!', '?']).chars().all(is_inside) {
                run.push_str(word);
            } else if !run.is_empty() {
                return Some(run);
            }
        }
    })
    .filter_map(|run| {
        let digits: String = run.chars().filter(char::is_ascii_digit).take(*PHONE_DIGITS.end() + 1).collect();
        let is_number = run.starts_with(['+', '(', '0']) || digits.len() == run.len() && digits.len() >= 10;
        (is_number && PHONE_DIGITS.contains(&digits.len())).then_some(digits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::comment::{Limits, Submission};
    use crate::dice::Dice;
    use crate::id::{CommentId, SiteId};

    fn marked(submission: Submission) -> Vec<Mark> {
        let (now, limits) = (Timestamp::from_ms(0), Limits { body_bytes_max: 100_000, field_bytes_max: 1_000, excerpt_bytes_max: 1_000 });
        let comment = Comment::parse(submission, CommentId::new(now, &Dice::seeded(1)), SiteId::new("s"), now, limits).unwrap();
        marks(&comment, &Reading::of(&comment.body), &Hashing::of(7)).into_iter().flatten().collect()
    }

    fn of(body: &str) -> Vec<Mark> {
        marked(Submission { body: Some(body.into()), page_url: Some("https://www.blog.example/a".into()), ..Submission::default() })
    }

    fn check(body: &str, expected: &[&str]) {
        assert_eq!(of(body).iter().map(|mark| mark.shared().words()).collect::<Vec<_>>(), expected, "{body}");
    }

    #[test]
    fn a_comment_is_marked_by_where_it_sends_people() {
        check("Nothing to see here at all.", &[]);
        check("see http://shop.example/a and https://www.shop.example/b", &["link"]);
        check("read https://blog.example/other, it is yours", &[]);
        check("watch https://youtube.com and https://facebook.com/", &[]);
        check("write to ann.lee@mail.example or telegram: @annlee77", &["mail address", "messenger name"]);
        check("thanks @annlee77, and see you @home", &[]);
        check("WhatsApp +1 (555) 010-2345 or 00 44 20 7946 0123", &["telephone number", "telephone number"]);
        check("in 2013-10-19 it cost 1 000 000, not 25.000.000", &[]);
        check("send to 0x52908400098527886E0F7030069857D2E4169EE7 now", &["wallet or code"]);
        check("a.example b.example c.example d.example +49 30 901820", &["link", "link", "telephone number"]);
    }

    #[test]
    fn what_leads_to_one_place_is_one_mark_however_it_is_written() {
        let check = |a: &str, b: &str, same: bool| assert_eq!(of(a).first() == of(b).first(), same, "{a} | {b}");
        check("go to http://www.deal.shop.example/x?y=1", "https://SHOP.example", true);
        check("https://youtube.com/watch?v=abc&t=3", "http://www.youtube.com/watch?v=abc", true);
        check("https://youtube.com/watch?v=abc", "https://youtube.com/watch?v=abd", false);
        check("https://bit.ly/aaa", "https://bit.ly/bbb", false);
        check("https://ann.co.uk/x", "https://bob.co.uk/x", false);
        check("https://ann.github.io/x", "https://bob.github.io/x", false);
        check("https://ann.blogspot.com", "https://ann.blogspot.com/2024/a", true);
        check("http://203.0.113.7/x", "http://198.51.113.7/x", false);
        check("call +1-555-010-2345", "call (1) 555 0102345!", true);
        check("call ＋１ ５５５ ０１０ ２３４５", "call +1 555 010 2345", true);
    }

    #[test]
    fn the_authors_website_counts_like_a_link() {
        let website = Submission { body: Some("Nice.".into()), url: Some("https://shop.example".into()), ..Submission::default() };
        assert_eq!(marked(website), of("see shop.example"));
    }

    #[test]
    fn marks_come_back_from_their_bits() {
        for mark in of("a.example me@mail.example") {
            assert_eq!(Mark::from_bits(mark.bits()), Some(mark));
        }
        assert_eq!((Mark::from_bits(0), Mark::from_bits(7), Mark::from_bits(8)), (None, None, None));
    }
}
