//! Disguises: links and words that were spelt so that people read them and filters do not. Undone for lists and classifier and counted as
//! a sign; people see what was written.

use super::{domains, is_letter};
use std::borrow::Cow;

/// A text without one kind of disguise, and how often it was there.
pub struct Undone<'a> {
    pub text: Cow<'a, str>,
    pub count: usize,
}

/// No label in the DNS is longer (RFC 1035).
const LABEL_BYTES_MAX: usize = 63;

/// Links whose dots or scheme are disguised: `example[.]com`, `example dot com`, `example .com`, `example。com`, `hxxp://example.com`.
/// Linear: what is looked at from one place is bounded.
pub fn open_links(text: Cow<'_, str>) -> Undone<'_> {
    if !may_disguise_link(text.as_bytes()) {
        return Undone { text, count: 0 };
    }
    let (mut open, mut count, mut from) = (String::with_capacity(text.len()), 0, 0);
    for (at, _) in text.bytes().enumerate().filter(|(_, byte)| begins_disguise(*byte)) {
        // A place within what was opened already, or within a character, is none.
        let Some((plain, rest)) = text.get(from..at).zip(text.get(at..)) else { continue };
        let mut undo = |opened: &str, taken: usize| {
            open.push_str(plain);
            open.push_str(opened);
            (from, count) = (at + taken, count + 1);
        };
        if let Some((opened, taken)) = scheme(plain, rest) {
            undo(opened, taken);
        } else if let Some(taken) = dot(plain, rest) {
            undo(".", taken);
        }
    }
    open.push_str(text.get(from..).unwrap_or(""));
    if count == 0 { Undone { text, count } } else { Undone { text: Cow::Owned(open), count } }
}

/// What a disguised scheme or dot begins with: `h`, a blank, a dot in other forms.
fn begins_disguise(byte: u8) -> bool {
    matches!(byte, b'h' | b'H' | b' ' | b'.' | b'[' | b'(' | b'{' | b'<' | 0xe3)
}

/// Nearly all comments have none of these and end here.
fn may_disguise_link(text: &[u8]) -> bool {
    let word = |first: u8, second: u8| matches!((first | 0x20, second | 0x20), (b'o' | b'0', b't') | (b'u' | b'o', b'n'));
    // The endings that may stand apart from their dot, and the first letter of the Russian word for one.
    let ending = |start: [u8; 2]| matches!(&start, b"co" | b"ne" | b"or" | b"ru" | b"in" | b"bi" | b"xy" | b"cn" | b"uk");
    text.array_windows().any(|&[a, b, c, d]| match a {
        b' ' => b == b'.' && c != b'.' || matches!(b | 0x20, b'd' | b'p') && word(c, d) || [b, c] == [0xd1, 0x82],
        b'.' => b == b' ' && (c == b' ' || ending([c, d])),
        b'[' | b'(' | b'{' | b'<' => b == b'.' || matches!(b, b'd' | b'D') && word(c, d),
        b'h' | b'H' => matches!([b | 0x20, c | 0x20, d | 0x20], [b'x', b'x', b'p']),
        0xe3 => [b, c] == [0x80, 0x82],
        _ => false,
    })
}

/// `hxxp` for `http`.
fn scheme(before: &str, rest: &str) -> Option<(&'static str, usize)> {
    let scheme = rest.get(..4).filter(|start| start.eq_ignore_ascii_case("hxxp"))?;
    let after = rest.get(scheme.len()..)?;
    let is_scheme = after.strip_prefix(['s', 'S']).unwrap_or(after).starts_with("://");
    (is_scheme && !before.ends_with(char::is_alphanumeric)).then_some(("http", scheme.len()))
}

/// How many bytes at the start of `rest` stand for the dot of a host whose beginning is the end of `before`.
fn dot(before: &str, rest: &str) -> Option<usize> {
    // Two blanks at most, so that what is looked at is bounded.
    let blanks = rest.bytes().take(3).take_while(|byte| *byte == b' ').count();
    let from = rest.get(blanks..)?;
    let label = from.starts_with(['.', '[', '(', '{', '<', '。', 'd', 'D', 'p', 'P', 'т']).then(|| label_before(before)).flatten()?;
    let (after, is_dot) = if let Some(after) = after_any(from, &BRACKETED) {
        let after = after.trim_start_matches(' ');
        (after, is_bracketed_dot(label, after))
    } else if let Some(after) = after_any(from, &SPELT).filter(|after| blanks > 0 && after.starts_with(' ')) {
        let after = after.trim_start_matches(' ');
        (after, is_spelt_dot(label, from, after))
    } else if let Some(after) = from.strip_prefix('。') {
        (after, blanks == 0 && label.is_ascii() && domains::is_bare_ending(&label_at(after)))
    } else {
        let after = from.strip_prefix('.')?;
        let behind = after.len() - after.trim_start_matches(' ').len();
        let after = after.trim_start_matches(' ');
        (after, is_spaced_dot(label, blanks, after, behind))
    };
    is_dot.then_some(rest.len() - after.len())
}

const BRACKETED: [&str; 7] = ["[.]", "(.)", "{.}", "[dot]", "(dot)", "{dot}", "<dot>"];
const SPELT: [&str; 6] = ["dot", "d0t", "punkt", "punto", "ponto", "точка"];

fn after_any<'a>(text: &'a str, signs: &[&str]) -> Option<&'a str> {
    let starts = |sign: &&&str| text.get(..sign.len()).is_some_and(|start| start.eq_ignore_ascii_case(sign));
    signs.iter().find(starts).and_then(|sign| text.get(sign.len()..))
}

