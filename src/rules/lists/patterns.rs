//! Patterns: tens of thousands of regular expressions over one text. One search for the strings that they need (see `literals`) tells the
//! few that are worth trying; these are compiled when they are first tried. Everything is linear in the text: the engine knows neither
//! look-around nor back-references, and a pattern that uses them is refused.

use super::literals;
use crate::text::tokens::is_unspaced;
use aho_corasick::{AhoCorasick, MatchKind};
use foldhash::fast::FixedState;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::Hir;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

/// Far above what people write; public lists have up to 980.
const PATTERN_CHARS_MAX: usize = 2_000;

/// Bytes of one pattern compiled, and of what its automaton may remember of a text.
const COMPILED_BYTES_MAX: usize = 1 << 20;
const AUTOMATON_BYTES_MAX: usize = 1 << 20;

/// Patterns tried on one text. An ordinary one asks for none to three; a text that is stuffed with the strings of a list has been found by
/// one of the first of these, or pays for hiding behind them with its length.
const TRIED_MAX: usize = 64;

/// What may stand beside a match that is a whole word: no letter, digit or underscore. In patterns of ASCII every byte beyond it counts as
/// part of a letter, which lets the fast automaton do without Unicode's tables; [`text`] has made blanks of the punctuation among them.
const GAP_ASCII: &str = r"[\x00-/:-@\[-^`{-\x7f]";
const GAP_UNICODE: &str = r"[^\p{L}\p{N}\p{M}_]";

/// How a text without look-alikes is searched: in lower case, and with a blank for punctuation beyond ASCII, so that quotation marks are
/// boundaries like any other.
pub fn text(plain: &str) -> String {
    if plain.is_ascii() { plain.to_ascii_lowercase() } else { plain.to_lowercase().chars().map(blanked).collect() }
}

/// Signs of Latin-1, general punctuation without joiners, and that of Han and Kana.
fn blanked(c: char) -> char {
    let is_punctuation = matches!(c, '\u{80}'..='\u{bf}' | '\u{2000}'..='\u{200a}' | '\u{2010}'..='\u{205f}' | '\u{3000}'..='\u{3004}' | '\u{3008}'..='\u{3020}');
    if is_punctuation { ' ' } else { c }
}

/// Patterns as they are read.
#[derive(Debug)]
pub struct Builder {
    whole_words: bool,
    patterns: Vec<Pattern>,
    /// For each string, which groups of which patterns it satisfies.
    strings: HashMap<Vec<u8>, Vec<Use>, FixedState>,
}

/// A group of a pattern, as a bit.
type Use = (usize, u8);

#[derive(Debug)]
struct Pattern {
    source: Box<str>,
    /// A bit for each group that must be satisfied.
    groups: u8,
    /// Compiled when it is first tried; none would be one that compiled when it was read and no longer does.
    regex: OnceLock<Option<Regex>>,
}

impl Builder {
    /// With `whole_words` no pattern matches inside a word.
    pub fn new(whole_words: bool) -> Self {
        Self { whole_words, patterns: Vec::new(), strings: HashMap::default() }
    }

    /// Takes a pattern in, or tells why it cannot be one.
    pub fn add(&mut self, source: &str) -> Result<(), String> {
        if source.chars().count() > PATTERN_CHARS_MAX {
            return Err(format!("longer than {PATTERN_CHARS_MAX} characters"));
        }
        let source = uncommented(source);
        let source = source.as_str();
        let groups = literals::required(&parse(source)?);
        if groups.is_empty() {
            return Err("no three characters in a row must stand in a match, so it would be tried on every text".to_owned());
        }
        // Compiling takes most of a millisecond. Without counts and Unicode's classes a pattern compiles to little more than its length.
        if source.contains('{') || !source.is_ascii() {
            compile(source, self.whole_words)?;
        }
        let index = self.patterns.len();
        let bits = (0..groups.len()).map(|group| 1 << group);
        let satisfied = bits.clone().fold(0, |all, bit| all | bit);
        for (group, bit) in groups.into_iter().zip(bits) {
            for string in group {
                self.strings.entry(string).or_default().push((index, bit));
            }
        }
        self.patterns.push(Pattern { source: source.into(), groups: satisfied, regex: OnceLock::new() });
        Ok(())
    }

