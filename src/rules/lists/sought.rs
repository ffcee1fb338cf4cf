//! What of a comment can stand on a list: its words, hosts, address, numbers and plain texts, each made ready once, when the first list
//! asks for it, and then looked up by every list.

use super::Place;
use super::hashes::{Of, hash};
use super::patterns;
use crate::comment::Comment;
use crate::text::{self, Link, Reading, tokens};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::IpAddr;

/// Numbers are compared by their last digits, so that a country code or a zero before them makes no difference (E.164: 15 at most).
const NUMBER_DIGITS_COMPARED: usize = 10;
pub const NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// What stands between the digits of one number, and how much of it.
const SEPARATORS: [char; 7] = [' ', '-', '.', '(', ')', '+', '/'];
const SEPARATORS_MAX: usize = 3;

/// A comment as lists look at it.
pub struct Sought<'a> {
    comment: &'a Comment,
    reading: &'a Reading,
    words: [OnceCell<Words<'a>>; 3],
    plain: [OnceCell<String>; 3],
    hosts: OnceCell<Vec<Host>>,
    address: OnceCell<Option<String>>,
}

/// A folded text and its words.
pub struct Words<'a> {
    pub folded: Cow<'a, str>,
    /// The hash of each, where it begins and where it ends.
    pub at: Vec<(u64, usize, usize)>,
}

/// A host that the comment names, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Host {
    pub place: Place,
    pub name: String,
    /// The host itself, then its parents: the hash of each, and where it begins in the name.
    pub domains: Vec<(u64, usize)>,
}

impl<'a> Sought<'a> {
    pub fn new(comment: &'a Comment, reading: &'a Reading) -> Self {
        let (hosts, address) = (OnceCell::new(), OnceCell::new());
        Self { comment, reading, words: Default::default(), plain: Default::default(), hosts, address }
    }

    /// The words of a text; none where the place has no text.
    pub fn words(&self, place: Place) -> Option<&Words<'a>> {
        let cell = self.words.get(place.text_index()?)?;
        Some(cell.get_or_init(|| {
            let is_read = place == Place::Text;
            Words::of(if is_read { Cow::Borrowed(&self.reading.folded) } else { Cow::Owned(text::folded(self.written(place))) })
        }))
    }

    /// A text as patterns and numbers are searched for: see [`patterns::text`].
    pub fn plain(&self, place: Place) -> Option<&str> {
        let cell = self.plain.get(place.text_index()?)?;
        Some(cell.get_or_init(|| patterns::text(&text::plain(self.written(place)))))
    }

    fn written(&self, place: Place) -> &str {
        let author = &self.comment.author;
        match place {
            Place::Text => &self.comment.body,
            Place::Name => author.name.as_deref().unwrap_or_default(),
            Place::UserAgent => author.user_agent.as_deref().unwrap_or_default(),
            Place::Links | Place::Url | Place::Email | Place::Ip => "",
        }
    }

    /// The links of a place as they were written, in lower case.
    pub fn urls(&self, place: Place) -> Vec<String> {
        match place {
            Place::Links => self.reading.links.iter().map(|link| patterns::text(&link.url)).collect(),
            Place::Url => self.comment.author.url.iter().map(|url| patterns::text(url)).collect(),
            Place::Text | Place::Name | Place::Email | Place::Ip | Place::UserAgent => Vec::new(),
        }
    }

    /// The hosts of a place.
    pub fn hosts(&self, place: Place) -> impl Iterator<Item = &Host> {
        let hosts = self.hosts.get_or_init(|| {
            let author = &self.comment.author;
            let links = self.reading.links.iter().map(|link| Host::new(Place::Links, link.host.clone(), Of::Domain));
            let url = author.url.iter().map(|url| Host::new(Place::Url, Link::parse(url).host, Of::Domain));
            let email = self.address().and_then(|address| address.rsplit_once('@'));
            let email = email.map(|(_, domain)| Host::new(Place::Email, domain.to_owned(), Of::Domain));
            links.chain(url).chain(email).collect()
        });
        hosts.iter().filter(move |host| host.place == place)
    }

    /// The author's email address, in lower case.
    pub fn address(&self) -> Option<&str> {
        self.address.get_or_init(|| self.comment.author.email.as_deref().map(str::to_lowercase)).as_deref()
    }

    pub fn ip(&self) -> Option<IpAddr> {
        self.comment.author.ip
    }
}

impl<'a> Words<'a> {
    fn of(folded: Cow<'a, str>) -> Self {
        let at = tokens::words(&folded).map(|(from, word)| (hash(Of::Word, word), from, from + word.len())).collect();
        Self { folded, at }
    }
}

impl Host {
    pub fn new(place: Place, name: String, of: Of) -> Self {
        let parents = name.match_indices('.').map(|(dot, _)| dot + 1);
        let domains = std::iter::once(0).chain(parents).filter_map(|from| Some((hash(of, name.get(from..)?), from))).collect();
        Self { place, name, domains }
    }
}

/// The digits by which a number is compared.
pub fn compared(digits: &str) -> &str {
    digits.get(digits.len().saturating_sub(NUMBER_DIGITS_COMPARED)..).unwrap_or(digits)
}

/// Everything in a text that could be a number: digits in groups with little between them, from the beginning of any group to the end of
/// any, as long as a number may be. Linear, since a number has few groups.
pub fn numbers(text: &str) -> impl Iterator<Item = String> {
    let groups = digit_groups(text);
    let mut found = Vec::new();
    for start in 0..groups.len() {
        let mut digits = String::new();
        for (from, to, is_near) in groups.get(start..).unwrap_or_default() {
            if !digits.is_empty() && !is_near || digits.len() + (to - from) > *NUMBER_DIGITS.end() {
                break;
            }
            digits.push_str(text.get(*from..*to).unwrap_or_default());
            if NUMBER_DIGITS.contains(&digits.len()) {
                found.push(compared(&digits).to_owned());
            }
        }
    }
    found.into_iter()
}

/// Runs of digits: where each begins and ends, and whether it stands near the one before.
fn digit_groups(text: &str) -> Vec<(usize, usize, bool)> {
    let mut groups = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(gap) = rest.find(|c: char| c.is_ascii_digit()) else { break };
        let digits = rest.get(gap..).map_or(0, |from| from.bytes().take_while(u8::is_ascii_digit).count());
        let is_near = gap <= SEPARATORS_MAX && rest.get(..gap).is_some_and(|between| between.chars().all(|c| SEPARATORS.contains(&c)));
        groups.push((at + gap, at + gap + digits, is_near));
        at += gap + digits;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_through_how_they_are_written() {
        let check = |text: &str, expected: &[&str]| assert_eq!(numbers(text).collect::<Vec<_>>(), expected, "{text}");
        check("call +1 (866) 695-9325 now", &["1866695", "8666959325", "8666959325", "6959325"]);
        check("8666959325", &["8666959325"]);
        check("in 2019 and 2020, 12:30", &[]);
        check("12345678901234567890", &[]);
        check("555 12", &[]);
    }

    #[test]
    fn a_host_knows_its_parents() {
        let host = Host::new(Place::Links, "a.b.example".into(), Of::Domain);
        let names: Vec<&str> = host.domains.iter().map(|(_, from)| &host.name[*from..]).collect();
        assert_eq!(names, ["a.b.example", "b.example", "example"]);
    }
}
