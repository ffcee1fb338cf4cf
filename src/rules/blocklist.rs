//! Blocklist: words, phrases and domains that the admin never wants. Words match whole words only, so that "cialis" is never found
//! in "specialist"; a domain matches itself and its sub-domains.

use super::{Case, Effect, Finding};
use crate::text::{self, Reading, tokens};
use std::collections::HashSet;

/// Entries made ready for matching: folded as comments are folded.
#[derive(Debug, Clone, Default)]
pub struct Blocklist {
    words: HashSet<String>,
    phrases: Vec<Vec<String>>,
    domains: HashSet<String>,
}

impl Blocklist {
    /// An entry with a dot and no blank is a domain, with a blank a phrase, else a word. Blank entries are nothing.
    pub fn new<'a>(entries: impl IntoIterator<Item = &'a str>) -> Self {
        let mut list = Self::default();
        for entry in entries {
            list.add(text::trim_blank(entry));
        }
        list
    }

    fn add(&mut self, entry: &str) {
        if entry.contains('.') && !entry.contains(char::is_whitespace) {
            self.domains.insert(text::Link::parse(entry).host);
            return;
        }
        let folded = Reading::of(entry).folded;
        let mut words: Vec<String> = tokens::words(&folded).map(|(_, word)| word.to_owned()).collect();
        match words.len() {
            0 => {}
            1 => self.words.extend(words.pop()),
            _ => self.phrases.push(words),
        }
    }

    /// The first entry found among the words of a folded text.
    fn word_in<'a>(&self, folded: &'a str) -> Option<&'a str> {
        let words: Vec<&str> = tokens::words(folded).map(|(_, word)| word).collect();
        let word = words.iter().find(|word| self.words.contains(**word)).copied();
        word.or_else(|| {
            let starts_phrase =
                |window: &[&str], phrase: &[String]| window.len() >= phrase.len() && window.iter().zip(phrase).all(|(a, b)| a == b);
            (0..words.len()).find_map(|at| {
                let tail = words.get(at..)?;
                self.phrases.iter().any(|phrase| starts_phrase(tail, phrase)).then(|| tail.first().copied()).flatten()
            })
        })
    }

    fn has_domain(&self, host: &str) -> bool {
        let mut rest = Some(host);
        while let Some(domain) = rest {
            if self.domains.contains(domain) {
                return true;
            }
            rest = domain.split_once('.').map(|(_, parent)| parent);
        }
        false
    }
}

/// Something on the list, in the text, the name, a link, the author's url or the domain of the address.
pub fn blocklisted(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let list = &case.settings.blocklist;
    let author = &case.comment.author;
    let name = author.name.as_deref().map(|name| Reading::of(name).folded).unwrap_or_default();
    let url = author.url.as_deref().map(text::Link::parse);
    let mail_domain = author.email.as_deref().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain.to_lowercase());
    let hosts = case.reading.links.iter().chain(&url).map(|link| link.host.as_str()).chain(mail_domain.as_deref());
    let mut hosts = hosts.filter(|host| list.has_domain(host));
    let reason = if list.word_in(&case.reading.folded).is_some() {
        Some("the text has a word on the blocklist")
    } else if list.word_in(&name).is_some() {
        Some("the name has a word on the blocklist")
    } else if hosts.next().is_some() {
        Some("a domain is on the blocklist")
    } else {
        None
    };
    findings.extend(reason.map(|reason| Finding::new("blocklisted", Effect::Reject, reason)));
}
