//! Normalising: one spelling for what people read as the same. Unicode NFKC (UAX #15), invisible characters, look-alikes, case.

use super::{READ_BYTES_MAX, is_letter};
use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// A text without compatibility forms, hidden characters and look-alikes, and how many of these there were.
pub struct Plain<'a> {
    pub text: Cow<'a, str>,
    pub hidden: usize,
    pub mixed_words: usize,
}

/// Characters that take no ink: format controls, fillers, joiners, variation selectors and tags (Unicode 16, Default_Ignorable_Code_Point).
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{e0000}'..='\u{e0fff}' | '\u{0}')
}

/// Without blanks at both ends, where a blank is any Unicode white space, control or invisible character.
pub fn trim_blank(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c))
}

/// NFKC without hidden characters, look-alikes folded inside words that mix scripts.
pub fn plain(text: Cow<'_, str>) -> Plain<'_> {
    if text.is_ascii() {
        return Plain { text, hidden: 0, mixed_words: 0 };
    }
    let (visible, hidden) = drop_hidden(composed(text));
    let (text, mixed_words) = fold_look_alikes(visible);
    Plain { text, hidden, mixed_words }
}

fn composed(text: Cow<'_, str>) -> Cow<'_, str> {
    match is_nfkc_quick(text.chars().filter(|c| !stands_alone(*c))) {
        IsNormalized::Yes => text,
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(composed_anew(&text)),
    }
}

/// Composing may make a text eleven times as long (U+FDFA), so it stops where reading does.
fn composed_anew(text: &str) -> String {
    let mut room = READ_BYTES_MAX;
    let fits = |c: &char| {
        room = room.saturating_sub(c.len_utf8());
        room > 0
    };
    text.nfkc().take_while(fits).collect()
}

/// Letters of common scripts that NFKC neither changes nor reorders: they need not be looked up.
fn stands_alone(c: char) -> bool {
    c.is_ascii() || matches!(c, '\u{400}'..='\u{482}' | '\u{4e00}'..='\u{9fff}' | '\u{c0}'..='\u{ff}')
}

/// Joiners stay where a script needs them: beside letters that are neither Latin, Greek nor Cyrillic, and inside emoji.
fn drop_hidden(text: Cow<'_, str>) -> (Cow<'_, str>, usize) {
    if !text.chars().any(is_invisible) {
        return (text, 0);
    }
    let mut out = String::with_capacity(text.len());
    let mut hidden = 0;
    let mut previous = ' ';
    for c in text.chars() {
        if !is_invisible(c) {
            out.push(c);
        } else if needs_joiners(previous) {
            if matches!(c, '\u{200c}' | '\u{200d}') {
                out.push(c);
            }
        } else {
            hidden += 1;
        }
        previous = c;
    }
    (Cow::Owned(out), hidden)
}

/// Scripts beyond Cyrillic, and symbols: where joiners, marks and variation selectors are spelling, not a trick.
fn needs_joiners(c: char) -> bool {
    c > '\u{530}' && !matches!(c, '\u{1e00}'..='\u{1fff}' | '\u{200b}'..='\u{206f}')
        || matches!(c, '\u{200c}'..='\u{200d}' | '\u{fe0f}' | '©' | '®' | '#' | '*' | '0'..='9')
}

fn fold_look_alikes(text: Cow<'_, str>) -> (Cow<'_, str>, usize) {
    let mixed_words = text.split_whitespace().filter(|word| mixes_scripts(word)).count();
    if mixed_words == 0 {
        return (text, 0);
    }
    let folded = text
        .split_inclusive(char::is_whitespace)
        .map(|word| if mixes_scripts(word) { word.chars().map(latin_look).collect() } else { Cow::Borrowed(word) })
        .collect::<String>();
    (Cow::Owned(folded), mixed_words)
}

fn mixes_scripts(word: &str) -> bool {
    let latin = word.bytes().any(|b| b.is_ascii_alphabetic());
    let other = latin && word.chars().any(looks_latin);
    // A word spelt wholly with look-alikes ("саso" in Cyrillic) is left alone: it may be an honest word of that script.
    other || is_wholly_disguised(word)
}

/// A letter of Greek or Cyrillic that has a Latin twin.
fn looks_latin(c: char) -> bool {
    !c.is_ascii() && latin_look(c) != c
}

/// A word of at least five letters, all of them Cyrillic letters that look Latin, some of which few Russian words pile up:
/// honest words of that length nearly always hold one letter without a Latin twin.
fn is_wholly_disguised(word: &str) -> bool {
    let is_cyrillic = |c: char| matches!(c, '\u{400}'..='\u{52f}');
    let mut letters = word.chars().filter(|c| is_letter(*c));
    // Told by the first letters: most words end this at once.
    word.len() > 5 && letters.clone().all(|c| is_cyrillic(c) && looks_latin(c)) && letters.nth(4).is_some()
}

/// The Latin letter that a Cyrillic or Greek one is mistaken for (from the shapes; see Unicode TR 39 for the idea).
fn latin_look(c: char) -> char {
    match c {
        'а' | 'α' => 'a',
        'в' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ё' | 'є' | 'ε' => 'e',
        'һ' | 'н' => 'h',
        'і' | 'ї' | 'ι' | 'ί' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' => 'm',
        'о' | 'ο' | 'σ' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'С' | 'Ϲ' => 'C',
        'Е' | 'Ε' | 'Ё' => 'E',
        'Н' | 'Η' => 'H',
        'І' | 'Ι' => 'I',
        'Ј' => 'J',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Ν' => 'N',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        'У' | 'Υ' => 'Y',
        'Ζ' => 'Z',
        other => other,
    }
}

/// Lower case, runs of three and more of one character squeezed to two, white space folded to one blank, none at the ends.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut last, mut before_last) = (' ', '\0');
    let mut put = |c: char| {
        let repeated = c == last && (c == ' ' || c == before_last);
        if !repeated {
            out.push(c);
            (before_last, last) = (last, c);
        }
    };
    for c in text.chars() {
        match c {
            '\0'..=' ' | '\u{7f}' => put(' '),
            '!'..='~' => put(c.to_ascii_lowercase()),
            // Small letters of Cyrillic, and Han.
            '\u{430}'..='\u{45f}' | '\u{4e00}'..='\u{9fff}' => put(c),
            _ if c.is_whitespace() || c.is_control() => put(' '),
            _ => c.to_lowercase().for_each(&mut put),
        }
    }
    out.truncate(out.trim_end_matches(' ').len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the definition says it, without short cuts.
    fn folded_plainly(text: &str) -> String {
        let mut out: Vec<char> = Vec::new();
        for c in text.chars().flat_map(char::to_lowercase).map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c }) {
            let is_third = out.ends_with(&[c, c]) || c == ' ' && out.last().is_none_or(|last| *last == ' ');
            if !is_third {
                out.push(c);
            }
        }
        out.iter().collect::<String>().trim_end_matches(' ').to_owned()
    }

    #[test]
    fn short_cuts_through_unicode_lead_to_the_same_place() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            assert_eq!(fold(&text), folded_plainly(&text), "{c:?}");
            assert!(!stands_alone(c) || text.nfkc().eq([c]) && unicode_normalization::char::canonical_combining_class(c) == 0, "{c:?}");
            assert!(latin_look(c) == c || c.is_alphabetic() && matches!(c, '\u{370}'..='\u{52f}'), "{c:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn folding_and_composing_are_what_they_say(text in "\\PC{0,60}|[aàéеё加\u{301}\u{323}\u{1100}\u{1161}ｱﾞİΣ  \\n\u{85}]{0,12}") {
            proptest::prop_assert_eq!(fold(&text), folded_plainly(&text));
            proptest::prop_assert_eq!(composed(Cow::Borrowed(&text)).into_owned(), text.nfkc().collect::<String>());
        }
    }
}
