//! The terminal: lines within 80 columns, aligned by what a character takes up there, in colour where somebody looks at them. Strangers'
//! words come in through `safe`, so that no escape of theirs reaches it.

use super::safe::isolated;
use std::fmt::{Display, Write};
use unicode_width::UnicodeWidthStr;

/// Columns of a line: the terminal that all others imitate has 80.
pub const COLUMNS: usize = 78;

/// Whether colours are used: on a terminal, unless `NO_COLOR` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Plain,
    Colour,
}

/// What a colour says; it never says more than the words beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Strong,
    Faint,
    Spam,
    Ham,
    Doubt,
}

impl Ink {
    pub fn dye(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Spam => "31",
            Tone::Ham => "32",
            Tone::Doubt => "33",
        };
        match self {
            Self::Colour if !text.is_empty() => format!("\x1b[{code}m{text}\x1b[0m"),
            Self::Colour | Self::Plain => text.to_owned(),
        }
    }
}

/// A text on its way to the terminal.
#[derive(Debug, Clone)]
pub struct Sheet {
    pub ink: Ink,
    text: String,
}

impl Sheet {
    pub fn new(ink: Ink) -> Self {
        Self { ink, text: String::new() }
    }

    pub fn line(&mut self, line: impl Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{}", line.to_string().trim_end());
    }

    /// Words and a rule to the end of the line, after an empty one.
    pub fn heading(&mut self, words: &str) {
        let rule = "─".repeat(COLUMNS.saturating_sub(columns(words) + 1));
        let line = format!("\n{} {}", self.ink.dye(Tone::Strong, words), self.ink.dye(Tone::Faint, &rule));
        self.line(line);
    }

    /// One text at the left end of a line and one at the right.
    pub fn ends(&mut self, left: &str, right: &str) {
        let gap = COLUMNS.saturating_sub(columns(left) + columns(right)).max(1);
        self.line(format_args!("{left}{}{right}", " ".repeat(gap)));
    }

    /// Words broken into lines, the first after `mark`, the others as far in.
    pub fn words(&mut self, mark: &str, words: &str) {
        let indent = columns(mark);
        let lines = broken(words, COLUMNS.saturating_sub(indent).max(1));
        for (number, line) in lines.iter().enumerate() {
            let lead = if number == 0 { mark.to_owned() } else { " ".repeat(indent) };
            self.line(lead + line);
        }
    }

    /// A stranger's words, each line behind a bar and unable to reorder it.
    pub fn quote(&mut self, words: &str) {
        let bar = self.ink.dye(Tone::Faint, "|");
        for line in broken(words, COLUMNS - 4) {
            self.line(format_args!("  {bar} {}", isolated(&line)));
        }
    }

    /// All of it, without an empty line at the end.
    pub fn finish(self) -> String {
        self.text.trim_end().to_owned()
    }
}

/// Words in lines of at most so many columns; one that is longer stands alone, cut.
fn broken(words: &str, most: usize) -> Vec<String> {
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    for word in words.split_whitespace() {
        let word = cut(word, most);
        let wide = columns(&word);
        if used > 0 && used + 1 + wide > most {
            lines.push(std::mem::take(&mut line));
            used = 0;
        } else if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(&word);
        used += wide;
    }
    lines.push(line);
    lines
}

/// What a text takes up, in columns; colours take up nothing. No other escape comes here: what is a stranger's has none.
pub fn columns(text: &str) -> usize {
    let mut pieces = text.split('\x1b');
    let first = pieces.next().unwrap_or_default().width();
    first + pieces.map(|piece| piece.split_once('m').map_or(piece, |(_, after)| after).width()).sum::<usize>()
}

/// At most so many columns, with dots where it was cut.
pub fn cut(text: &str, most: usize) -> String {
    // A column takes a few characters at most: marks beyond that are a trick.
    const CHARS_PER_COLUMN: usize = 4;
    let few = text.char_indices().nth(most.saturating_mul(CHARS_PER_COLUMN)).is_none();
    if few && columns(text) <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars().take(most.saturating_mul(CHARS_PER_COLUMN)) {
        kept.push(c);
        if columns(&kept) + 1 > most {
            kept.pop();
            break;
        }
    }
    kept.push('…');
    kept
}

/// Exactly so many columns: cut, or followed by blanks.
pub fn fit(text: &str, wanted: usize) -> String {
    let cut = cut(text, wanted);
    let blanks = wanted.saturating_sub(columns(&cut));
    cut + &" ".repeat(blanks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit_by_what_they_take_up() {
        let check = |text: &str, wanted, expected: &str| {
            let fitted = fit(text, wanted);
            assert_eq!((fitted.as_str(), columns(&fitted)), (expected, wanted));
        };
        check("kettle", 8, "kettle  ");
        check("kettle", 6, "kettle");
        check("kettle", 4, "ket…");
        check("加我微信", 10, "加我微信  ");
        check("加我微信", 6, "加我… ");
        check("e\u{301}te\u{301}", 4, "e\u{301}te\u{301} ");
        check("👨\u{200d}👩\u{200d}👧", 3, "👨\u{200d}👩\u{200d}👧 ");
        check(&"\u{301}".repeat(90), 3, &format!("{}…  ", "\u{301}".repeat(12)));
        check("", 2, "  ");
    }

    #[test]
    fn words_are_broken_within_the_line_and_aligned_after_their_mark() {
        let mut sheet = Sheet::new(Ink::Plain);
        sheet.words("  - ", &"加我 kettle ".repeat(12));
        sheet.words("  - ", &"x".repeat(500));
        sheet.heading("Because");
        let text = sheet.finish();
        assert!(text.lines().all(|line| columns(line) <= COLUMNS) && text.lines().count() == 5, "{text}");
        assert!(text.lines().nth(1).unwrap().starts_with("    加我") || text.lines().nth(1).unwrap().starts_with("    kettle"));
    }

    #[test]
    fn colour_is_for_those_who_look() {
        assert_eq!((Ink::Plain.dye(Tone::Spam, "x"), Ink::Colour.dye(Tone::Spam, "x")), ("x".into(), "\x1b[31mx\x1b[0m".into()));
    }
}
