//! Text: what a comment's words look like to rules and classifier. Folds tricks away and remembers that they were there.
//! It never judges (see `rules` and `classifier`), and what it makes is never shown to people: they see the original.

pub mod disguise;
pub mod domains;
pub mod html;
pub mod links;
pub mod normalise;
pub mod signs;
pub mod tokens;

pub use links::Link;
pub use normalise::{is_invisible, trim_blank};
pub use signs::{Sign, Signs};

use std::borrow::Cow;

/// Work is bounded: beyond this many bytes a text is cut before it is read (a long read of a book is 64 KiB).
pub const READ_BYTES_MAX: usize = 64 * 1024;

/// Stands for one link inside [`Reading::folded`]; a private-use character, so no comment's own word collides with it unseen.
pub const LINK_MARK: char = '\u{e000}';

/// One text, read once: everything that rules and features ask of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Tags stripped, NFKC, invisible characters and piled marks dropped, look-alikes folded, leet and spaced letters undone, lower case,
    /// runs squeezed to two, white space folded to one blank, every link one [`LINK_MARK`].
    pub folded: String,
    /// Those in the text in their order, disguised ones too, then the targets of links with a text of their own.
    pub links: Vec<Link>,
    pub shape: Shape,
    /// The tricks and habits that were met on the way.
    pub signs: Signs,
}

/// Counts over the text as it was written, before folding. All counts are of characters unless the name says otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shape {
    pub chars: usize,
    pub letters: usize,
    pub capitals: usize,
    pub digits: usize,
    pub punctuation: usize,
    pub exclamations: usize,
    pub emoji: usize,
    pub lines: usize,
    pub longest_digit_run: usize,
    /// The most times that one character stands in a row.
    pub longest_run: usize,
    /// An `@` between letters or digits.
    pub mail_addresses: usize,
    pub money: usize,
    /// HTML tags and BBCode marks.
    pub tags: usize,
    /// Invisible characters where no script needs them.
    pub hidden: usize,
    /// Words that mix Latin with Cyrillic or Greek letters.
    pub mixed_words: usize,
}

/// Digits of the shortest telephone number that people give to strangers.
const NUMBER_DIGITS_MIN: usize = 7;

/// How people group such a number.
const BETWEEN_DIGITS: &str = " +-./()";

impl Reading {
    /// Total on any text; reads at most [`READ_BYTES_MAX`] bytes of it.
    pub fn of(text: &str) -> Self {
        let text = cut(text, READ_BYTES_MAX);
        let mut shape = Shape::of(text);
        let html::Stripped { text: stripped, tags, bbcode, anchors } = html::strip(text);
        let mut signs = signs::of_anchors(&stripped, &anchors);
        let plain = normalise::plain(stripped);
        signs.add_if(Sign::BbCode, bbcode > 0);
        signs::of_characters(&plain, &shape, &mut signs);
        let opened = disguise::open_links(plain.text);
        let (marked, mut links) = links::take_out(&opened.text);
        signs.add_if(Sign::DisguisedLink, opened.count > 0 && !links.is_empty());
        links.extend(anchors.iter().map(|anchor| Link::parse(&anchor.target)));
        links.iter().for_each(|link| signs::of_link(link, &mut signs));
        signs::of_blocks(&marked, &mut signs);
        // Links are out: their letters are what they are, and a host is not its look-alike.
        let words = Words::of(marked);
        signs.add_if(Sign::MixedScripts, words.mixed > 0);
        signs.add_if(Sign::Leet, words.leet > 0);
        signs.add_if(Sign::SpacedLetters, words.spaced > 0);
        let folded = normalise::fold(&words.text);
        signs.add_if(Sign::OnlyLinks, !links.is_empty() && !folded.contains(char::is_alphanumeric));
        (shape.tags, shape.hidden, shape.mixed_words) = (tags, plain.hidden, words.mixed);
        Self { folded, links, shape, signs }
    }

    /// Whether it names no place to go: no link, no address, no name after an `@`, no number long enough to call.
    pub fn leads_nowhere(&self) -> bool {
        let digits = |run: &str| run.bytes().filter(u8::is_ascii_digit).count();
        let mut runs = self.folded.split(|c: char| !c.is_ascii_digit() && !BETWEEN_DIGITS.contains(c));
        self.links.is_empty() && !self.folded.contains('@') && runs.all(|run| digits(run) < NUMBER_DIGITS_MIN)
    }
}

/// A text with its words undone, and how many were written so.
struct Words<'a> {
    text: Cow<'a, str>,
    mixed: usize,
    leet: usize,
    spaced: usize,
}

impl<'a> Words<'a> {
    fn of(text: Cow<'a, str>) -> Self {
        let (latin, mixed) = normalise::fold_look_alikes(text);
        let leet = disguise::open_leet(latin);
        let joined = disguise::join_letters(leet.text);
        Self { text: joined.text, mixed, leet: leet.count, spaced: joined.count }
    }
}

/// Any text folded as the body of a comment is, but with markup and links left in.
pub fn folded(text: &str) -> String {
    normalise::fold(&Words::of(normalise::plain(Cow::Borrowed(cut(text, READ_BYTES_MAX))).text).text)
}

/// A text without markup, hidden characters and look-alikes, with its case and its links left in.
pub fn plain(text: &str) -> String {
    let plain = normalise::plain(html::strip(cut(text, READ_BYTES_MAX)).text);
    normalise::fold_look_alikes(plain.text).0.into_owned()
}