    /// The patterns ready for searching; an error where there are more strings than the search can number.
    pub fn build(self) -> Result<Patterns, String> {
        let (strings, uses): (Vec<Vec<u8>>, Vec<Box<[Use]>>) = self.strings.into_iter().map(|(string, uses)| (string, uses.into())).unzip();
        let search = if strings.is_empty() {
            None
        } else {
            let mut builder = AhoCorasick::builder();
            Some(builder.match_kind(MatchKind::Standard).build(&strings).map_err(|error| error.to_string())?)
        };
        Ok(Patterns { whole_words: self.whole_words, all: self.patterns.into(), search, uses: uses.into() })
    }
}

/// Patterns that can be searched for.
#[derive(Debug, Default)]
pub struct Patterns {
    whole_words: bool,
    all: Box<[Pattern]>,
    search: Option<AhoCorasick>,
    uses: Box<[Box<[Use]>]>,
}

impl Patterns {
    /// The patterns found in a text as [`text`] makes it, in the order of the list.
    pub fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let candidates = self.candidates(text.as_bytes()).into_iter().take(TRIED_MAX);
        candidates.filter_map(|index| self.all.get(index)).filter(|pattern| self.matches(pattern, text)).map(|pattern| &*pattern.source)
    }

    fn matches(&self, pattern: &Pattern, text: &str) -> bool {
        let regex = pattern.regex.get_or_init(|| compile(&pattern.source, self.whole_words).ok());
        regex.as_ref().is_some_and(|regex| regex.is_match(text.as_bytes()))
    }

    /// Which patterns have all the strings that they need.
    fn candidates(&self, text: &[u8]) -> Vec<usize> {
        let Some(search) = &self.search else { return Vec::new() };
        let mut seen: HashSet<usize, FixedState> = HashSet::default();
        let mut satisfied: HashMap<usize, u8, FixedState> = HashMap::default();
        for found in search.find_overlapping_iter(text) {
            let string = found.pattern().as_usize();
            let uses = if seen.insert(string) { self.uses.get(string) } else { None };
            for (pattern, group) in uses.into_iter().flatten() {
                *satisfied.entry(*pattern).or_default() |= group;
            }
        }
        let is_satisfied = |(index, groups): &(usize, u8)| self.all.get(*index).is_some_and(|pattern| pattern.groups == *groups);
        let mut candidates: Vec<usize> = satisfied.into_iter().filter(is_satisfied).map(|(index, _)| index).collect();
        candidates.sort_unstable();
        candidates
    }

    pub fn entries(&self) -> usize {
        self.all.len()
    }

    /// Without what is compiled on use.
    pub fn memory_bytes(&self) -> usize {
        let patterns: usize = self.all.iter().map(|pattern| size_of::<Pattern>() + pattern.source.len()).sum();
        let uses: usize = self.uses.iter().map(|uses| size_of_val(uses) + size_of_val(&**uses)).sum();
        patterns + uses + self.search.as_ref().map_or(0, AhoCorasick::memory_usage)
    }
}

fn parse(source: &str) -> Result<Hir, String> {
    let mut parser = regex_syntax::ParserBuilder::new();
    parser.unicode(!source.is_ascii()).utf8(false).case_insensitive(true).dot_matches_new_line(true);
    parser.build().parse(&written(source)).map_err(|error| match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        other => other.to_string(),
    })
}

fn compile(source: &str, whole_words: bool) -> Result<Regex, String> {
    let pattern = written(source);
    let gap = if source.is_ascii() { GAP_ASCII } else { GAP_UNICODE };
    let pattern = if whole_words && !source.chars().any(is_unspaced) { format!(r"(?:\A|{gap})(?:{pattern})(?:\z|{gap})") } else { pattern };
    let mut builder = RegexBuilder::new(&pattern);
    builder.unicode(!source.is_ascii()).case_insensitive(true).dot_matches_new_line(true);
    let limited = builder.size_limit(COMPILED_BYTES_MAX).dfa_size_limit(AUTOMATON_BYTES_MAX).build();
    limited.map_err(|error| {
        if let regex::Error::CompiledTooBig(_) = error {
            return format!("needs more than {COMPILED_BYTES_MAX} bytes compiled");
        }
        error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
    })
}