/// Brackets are deliberate: any host will do, and so will one that goes on behind another bracket.
fn is_bracketed_dot(label: &str, after: &str) -> bool {
    let ending = label_at(after);
    let rest = after.get(ending.len()..).unwrap_or("");
    !ending.is_empty()
        && (after_any(rest, &BRACKETED).is_some()
            || domains::is_bare_ending(&ending)
            || domains::is_bare_host(&format!("{label}.{ending}"), rest))
}

/// `the dot com boom`, `polka dot`: what stands before a dot that is a word.
const BEFORE_DOT_COM: [&str; 16] =
    ["the", "a", "an", "this", "that", "of", "in", "and", "or", "polka", "his", "her", "my", "your", "every", "early"];

/// Of other languages' dots a few endings only: `punto de vista`.
fn is_spelt_dot(label: &str, sign: &str, after: &str) -> bool {
    let ending = label_at(after);
    let is_ending = if sign.starts_with(['d', 'D']) { domains::is_bare_ending(&ending) } else { SPACED_ENDINGS.contains(&ending.as_str()) };
    label.eq_ignore_ascii_case("www") || is_ending && !BEFORE_DOT_COM.contains(&label.to_lowercase().as_str())
}

/// Endings that are no word after a full stop.
const SPACED_ENDINGS: [&str; 9] = ["com", "net", "org", "ru", "info", "biz", "xyz", "cn", "uk"];

/// `example .com` and `example. com`. A blank behind the dot is common after a full stop, so then the ending must end something, too: `com`
/// is a word of Portuguese.
fn is_spaced_dot(label: &str, before: usize, after: &str, behind: usize) -> bool {
    let ending = label_at(after);
    let rest = after.get(ending.len()..).unwrap_or("");
    let ends = rest.is_empty() || rest.starts_with(['/', '\n', ',', ')', '!', '?']);
    let is_apart = before + behind > 0 && before <= 1 && behind <= 1;
    is_apart && label.len() > 1 && SPACED_ENDINGS.contains(&ending.as_str()) && (behind == 0 || ends)
}

/// The label that ends a text; none for what is none.
fn label_before(before: &str) -> Option<&str> {
    let tail = before.get(before.ceil_char_boundary(before.len().saturating_sub(LABEL_BYTES_MAX))..)?;
    let label = tail.rsplit(|c: char| !c.is_alphanumeric() && c != '-').next().unwrap_or("");
    (!label.is_empty()).then_some(label)
}

/// The label that begins a text, in lower case if it is of ASCII; empty where a longer word does.
fn label_at(text: &str) -> String {
    let within = super::cut(text, LABEL_BYTES_MAX + 1);
    let end = within.find(|c: char| !c.is_alphanumeric() && c != '-').unwrap_or(within.len());
    within.get(..end).filter(|label| label.len() <= LABEL_BYTES_MAX).unwrap_or("").to_ascii_lowercase()
}

