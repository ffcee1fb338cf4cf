//! Excerpts: finding what a reason speaks of in a text, and cutting a short piece around it. The text is still as its author wrote it;
//! showing it safely is `safe`'s.

use crate::text::is_invisible;
use std::ops::Range;

/// A piece of a text, and where it was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    pub text: String,
    pub is_cut_before: bool,
    pub is_cut_after: bool,
}

/// How far a cut looks for the end of a word before it cuts inside one; most languages' words are shorter.
const WORD_CHARS_MAX: usize = 24;

/// At most `chars_max` characters around the first of `needles` that is found, else from the start. White space is folded.
pub fn excerpt(body: &str, needles: &[String], chars_max: usize) -> Excerpt {
    let folded = body.split_whitespace().collect::<Vec<_>>().join(" ");
    let chars: Vec<char> = folded.chars().collect();
    if chars.len() <= chars_max {
        return Excerpt { text: folded, is_cut_before: false, is_cut_after: false };
    }
    let hit = needles.iter().find_map(|needle| find(&folded, needle)).map_or(0, |range| range.start);
    let hit = folded.get(..hit).unwrap_or("").chars().count();
    let from = hit.saturating_sub(chars_max / 3).min(chars.len() - chars_max);
    let from = start_of_word(&chars, from, hit);
    let to = end_of_word(&chars, from, (from + chars_max).min(chars.len()));
    let text = chars.get(from..to).unwrap_or(&[]).iter().collect();
    Excerpt { text, is_cut_before: from > 0, is_cut_after: to < chars.len() }
}

/// The start of a text within `chars_max` characters.
pub fn short(text: &str, chars_max: usize) -> Excerpt {
    excerpt(text, &[], chars_max)
}

/// With dots where it was cut.
impl Excerpt {
    pub fn dotted(&self, dots: &str, show: impl Fn(&str) -> String) -> String {
        let before = if self.is_cut_before { dots } else { "" };
        let after = if self.is_cut_after { dots } else { "" };
        format!("{before}{}{after}", show(&self.text))
    }
}

/// Where `needle` first stands in `text` as whole words, in any case, over hidden characters and punctuation between words.
pub fn find(text: &str, needle: &str) -> Option<Range<usize>> {
    let text = crate::text::cut(text, crate::text::READ_BYTES_MAX);
    let mut previous = ' ';
    for (at, c) in text.char_indices() {
        let starts = !is_invisible(c) && (!is_word(previous) || !is_word(c) || is_unspaced(c));
        previous = c;
        if starts && let Some(end) = text.get(at..).and_then(|rest| matched(rest, needle)) {
            return Some(at..at + end);
        }
    }
    None
}

/// A needle stretched by hidden characters and punctuation beyond this is no longer looked for: it bounds the work for every start.
const STRETCH_BYTES_MAX: usize = 512;

/// How many bytes at the start of `text` are the needle.
fn matched(text: &str, needle: &str) -> Option<usize> {
    let text = crate::text::cut(text, STRETCH_BYTES_MAX);
    let mut chars = text.char_indices().filter(|(_, c)| !is_invisible(*c)).peekable();
    let mut last = None;
    for wanted in needle.chars() {
        if wanted == ' ' {
            chars.next_if(|(_, c)| !is_word(*c) && *c != '\n')?;
            while chars.next_if(|(_, c)| !is_word(*c) && *c != '\n').is_some() {}
        } else {
            let (at, c) = chars.next()?;
            c.to_lowercase().eq(wanted.to_lowercase()).then_some(())?;
            last = Some((at, c));
        }
    }
    let (at, c) = last?;
    let ends = !is_word(c) || is_unspaced(c) || chars.peek().is_none_or(|(_, next)| !is_word(*next));
    ends.then_some(at + c.len_utf8())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric()
}

fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}

/// Forward to the start of a word, not past `hit`; else to a character that stands alone.
fn start_of_word(chars: &[char], from: usize, hit: usize) -> usize {
    if from == 0 {
        return 0;
    }
    let until = hit.min(from + WORD_CHARS_MAX);
    let blank = (from..until).find(|at| at.checked_sub(1).and_then(|at| chars.get(at)) == Some(&' '));
    blank.unwrap_or_else(|| (from..chars.len()).find(|at| !is_attached(chars, *at)).unwrap_or(from))
}

/// Back to the end of a word; else to a character that ends alone.
fn end_of_word(chars: &[char], from: usize, to: usize) -> usize {
    if to == chars.len() {
        return to;
    }
    let least = to.saturating_sub(WORD_CHARS_MAX).max(from + 1);
    let blank = (least..=to).rev().find(|at| chars.get(*at) == Some(&' '));
    blank.unwrap_or_else(|| (least..=to).rev().find(|at| !is_attached(chars, *at)).unwrap_or(to))
}

/// Part of the character before it: an accent, a joiner, a skin tone.
fn is_attached(chars: &[char], at: usize) -> bool {
    let attaches =
        |c: &char| matches!(c, '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{20e3}');
    chars.get(at).is_some_and(attaches) || at.checked_sub(1).and_then(|at| chars.get(at)) == Some(&'\u{200d}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, needle: &str, found: Option<&str>) {
        assert_eq!(find(text, needle).and_then(|range| text.get(range)), found, "{needle:?} in {text:?}");
    }

    #[test]
    fn whole_words_are_found_in_any_case_and_disguise() {
        check("A specialist. Cialis!", "cialis", Some("Cialis"));
        check("It changed, my mornings", "changed my", Some("changed, my"));
        check("fr\u{200b}ee money", "free money", Some("fr\u{200b}ee money"));
        check("one\ntwo", "one two", None);
        check("请加我微信", "微", Some("微"));
        check("see cheap-loans.example/x", "cheap-loans.example", Some("cheap-loans.example"));
        check("abc", "", None);
        check("", "x", None);
    }

    #[test]
    fn an_excerpt_stands_around_its_needle_and_ends_with_words() {
        let body = format!("{} needle in it {}", "alpha beta ".repeat(60), "gamma delta ".repeat(60));
        let cut = excerpt(&body, &["nothing".to_owned(), "needle".to_owned()], 280);
        assert!(cut.text.contains("needle in it") && cut.is_cut_before && cut.is_cut_after);
        assert!(cut.text.split(' ').all(|word| ["alpha", "beta", "needle", "in", "it", "gamma", "delta"].contains(&word)), "{}", cut.text);
        assert_eq!(excerpt(" a \n\n b ", &[], 280).dotted("…", str::to_owned), "a b");
        assert_eq!(short(&"x".repeat(10_000), 5).dotted("…", str::to_owned), "xxxxx…");
        assert_eq!(short("👨\u{200d}👩\u{200d}👧👨\u{200d}👩\u{200d}👧", 7).text, "👨\u{200d}👩\u{200d}👧");
    }

    proptest! {
        #[test]
        fn an_excerpt_is_never_longer_than_asked(body in ".{0,200}", needle in ".{0,3}", chars_max in 1_usize..60) {
            prop_assert!(excerpt(&body, &[needle], chars_max).text.chars().count() <= chars_max);
        }
    }
}