/// Without the comments that Python's patterns may have, `(?#so)`, and this engine's may not.
fn uncommented(source: &str) -> String {
    let mut parts = source.split("(?#");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |pattern, part| pattern + part.split_once(')').map_or("", |(_, after)| after))
}

/// A pattern's own letters beyond ASCII as the text has them; what is ASCII may be syntax and stays.
fn written(source: &str) -> String {
    if source.is_ascii() {
        source.to_owned()
    } else {
        source.chars().flat_map(|c| if c.is_ascii() { vec![c] } else { text(&c.to_string()).chars().collect() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn patterns(sources: &[&str], whole_words: bool) -> Patterns {
        let mut builder = Builder::new(whole_words);
        sources.iter().for_each(|source| builder.add(source).unwrap());
        builder.build().unwrap()
    }

    fn check(source: &str, plain: &str, in_words: bool, anywhere: bool) {
        let found = |whole_words| patterns(&[source], whole_words).find(&text(plain)).next().is_some();
        assert_eq!((found(true), found(false)), (in_words, anywhere), "{source} in {plain:?}");
    }

    #[test]
    fn patterns_match_on_word_boundaries_or_anywhere() {
        check("cialis", "Buy CIALIS!", true, true);
        check("cialis", "my specialist says", false, true);
        check("cialis", "“cialis”—now", true, true);
        check("cialis", "écialisé", false, true);
        check("cialis", "socialism", false, true);
        check(r"dietary\Wsupplement", "a dietary-supplement", true, true);
        check(r"^hl12", "HL12 x", true, true);
        check(r"^hl12", "an hl12", false, false);
        check(r"whatstatus\.co", "see http://whatstatus.com", false, true);
        check("Казино", "лучшее КАЗИНО тут", true, true);
        check("казино", "казиношный", false, true);
        check("娱乐城", "最好的娱乐城在这里", true, true);
        check(r"\+91\W?98764", "call +91-98764", true, true);
        check("k.{0,5}lmn", "k\nlmn", true, true);
        check("cialis(?#since 2019)|never(?#", "cialis", true, true);
    }

    #[test]
    fn what_cannot_be_searched_for_says_why() {
        let check = |source: &str, expected: &str| assert_eq!(Builder::new(true).add(source).unwrap_err(), expected, "{source}");
        check("(?<!a)word", "look-around, including look-ahead and look-behind, is not supported");
        check(r"(word)\1", "backreferences are not supported");
        check("(word", "unclosed group");
        check(r"\d{9}", "no three characters in a row must stand in a match, so it would be tried on every text");
        check(&"x".repeat(2_001), "longer than 2000 characters");
        check(r"word(?:\w{1,100}){1,200}", "needs more than 1048576 bytes compiled");
    }

    #[test]
    fn a_text_full_of_strings_has_few_patterns_tried() {
        let sources: Vec<String> = (100..400).map(|n| format!(r"word{n}\Wnever")).collect();
        let patterns = patterns(&sources.iter().map(String::as_str).collect::<Vec<_>>(), true);
        let stuffed: String = (100..400).map(|n| format!("word{n} ")).collect();
        assert_eq!(patterns.find(&(stuffed + "never")).count(), 0);
        assert_eq!(patterns.all.iter().filter(|pattern| pattern.regex.get().is_some()).count(), TRIED_MAX);
    }

    proptest! {
        #[test]
        fn the_prefilter_loses_nothing(
            sources in proptest::collection::vec("(abc|bca|cab)(\\[ab\\]|a\\?|\\.|(c|ab))?(abc|bcc|ccc)?", 1..6), plain in "[abc ]{0,20}",
        ) {
            let patterns = patterns(&sources.iter().map(String::as_str).collect::<Vec<_>>(), false);
            let found: Vec<&str> = patterns.find(&plain).collect();
            let naive: Vec<&str> = sources.iter().map(String::as_str).filter(|source| Regex::new(source).unwrap().is_match(plain.as_bytes())).collect();
            prop_assert_eq!(found, naive);
        }
    }
}