/// Words written with digits and signs for letters: `v1agra`, `ca$ino`. A word that begins and ends with a letter, mostly of letters, and
/// digits only where they look like one: so neither `mp3`, `covid19` nor `k8s`.
pub fn open_leet(text: Cow<'_, str>) -> Undone<'_> {
    let has_any = text.bytes().any(|byte| byte.is_ascii_digit() || byte == b'$');
    let is_inner = |&[a, b, c]: &[u8; 3]| {
        a.is_ascii_alphabetic()
            && !b.is_ascii_alphabetic()
            && leet_letter(b).is_some()
            && (c.is_ascii_alphabetic() || leet_letter(c).is_some())
    };
    if !has_any || !text.as_bytes().array_windows().any(is_inner) {
        return Undone { text, count: 0 };
    }
    let (mut open, mut count) = (String::with_capacity(text.len()), 0);
    for word in text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '$')) {
        let bare = word.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '$'));
        if is_leet(bare) {
            count += 1;
            open.extend(bare.bytes().map(|byte| char::from(leet_letter(byte).unwrap_or(byte))));
            open.push_str(word.get(bare.len()..).unwrap_or(""));
        } else {
            open.push_str(word);
        }
    }
    if count == 0 { Undone { text, count } } else { Undone { text: Cow::Owned(open), count } }
}

/// The letter that a digit or sign stands for.
fn leet_letter(byte: u8) -> Option<u8> {
    match byte {
        b'0' => Some(b'o'),
        b'1' => Some(b'i'),
        b'3' => Some(b'e'),
        b'4' => Some(b'a'),
        b'5' | b'$' => Some(b's'),
        b'7' => Some(b't'),
        _ => None,
    }
}

/// Longer than names and codes of products, shorter than random strings.
const LEET_BYTES: std::ops::RangeInclusive<usize> = 5..=16;

fn is_leet(word: &str) -> bool {
    let bytes = word.as_bytes();
    let is_letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
    if !LEET_BYTES.contains(&word.len()) || !is_letter(bytes.first()) || !is_letter(bytes.last()) {
        return false;
    }
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let others = bytes.iter().filter(|byte| !byte.is_ascii_alphabetic());
    let runs = bytes.array_windows().filter(|[a, b]| !a.is_ascii_alphabetic() && !b.is_ascii_alphabetic()).count();
    // `ada51fe` is a number in hexadecimal.
    let is_hex = bytes.iter().all(u8::is_ascii_hexdigit);
    letters < bytes.len()
        && letters > 2 * (bytes.len() - letters)
        && runs < 2
        && others.clone().all(|byte| leet_letter(*byte).is_some())
        && !is_hex
}

/// At least so many single letters with one sign between them make a word: `v i a g r a`. With dots one more: `U.S.S.R.` is honest.
const SPACED_LETTERS_MIN: usize = 4;

/// Single letters joined into the word they spell.
pub fn join_letters(text: Cow<'_, str>) -> Undone<'_> {
    if !may_spell(text.as_bytes()) {
        return Undone { text, count: 0 };
    }
    let (mut joined, mut count, mut from, mut at, mut within) = (String::with_capacity(text.len()), 0, 0, 0, false);
    while let Some((first, rest)) = text.get(at..).and_then(|rest| rest.chars().next().zip(Some(rest))) {
        if let Some((word, taken)) = spelt(rest).filter(|_| !within) {
            joined.push_str(text.get(from..at).unwrap_or(""));
            joined.push_str(&word);
            count += 1;
            at += taken;
            (from, within) = (at, true);
        } else {
            at += first.len_utf8();
            within = first.is_alphanumeric();
        }
    }
    if count == 0 {
        return Undone { text, count };
    }
    joined.push_str(text.get(from..).unwrap_or(""));
    Undone { text: Cow::Owned(joined), count }
}

/// Whether a separator comes a third time with one letter, of one or two bytes, between each and the next.
fn may_spell(text: &[u8]) -> bool {
    let next = |at: usize, separator: u8| {
        let is_letter = |at: usize, is: fn(&u8) -> bool| text.get(at).is_some_and(is);
        let is_there = |at: &usize| text.get(*at) == Some(&separator);
        let ascii = Some(at + 2).filter(|_| is_letter(at + 1, u8::is_ascii_alphabetic)).filter(is_there);
        ascii.or_else(|| Some(at + 3).filter(|_| is_letter(at + 1, |byte| !byte.is_ascii())).filter(is_there))
    };
    let comes_again =
        |(at, byte): (usize, &u8)| is_separator(char::from(*byte)) && next(at, *byte).is_some_and(|at| next(at, *byte).is_some());
    text.iter().enumerate().any(comes_again)
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '.' | '-' | '_' | '*' | '|')
}

