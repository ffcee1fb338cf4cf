//! Normalising: one spelling for what people read as the same. Unicode NFKC (UAX #15), invisible characters, look-alikes, case.

use super::{READ_BYTES_MAX, is_letter};
use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// A text without compatibility forms and hidden characters, and what was found of these.
#[derive(Debug)]
pub struct Plain<'a> {
    pub text: Cow<'a, str>,
    /// Invisible characters where no script needs them.
    pub hidden: usize,
    /// Those of them that stand between two letters of Latin, Greek or Cyrillic; soft hyphens are spelling.
    pub hidden_inside: usize,
    /// Letters of the alphabets that Unicode has for formulas and frames.
    pub styled: usize,
    /// Characters that turn the direction of what follows against its letters.
    pub overrides: usize,
    /// Marks on letters beyond what any language needs.
    pub piled: usize,
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

/// NFKC without hidden characters and piled marks. Look-alikes stay: see [`fold_look_alikes`].
pub fn plain(text: Cow<'_, str>) -> Plain<'_> {
    let mut plain = Plain { text, hidden: 0, hidden_inside: 0, styled: 0, overrides: 0, piled: 0 };
    if plain.text.is_ascii() {
        return plain;
    }
    // The first bytes of symbols and loose marks.
    let is_odd = plain.text.bytes().any(|byte| matches!(byte, 0xcc | 0xcd | 0xe1 | 0xe2 | 0xef | 0xf0));
    plain.styled = if is_odd { plain.text.chars().filter(|c| is_styled(*c)).count() } else { 0 };
    plain.text = composed(plain.text);
    if is_odd {
        plain.text = drop_piled(plain.text, &mut plain.piled);
    }
    drop_hidden(plain)
}

/// Mathematical letters, and letters in circles and squares: people write with them what should not be found.
fn is_styled(c: char) -> bool {
    c > '\u{2000}'
        && matches!(c, '\u{24b6}'..='\u{24e9}' | '\u{1d400}'..='\u{1d7cb}' | '\u{1f130}'..='\u{1f149}' | '\u{1f150}'..='\u{1f169}' | '\u{1f170}'..='\u{1f189}')
}

/// Marks that combine with any letter; those of Hebrew, Arabic, Indic and other scripts are not among them.
fn is_loose_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Vietnamese spelt apart has two marks on a letter, phonetics three.
const MARKS_MAX: usize = 3;

/// Without the marks beyond [`MARKS_MAX`] on one letter and without strokes through letters.
fn drop_piled<'a>(text: Cow<'a, str>, piled: &mut usize) -> Cow<'a, str> {
    let is_stroke = |c: char| matches!(c, '\u{334}'..='\u{338}' | '\u{20d2}' | '\u{20d3}' | '\u{20e5}' | '\u{20eb}');
    let mut run = 0;
    let mut is_kept = |c: char| {
        run = if is_loose_mark(c) { run + 1 } else { 0 };
        run <= MARKS_MAX && !is_stroke(c)
    };
    *piled = text.chars().filter(|c| !is_kept(*c)).count();
    if *piled == 0 {
        return text;
    }
    let kept: String = text.chars().filter(|c| is_kept(*c)).collect();
    // Without what stood between, what is left may compose.
    Cow::Owned(composed(Cow::Owned(kept)).into_owned())
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

/// Joiners stay where a script needs them: beside letters that are neither Latin, Greek nor Cyrillic, and inside emoji. Marks of direction
/// are spelling in a text that has letters from right to left.
fn drop_hidden(mut plain: Plain<'_>) -> Plain<'_> {
    if !plain.text.chars().any(is_invisible) {
        return plain;
    }
    let is_right_to_left =
        plain.text.chars().any(|c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'));
    let mut out = String::with_capacity(plain.text.len());
    let (mut previous, mut hidden_since_letter) = (' ', 0);
    for c in plain.text.chars() {
        if !is_invisible(c) {
            out.push(c);
            if hidden_since_letter > 0 && has_case(c) {
                plain.hidden_inside += hidden_since_letter;
            }
            hidden_since_letter = 0;
        } else if needs_joiners(previous) {
            if matches!(c, '\u{200c}' | '\u{200d}') {
                out.push(c);
            }
        } else if !(is_right_to_left && is_direction_mark(c)) {
            plain.hidden += 1;
            let is_inside = c != '\u{ad}' && (hidden_since_letter > 0 || has_case(previous));
            hidden_since_letter = if is_inside { hidden_since_letter + 1 } else { 0 };
        }
        plain.overrides += usize::from(matches!(c, '\u{202d}' | '\u{202e}'));
        previous = c;
    }
    plain.text = Cow::Owned(out);
    plain
}

/// Marks, embeddings and isolates of direction, without the overrides.
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202c}' | '\u{2066}'..='\u{2069}')
}