impl Shape {
    fn of(text: &str) -> Self {
        // Most comments are ASCII: nothing to decode.
        if text.is_ascii() { Self::count(text.bytes().map(char::from)) } else { Self::count(text.chars()) }
    }

    fn count(text: impl Iterator<Item = char>) -> Self {
        let mut shape = Self { lines: 1, ..Self::default() };
        let (mut digit_run, mut run, mut last, mut before_last) = (0, 0, '\0', '\0');
        for c in text {
            shape.chars += 1;
            run = if c == last { run + 1 } else { 1 };
            shape.longest_run = shape.longest_run.max(run);
            shape.mail_addresses += usize::from(last == '@' && c.is_alphanumeric() && before_last.is_alphanumeric());
            (before_last, last) = (last, c);
            digit_run = if c.is_ascii_digit() { digit_run + 1 } else { 0 };
            shape.longest_digit_run = shape.longest_digit_run.max(digit_run);
            if is_letter(c) {
                shape.letters += 1;
                shape.capitals += usize::from(c.is_uppercase());
            } else if c.is_numeric() {
                shape.digits += 1;
            } else if c == '\n' {
                shape.lines += 1;
            } else if is_emoji(c) {
                shape.emoji += 1;
            } else if !c.is_whitespace() {
                shape.punctuation += 1;
                shape.exclamations += usize::from(matches!(c, '!' | '！'));
                shape.money += usize::from(matches!(c, '$' | '€' | '£' | '₽' | '¥' | '₹'));
            }
        }
        shape
    }
}

/// As `char::is_alphabetic`, without its search through tables for the scripts that most comments are written in.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || !c.is_ascii() && (is_common_letter(c) || matches!(c, '\u{4e00}'..='\u{9fff}') || c.is_alphabetic())
}

/// Letters of Latin beyond ASCII and of Cyrillic; not all of them.
fn is_common_letter(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{481}' | '\u{48a}'..='\u{52f}' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2c1}')
}

/// Symbols and pictographs of the blocks people type as emoji (Unicode 16, UTS #51 by block, not by property).
pub fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b50}' | '\u{2b55}')
}

/// The longest start of `text` within `bytes_max` that ends between two characters.
pub fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, folded: &str) {
        assert_eq!(Reading::of(text).folded, folded, "{text:?}");
    }

    #[test]
    fn tricks_are_folded_away() {
        check("Hello,  World\n!!!!", "hello, world !!");
        check("fr\u{200b}ee  v\u{456}agra", "free viagra");
        check("ＦＲＥＥ", "free");
        check("сhеар саsino", "cheap casino");
        check("see https://a.example/x?y=1 now", "see \u{e000} now");
        check("<b>Bold</b> &amp; <a href=\"http://b.example\">this</a>", "bold & this");
        check("sooooo goooood", "soo good");
    }

    #[test]
    fn honest_scripts_pass_untouched() {
        check("سلام، می\u{200c}خواهم", "سلام، می\u{200c}خواهم");
        check("Привет, как дела?", "привет, как дела?");
        check("שלום לכולם", "שלום לכולם");
        check("Ünïcödé Ångström", "ünïcödé ångström");
        for text in ["سلام، می\u{200c}خواهم", "👨\u{200d}👩\u{200d}👧 family", "❤\u{fe0f}"] {
            assert_eq!(Reading::of(text).shape.hidden, 0, "{text:?}");
        }
        assert_eq!(Reading::of("fr\u{200b}ee").shape.hidden, 1);
        assert_eq!(Reading::of("сasino and casino").shape.mixed_words, 1);
    }

    #[test]
    fn links_are_counted_wherever_they_hide() {
        let reading = Reading::of("a http://x.example b www.y.example c z-shop.com <a href='https://w.example/p'>d</a> mail me@q.example");
        let hosts: Vec<&str> = reading.links.iter().map(|link| link.host.as_str()).collect();
        assert_eq!(hosts, ["x.example", "y.example", "z-shop.com", "w.example"]);
        assert!(Reading::of("v1.2.3 e.g. this, node.js and README.md").links.iter().all(|link| !link.has_scheme));
    }

    #[test]
    fn a_text_leads_nowhere_or_to_a_place_a_person_or_a_number() {
        for text in ["Great post, thanks for sharing!", "In 2019 it cost 1,500.", "加油！", "works.But not always"] {
            assert!(Reading::of(text).leads_nowhere(), "{text:?}");
        }
        for text in ["see a.example", "see example dot com", "ask ann@mail.example", "Telegram @annlee", "call +1 555 0100"] {
            assert!(!Reading::of(text).leads_nowhere(), "{text:?}");
        }
    }

    #[test]
    fn letters_are_what_unicode_calls_alphabetic() {
        for c in '\0'..=char::MAX {
            assert_eq!(is_letter(c), c.is_alphabetic(), "{c:?}");
            assert!(!is_common_letter(c) || c.is_alphabetic(), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn ascii_is_counted_as_any_text(text in "[\\x00-\\x7f]{0,80}|[a1@!$ \\n]{0,40}") {
            prop_assert_eq!(Shape::of(&text), Shape::count(text.chars()));
        }

        #[test]
        fn reading_is_total_and_folding_is_idempotent(text in "\\PC{0,200}|[a-z<>&;/:. \u{200b}\u{430}]{0,200}") {
            let folded = Reading::of(&text).folded;
            prop_assert_eq!(normalise::fold(&folded), folded);
        }

        #[test]
        fn cutting_never_splits_a_character(text in any::<String>(), at in 0usize..40) {
            prop_assert!(text.starts_with(cut(&text, at)));
        }
    }
}