/// The word that spaced letters at the start of a text spell, and how many bytes it took.
fn spelt(text: &str) -> Option<(String, usize)> {
    // Letters with a large and a small form: scripts without write every character apart.
    let is_letter = |c: char| is_letter(c) && (c.is_lowercase() || c.is_uppercase());
    let mut characters = text.chars();
    let (first, separator) = (characters.next().filter(|c| is_letter(*c))?, characters.next().filter(|c| is_separator(*c))?);
    let (mut word, mut taken) = (String::from(first), first.len_utf8());
    loop {
        let after = text.get(taken..)?;
        let mut next = after.chars();
        let letter = next.next().filter(|c| *c == separator).and(next.next()).filter(|c| is_letter(*c));
        match (letter, next.next()) {
            (Some(letter), None) => {
                word.push(letter);
                taken = text.len();
                break;
            }
            (Some(letter), Some(end)) if !end.is_alphanumeric() => {
                word.push(letter);
                taken += separator.len_utf8() + letter.len_utf8();
            }
            _ => break,
        }
    }
    (word.chars().count() >= SPACED_LETTERS_MIN + usize::from(separator == '.')).then_some((word, taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(undone: impl Fn(Cow<'_, str>) -> Undone<'_>, text: &str, expected: &str) {
        let found = undone(Cow::Borrowed(text));
        assert_eq!((found.text.as_ref(), found.count > 0), (expected, expected != text), "{text:?}");
    }

    #[test]
    fn links_are_found_behind_their_disguise() {
        for (text, open) in [
            ("see example[.]com now", "see example.com now"),
            ("see example (dot) com/x", "see example.com/x"),
            ("visit cheap-pills dot com", "visit cheap-pills.com"),
            ("www dot example dot co dot uk", "www.example.co.uk"),
            ("a[.]example[.]com", "a.example.com"),
            ("go to casino .com", "go to casino.com"),
            ("casino . com", "casino.com"),
            ("casino. com/win", "casino.com/win"),
            ("hxxps://example.com hXXp://b.example", "https://example.com http://b.example"),
            ("example。com", "example.com"),
            ("казино точка ru", "казино.ru"),
            ("mi casino punto com", "mi casino.com"),
        ] {
            check(open_links, text, open);
        }
    }

    #[test]
    fn honest_dots_stay() {
        for text in [
            "It works. Com certeza! Muito bom. com certeza vale",
            "the dot com boom and a polka dot dress",
            "wait ... what . no",
            "我用这个。com 是什么",
            "a regular expression such as a[.]b or x(.)y",
            "I put a dot on the i. net result: none",
            "function (.) and dot product",
        ] {
            check(open_links, text, text);
        }
    }

    #[test]
    fn leet_is_undone_in_words_that_are_none_otherwise() {
        for (text, open) in [("v1agra c4sino, fr33 b1tc0in!", "viagra casino, fr33 bitcoin!"), ("ca$ino", "casino")] {
            check(open_leet, text, open);
        }
        for honest in [
            "mp3 b2b covid19 k8s H2O gr8 2moro sum1 sha256 x86 i18n a11y 1st",
            "ana1@mail.example me@work.example d@aciddragon",
            "ada51fe dead4beef",
            "R2D2 IPv4 utf8mb4 rtx3080ti",
            "$5000 a$",
        ] {
            check(open_leet, honest, honest);
        }
    }

    #[test]
    fn spaced_letters_become_words() {
        for (text, joined) in [
            ("buy v i a g r a now", "buy viagra now"),
            ("v.i.a.g.r.a", "viagra"),
            ("F-R-E-E!", "FREE!"),
            ("f r e e", "free"),
            ("б-о-н-у-с", "бонус"),
            ("к а з и н о тут", "казино тут"),
            ("c_a_s_i_n_o!", "casino!"),
        ] {
            check(join_letters, text, joined);
        }
        for honest in
            ["U.S.A. and the U.S.S.R.", "J. R. R. Tolkien", "plan a b c", "加 我 微 信 吧", "x y z = 3 4 5", "I a", "e.g. i.e. a.m. p.m."]
        {
            check(join_letters, honest, honest);
        }
    }

    proptest::proptest! {
        #[test]
        fn undoing_is_total(text in "\\PC{0,80}|([a-c]{1,3}|[.]| |dot|\\[|\\]|\\(dot\\)|com|hxxp|://|。|точка|1|\\$|é){0,14}") {
            for undone in [open_links, open_leet, join_letters] {
                let found = undone(Cow::Borrowed(&text));
                proptest::prop_assert_eq!(found.count == 0, found.text == text);
            }
        }
    }
}
