//! Reading: the bytes of a list file become entries, line by line. A line that cannot be one is told by its number with the reason; the
//! others work. Plain lines with `#` comments are what public lists have; SmokeDetector's watch lists put a time and a name with tabs
//! before a pattern.

use super::hashes::{BEGINS, ENTRY, Hashes, Of, followed_by, hash};
use super::networks::{self, Networks};
use super::patterns::{Builder, Patterns};
use super::sought::{NUMBER_DIGITS, compared};
use super::{BadLine, Kind, List, Spec};
use crate::rules::check_email;
use crate::text::{Link, cut, folded, is_emoji, tokens, trim_blank};
use ipnet::IpNet;

/// Longer lines are no entries: the longest word, pattern or address is shorter.
const LINE_BYTES_MAX: usize = 4_096;

/// Words of one phrase: each makes a look-up longer.
const PHRASE_WORDS_MAX: usize = 32;

/// Bad lines that are kept to be shown; the rest is counted.
const BAD_LINES_KEPT: usize = 1_000;

/// What keeps a line from being an entry.
type Entry = Result<(), String>;

impl List {
    /// Total on any bytes.
    pub fn read(spec: Spec, bytes: &[u8]) -> Self {
        let mut reading = Reading { kind: spec.kind, keys: Vec::new(), networks: Vec::new(), patterns: Builder::new(spec.whole_words) };
        let mut bad = Bad::default();
        for (number, line) in (1..).zip(lines(bytes)) {
            if let Err(reason) = reading.line(line) {
                bad.add(number, reason);
            }
        }
        let patterns = reading.patterns.build().unwrap_or_else(|reason| {
            bad.add(0, reason);
            Patterns::default()
        });
        let (hashes, networks) = (Hashes::new(reading.keys), Networks::new(reading.networks));
        Self { spec, hashes, networks, patterns, bad_lines: bad.kept, bad_count: bad.count }
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).split(|byte| *byte == b'\n')
}

#[derive(Default)]
struct Bad {
    kept: Vec<BadLine>,
    count: usize,
}

impl Bad {
    fn add(&mut self, line: usize, reason: String) {
        self.count += 1;
        if self.kept.len() < BAD_LINES_KEPT {
            self.kept.push(BadLine { line, reason });
        }
    }
}

/// Entries as they are read.
struct Reading {
    kind: Kind,
    keys: Vec<u64>,
    networks: Vec<IpNet>,
    patterns: Builder,
}

impl Reading {
    fn line(&mut self, line: &[u8]) -> Entry {
        if line.len() > LINE_BYTES_MAX {
            return Err(format!("longer than {LINE_BYTES_MAX} bytes"));
        }
        let line = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
        let line = trim_blank(line);
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        match self.kind {
            Kind::Words => self.words(line),
            Kind::Patterns => self.patterns.add(undated(line)),
            Kind::Domains => self.domain(uncommented(line), Of::Domain),
            Kind::Addresses => self.address(uncommented(line)),
            // Spamhaus writes its comments with semicolons.
            Kind::Networks if line.starts_with(';') => Ok(()),
            Kind::Networks => self.network(uncommented(line)),
            Kind::Numbers => self.number(undated(line)),
            Kind::DisallowedKeys => self.by_looks(line),
        }
    }

    /// A word, or several that follow one another.
    fn words(&mut self, line: &str) -> Entry {
        if !crate::text::Reading::of(line).links.is_empty() {
            return Err("a link: links are found by lists of domains or patterns".to_owned());
        }
        let folded = folded(line);
        let words: Vec<u64> = tokens::words(&folded).map(|(_, word)| hash(Of::Word, word)).collect();
        let Some((first, more)) = words.split_first() else { return Err("no word in it".to_owned()) };
        if words.len() > PHRASE_WORDS_MAX {
            return Err(format!("more than {PHRASE_WORDS_MAX} words"));
        }
        let mut key = *first;
        for word in more {
            self.keys.push(key | BEGINS);
            key = followed_by(key, *word);
        }
        self.keys.push(key | ENTRY);
        Ok(())
    }

