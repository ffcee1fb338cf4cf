//! Tokens: the words of a folded text, as slices of it. Words of letters and digits with inner apostrophes, runs of the signs
//! that carry tone, single emoji, links, and single characters of scripts that write without spaces.

use super::{LINK_MARK, is_common_letter, is_emoji};

/// The words in order, each with the byte it begins at. No allocation; linear.
pub fn words(folded: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = folded;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c| class(c) == Class::Gap);
        let from = folded.len() - rest.len();
        let first = rest.chars().next()?;
        let end = match class(first) {
            Class::Single | Class::Gap => first.len_utf8(),
            Class::Sign => run_end(rest, Class::Sign),
            Class::Word => word_end(rest),
        };
        let (word, after) = rest.split_at(end);
        rest = after;
        Some((from, word))
    })
}

#[derive(PartialEq, Clone, Copy)]
enum Class {
    Word,
    Sign,
    Single,
    Gap,
}

fn class(c: char) -> Class {
    if c.is_ascii_alphanumeric() || is_common_letter(c) {
        Class::Word
    } else if matches!(c, '!' | '?' | '$' | '£' | '€' | '#' | '@' | '%' | '&' | '*') {
        Class::Sign
    } else if c.is_ascii() {
        Class::Gap
    } else if c == LINK_MARK || is_emoji(c) || is_unspaced(c) {
        Class::Single
    } else if c.is_alphanumeric() || is_mark(c) {
        Class::Word
    } else {
        Class::Gap
    }
}

/// Han, Kana and Thai, Lao, Khmer, Burmese: written without spaces, so every character is a word and pairs of them do the rest.
pub fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// Vowel signs and joiners that belong inside words of Indic, Arabic and Persian scripts.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{900}'..='\u{dff}' | '\u{200c}' | '\u{200d}')
}

fn run_end(text: &str, wanted: Class) -> usize {
    text.char_indices().find(|&(_, c)| class(c) != wanted).map_or(text.len(), |(at, _)| at)
}

/// A word goes on over one apostrophe that stands between letters: `don't`, `l’eau`.
fn word_end(text: &str) -> usize {
    let end = run_end(text, Class::Word);
    let mut after = text.get(end..).unwrap_or("").chars();
    match (after.next(), after.next()) {
        (Some(quote @ ('\'' | '’')), Some(next)) if class(next) == Class::Word => {
            let inner = end + quote.len_utf8();
            inner + run_end(text.get(inner..).unwrap_or(""), Class::Word)
        }
        _ => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<(usize, &str)> = words(text).collect();
        assert_eq!(found.iter().map(|(_, word)| *word).collect::<Vec<_>>(), expected);
        assert!(found.iter().all(|(from, word)| text[*from..].starts_with(word)));
    }

    #[test]
    fn words_are_what_readers_would_call_words() {
        check("", &[]);
        check("don't stop, l’eau!!", &["don't", "stop", "l’eau", "!!"]);
        check("win $1000 now \u{e000} 🔥🔥", &["win", "$", "1000", "now", "\u{e000}", "🔥", "🔥"]);
        check("привет мир", &["привет", "мир"]);
        check("加我微信", &["加", "我", "微", "信"]);
        check("می\u{200c}خواهم", &["می\u{200c}خواهم"]);
        check("rock'n'roll' 'x'", &["rock'n", "roll", "x"]);
    }
}