/// A letter of Latin, Greek or Cyrillic: those scripts need nothing invisible between letters.
fn has_case(c: char) -> bool {
    is_letter(c) && (c < '\u{530}' || matches!(c, '\u{1e00}'..='\u{1fff}'))
}

/// Scripts beyond Cyrillic, and symbols: where joiners, marks and variation selectors are spelling, not a trick.
fn needs_joiners(c: char) -> bool {
    c > '\u{530}' && !matches!(c, '\u{1e00}'..='\u{1fff}' | '\u{200b}'..='\u{206f}')
        || matches!(c, '\u{200c}'..='\u{200d}' | '\u{fe0f}' | '©' | '®' | '#' | '*' | '0'..='9')
}

/// Look-alikes as the Latin letters they stand for, inside disguised words; and how many such words there were.
pub fn fold_look_alikes(text: Cow<'_, str>) -> (Cow<'_, str>, usize) {
    if text.is_ascii() {
        return (text, 0);
    }
    // By runs of letters: `IT-отдел` is honest.
    let runs = || text.split_inclusive(|c: char| !is_letter(c));
    let is_disguised = disguise_in(&text);
    let mixed_words = runs().filter(|run| is_disguised(run)).count();
    if mixed_words == 0 {
        return (text, 0);
    }
    let folded =
        runs().map(|run| if is_disguised(run) { run.chars().map(latin_look).collect() } else { Cow::Borrowed(run) }).collect::<String>();
    (Cow::Owned(folded), mixed_words)
}

/// Which words of this text are disguised: those with letters of Latin beside such as look like them, and those of nothing but such. The
/// latter only in a text without a letter that Cyrillic alone has, for among Russian words `ресурс`, `сахар` and `хаос` are Russian.
pub fn disguise_in(text: &str) -> impl Fn(&str) -> bool + use<> {
    let is_cyrillic = text.chars().any(|c| matches!(c, '\u{400}'..='\u{52f}') && latin_look(c) == c);
    move |word| mixes_scripts(word) || !is_cyrillic && is_wholly_disguised(word)
}

fn mixes_scripts(word: &str) -> bool {
    let latin = word.bytes().any(|b| b.is_ascii_alphabetic());
    latin && word.chars().any(looks_latin) && !is_symbol(word)
}

/// Capitals with a Greek letter at one end, as sciences have them: `TNFα`, `IFNγ`, `κB`.
fn is_symbol(word: &str) -> bool {
    const GREEK: [char; 8] = ['α', 'γ', 'ε', 'κ', 'ρ', 'σ', 'τ', 'χ'];
    let capitals = |rest: &str| rest.bytes().all(|byte| !byte.is_ascii_lowercase()) && rest.is_ascii();
    let word = word.trim_end_matches(|c: char| !is_letter(c));
    word.strip_suffix(GREEK).or_else(|| word.strip_prefix(GREEK)).is_some_and(capitals)
}

/// A letter of Greek or Cyrillic that has a Latin twin.
fn looks_latin(c: char) -> bool {
    !c.is_ascii() && latin_look(c) != c
}

/// A word of at least five letters, all of them Cyrillic letters of the very shape of Latin ones. All with a Latin twin at all would be too
/// many: `роутер`, `ракета`, `некоторое`.
fn is_wholly_disguised(word: &str) -> bool {
    let mut letters = word.chars().filter(|c| is_letter(*c));
    // Told by the first letters: most words end this at once.
    word.len() > 5 && letters.clone().all(has_latin_shape) && letters.nth(4).is_some()
}

fn has_latin_shape(c: char) -> bool {
    matches!(c, 'а' | 'с' | 'е' | 'о' | 'р' | 'х' | 'у' | 'і' | 'ѕ' | 'ј' | 'ԁ' | 'һ' | 'ԛ' | 'ԝ' | 'А' | 'С' | 'Е' | 'О' | 'Р' | 'Х')
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

    #[test]
    fn words_of_look_alikes_are_disguised_where_nothing_else_is_cyrillic() {
        let check = |text: &str, mixed: usize| assert_eq!(fold_look_alikes(Cow::Borrowed(text)).1, mixed, "{text}");
        check("buy at рурах now, сheap", 2);
        check("На сервере есть ресурс, в чае сахар, а в голове хаос", 0);
        check("Где сахара нет? Сhеар pills, недорого", 1);
        check("TNFα, IFNγ and NF-κB rose; the κ of 5kΩ and µm is small", 0);
        check("cαsino, Vιagra and CASINΟ", 3);
    }

    proptest::proptest! {
        #[test]
        fn folding_and_composing_are_what_they_say(text in "\\PC{0,60}|[aàéеё加\u{301}\u{323}\u{1100}\u{1161}ｱﾞİΣ  \\n\u{85}]{0,12}") {
            proptest::prop_assert_eq!(fold(&text), folded_plainly(&text));
            proptest::prop_assert_eq!(composed(Cow::Borrowed(&text)).into_owned(), text.nfkc().collect::<String>());
        }
    }
}