    /// A domain with all below it; a top level is written with a dot before it, so that nobody blocks one by a slip.
    fn domain(&mut self, line: &str, of: Of) -> Entry {
        let written = line.strip_prefix('*').unwrap_or(line);
        let rest = written.split_once("://").map_or(written, |(_, rest)| rest);
        if rest.split_once(['/', '?', '#']).is_some_and(|(_, path)| !path.is_empty()) {
            return Err("has a path: only whole domains can be listed".to_owned());
        }
        let host = Link::parse(written).host;
        let domain = host.strip_prefix('.').unwrap_or(&host);
        let is_whole = domain.contains('.') || host.starts_with('.');
        if !is_whole || !is_domain(domain) {
            return Err("no domain".to_owned());
        }
        self.keys.push(hash(of, domain) | ENTRY);
        Ok(())
    }

    /// `ana@example.org`, or `example.org` and `@example.org` for every address there and below.
    fn address(&mut self, line: &str) -> Entry {
        match line.rsplit_once('@') {
            None => self.domain(line, Of::AddressDomain),
            Some(("", domain)) => self.domain(domain, Of::AddressDomain),
            Some(_) => {
                check_email(line).map_err(|problem| format!("the address {problem}"))?;
                self.keys.push(hash(Of::Address, &line.to_lowercase()) | ENTRY);
                Ok(())
            }
        }
    }

    fn network(&mut self, line: &str) -> Entry {
        self.networks.push(networks::parse(line).ok_or("no network like 192.0.2.0/24 or 2001:db8::/32, and no address")?);
        Ok(())
    }

    fn number(&mut self, line: &str) -> Entry {
        let digits: String = line.chars().filter(char::is_ascii_digit).collect();
        if !NUMBER_DIGITS.contains(&digits.len()) {
            return Err(format!("{} digits; a phone number has {} to {}", digits.len(), NUMBER_DIGITS.start(), NUMBER_DIGITS.end()));
        }
        self.keys.push(hash(Of::Number, compared(&digits)) | ENTRY);
        Ok(())
    }

    /// WordPress looks for its disallowed keys anywhere in everything, so that such lists hold pieces of words and links. What is whole is
    /// taken for what it looks like and found whole; a piece is refused. So is a disguise such as a Latin word with a Cyrillic letter: texts are
    /// searched without theirs, and what is left of it is the honest word.
    fn by_looks(&mut self, line: &str) -> Entry {
        let is_edge = |c: char| c.is_alphanumeric() || is_emoji(c);
        if let Some(network) = networks::parse(line) {
            self.networks.push(network);
            return Ok(());
        }
        let is_one = !line.contains(char::is_whitespace);
        let is_link = line.contains("://");
        let is_piece = !line.strip_prefix('@').unwrap_or(line).starts_with(is_edge) || !line.ends_with(is_edge);
        let is_disguised = !line.is_ascii() && folded(line).is_ascii();
        match (is_one, is_link) {
            (true, true) => self.domain(line, Of::Domain),
            _ if is_piece => Err("a piece of a word or link".to_owned()),
            _ if is_disguised => Err("disguised: write it plainly, disguises are folded away".to_owned()),
            (true, false) if line.contains('@') => self.address(line),
            (true, false) if line.contains('.') => self.domain(line, Of::Domain),
            _ => self.words(line),
        }
    }
}

/// A host that the DNS could hold: labels of 1 to 63, 253 in all (RFC 1035), of letters of any script, digits, - and _.
fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_') || !c.is_ascii())
    };
    domain.len() <= 253 && domain.split('.').all(is_label)
}

/// The first word of a line: what follows a blank, `;` or `#` is a comment.
fn uncommented(line: &str) -> &str {
    line.split([' ', '\t', ';', '#', ',']).next().unwrap_or(line)
}

/// Without SmokeDetector's time and name: `1573110581<TAB>somebody<TAB>pattern`.
fn undated(line: &str) -> &str {
    let mut parts = line.splitn(3, '\t');
    let is_time = |text: &str| text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    match (parts.next(), parts.next(), parts.next()) {
        (Some(time), Some(_), Some(pattern)) if is_time(time) => pattern,
        _ => line,
    }
}

/// An entry as people are told of it: bounded, on one line.
pub fn shown(entry: &str) -> String {
    const SHOWN_BYTES_MAX: usize = 80;
    let short = cut(entry, SHOWN_BYTES_MAX);
    let dots = if short.len() < entry.len() { "…" } else { "" };
    format!("{}{dots}", short.replace(char::is_control, " "))
}
