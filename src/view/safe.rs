//! Safe showing: strangers' words made fit for mails and pages. Links are dead, hidden characters are visible, markup is text.
//! Whatever a stranger wrote passes through here exactly once on its way out; [`Html`] is the only text that templates do not escape.

use super::defang;
use crate::text::{is_emoji, is_invisible};
use std::fmt::{self, Write};
use std::ops::Range;

/// Markup made in this room, from escaped text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Markup that was made elsewhere in this room, of our own words and of what [`escaped`] and its like gave.
    pub(super) fn made(markup: String) -> Self {
        Self(markup)
    }
}

impl fmt::Display for Html {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Html {}

/// A place in a text that a numbered note speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub range: Range<usize>,
    /// What readers see, and the id of the note it leads to.
    pub number: usize,
    pub note: String,
    pub class: &'static str,
}

/// For text mail: one line, hidden characters as `<U+200B>`.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for glyph in glyphs(text) {
        match glyph.show {
            Show::Char(c) if c.is_whitespace() => out.push(' '),
            Show::Char(c) => out.push(c),
            Show::Hidden(c) => push_code(&mut out, "<", c, ">"),
            Show::Dead(shown) => out.push_str(shown),
        }
    }
    out
}

/// For the HTML mail: one line, links bold, hidden characters as `‹U+200B›`, before which a line may end: mail programs drop classes.
pub fn mail(text: &str) -> Html {
    inline(text, &Dress { link: ["<b dir=\"ltr\">", "</b>"], hidden: ["<wbr>‹", "›"] })
}

/// For a line of a page: a name, a title, a reason.
pub fn line(text: &str) -> Html {
    inline(text, &PAGE)
}

/// For the body on a page: paragraphs, and the marks of its evidence.
pub fn body(text: &str, marks: &[Mark]) -> Html {
    let glyphs = glyphs(text);
    let runs = runs(&glyphs);
    let marks = settled(marks, &runs);
    let mut marks = marks.iter().peekable();
    let (mut out, mut open, mut breaks) = (String::from("<p>"), None::<&Mark>, 0);
    for run in &runs {
        if let Some(mark) = open.take_if(|mark| mark.range.end <= run.at() || run.is_break()) {
            push_mark_end(&mut out, mark);
        }
        if run.is_break() {
            breaks += 1;
            continue;
        }
        out.push_str(["", "<br>"].get(std::mem::take(&mut breaks)).unwrap_or(&"</p><p>"));
        if open.is_none() {
            open = marks.next_if(|mark| mark.range.start <= run.at());
            if let Some(mark) = open {
                push_mark_start(&mut out, mark);
            }
        }
        run.push(&mut out, &PAGE);
    }
    if let Some(mark) = open {
        push_mark_end(&mut out, mark);
    }
    out.push_str("</p>");
    Html(out)
}

/// For readers of a blog: escaped, paragraphs, nothing that turns or breaks the page. Links stay text, so they need no defanging.
pub fn published(text: &str) -> Html {
    let mut out = String::new();
    for paragraph in kept(text).split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
        let lines: Vec<String> = paragraph.lines().map(escaped).collect();
        let _ = write!(out, "<p>{}</p>", lines.join("<br>"));
    }
    Html(out)
}

/// What was typed, less what a field or a page cannot hold: control characters and overrides of direction. The template escapes it.
pub fn kept(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\t') || !(c.is_control() || is_bidi(*c))).collect()
}

/// For a mail header: one short line without control or format characters.
pub fn header_text(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let blank = |c: char| if c.is_whitespace() || c.is_control() { ' ' } else { c };
    let spaced: String = text.chars().map(blank).filter(|c| !is_invisible(*c)).collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    words.join(" ").chars().take(CHARS_MAX).collect::<String>().trim_end().to_owned()
}

/// `j…@g….com`: the first of the name, the first of the host, the last label; `dots` is `…` or `...`.
pub fn mask_email(address: &str, dots: &str) -> String {
    let first = |part: &str| part.chars().next().filter(|c| c.is_alphanumeric()).map(String::from).unwrap_or_default();
    let Some((local, domain)) = address.rsplit_once('@') else { return format!("{}{dots}", first(address)) };
    let masked = format!("{}{dots}@{}{dots}", first(local), first(domain));
    match domain.rsplit_once('.') {
        Some((_, top)) if (2..=24).contains(&top.chars().count()) && top.chars().all(char::is_alphanumeric) => format!("{masked}.{top}"),
        _ => masked,
    }
}

/// Our own isolates around a line of text mail that holds right-to-left letters, so that it cannot reorder what stands beside it.
pub fn isolated(line: &str) -> String {
    let is_rtl = |c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}');
    if line.contains(is_rtl) { format!("\u{2068}{line}\u{2069}") } else { line.to_owned() }
}

/// How one medium dresses what is special.
struct Dress {
    link: [&'static str; 2],
    hidden: [&'static str; 2],
}

const PAGE: Dress = Dress { link: ["<bdi dir=\"ltr\">", "</bdi>"], hidden: ["<span class=\"hid\" title=\"hidden character\">", "</span>"] };

/// One character of the text and how it is shown.
struct Glyph {
    at: usize,
    show: Show,
}

#[derive(Clone, Copy)]
enum Show {
    Char(char),
    Hidden(char),
    Dead(&'static str),
}

impl Glyph {
    fn is_blank(&self) -> bool {
        matches!(self.show, Show::Char(c) if c.is_whitespace())
    }

    fn is_sentence_sign(&self) -> bool {
        matches!(self.show, Show::Char(',' | '.' | ';' | ':' | '!' | '?' | ')' | '"' | '\'' | '”' | '»' | '…' | '>'))
    }
}

fn glyphs(text: &str) -> Vec<Glyph> {
    let mut dead = defang::dead_ends(text).into_iter().peekable();
    let mut glyphs = Vec::with_capacity(text.len());
    let mut previous = ' ';
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map_or(' ', |(_, next)| *next);
        if c == '\r' && next == '\n' {
            continue;
        }
        let show = match dead.next_if(|(dead, _)| *dead == at) {
            Some((_, shown)) => Show::Dead(shown),
            None if is_hidden(previous, c, next) => Show::Hidden(c),
            None if matches!(c, '\u{2028}' | '\u{2029}') => Show::Char('\n'),
            None => Show::Char(c),
        };
        previous = if matches!(show, Show::Hidden(_)) { ' ' } else { c };
        glyphs.push(Glyph { at, show });
    }
    glyphs
}

/// Takes no ink, or moves others' ink, and no script needs it here.
fn is_hidden(previous: char, c: char, next: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{200c}' | '\u{200d}' => !(is_joined(previous) && is_joined(next)),
        '\u{fe00}'..='\u{fe0f}' => !(previous > '\u{2000}' || matches!(previous, '©' | '®' | '#' | '*' | '0'..='9')),
        '\u{180b}'..='\u{180d}' => !matches!(previous, '\u{1820}'..='\u{18aa}'),
        '\u{e0020}'..='\u{e007f}' => !matches!(previous, '\u{1f3f4}' | '\u{e0020}'..='\u{e007f}'),
        '\u{fff9}'..='\u{fffb}' | '\u{fdd0}'..='\u{fdef}' | '\u{fffe}' | '\u{ffff}' => true,
        _ => c.is_control() || is_invisible(c),
    }
}

/// Letters of scripts that spell with joiners, and emoji that are built with them.
fn is_joined(c: char) -> bool {
    is_emoji(c)
        || matches!(c, '\u{590}'..='\u{1dff}' | '\u{a800}'..='\u{abff}' | '\u{fb1d}'..='\u{fe0f}' | '\u{fe70}'..='\u{fefc}' | '\u{10000}'..='\u{1ffff}' | '\u{2190}'..='\u{25ff}')
}

/// Embeddings, overrides and isolates of direction (UAX #9).
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What is shown as one: a whole dead link, or a single character.
struct Run<'g> {
    glyphs: &'g [Glyph],
    is_link: bool,
}

impl Run<'_> {
    fn at(&self) -> usize {
        self.glyphs.first().map_or(0, |glyph| glyph.at)
    }

    fn is_break(&self) -> bool {
        self.glyphs.iter().all(|glyph| matches!(glyph.show, Show::Char('\n')))
    }

    fn push(&self, out: &mut String, dress: &Dress) {
        let [open, close] = if self.is_link { dress.link } else { ["", ""] };
        out.push_str(open);
        for glyph in self.glyphs {
            match glyph.show {
                Show::Char(c) => push_escaped(out, c),
                Show::Hidden(c) => push_code(out, dress.hidden[0], c, dress.hidden[1]),
                Show::Dead(shown) => out.push_str(shown),
            }
        }
        out.push_str(close);
    }
}

fn runs(glyphs: &[Glyph]) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    for word in glyphs.chunk_by(|a, b| a.is_blank() == b.is_blank()) {
        let is_dead = |glyph: &Glyph| matches!(glyph.show, Show::Dead(_));
        let trailing = word.iter().rev().take_while(|glyph| glyph.is_sentence_sign()).count();
        let leading = word.iter().take_while(|glyph| matches!(glyph.show, Show::Char('(' | '<' | '"' | '\'' | '“' | '«'))).count();
        let has_link = word.iter().any(is_dead);
        let (link, tail) = if has_link { word.split_at(word.len() - trailing) } else { word.split_at(0) };
        let (head, link) = link.split_at(leading.min(link.len()));
        runs.extend(head.chunks(1).map(|glyphs| Run { glyphs, is_link: false }));
        runs.extend((!link.is_empty()).then_some(Run { glyphs: link, is_link: true }));
        runs.extend(tail.chunks(1).map(|glyphs| Run { glyphs, is_link: false }));
    }
    runs
}

/// Marks in order, widened to whole links, and none on top of another.
fn settled(marks: &[Mark], runs: &[Run<'_>]) -> Vec<Mark> {
    let mut marks = marks.to_vec();
    for mark in &mut marks {
        for pair in runs.windows(2) {
            let [run, after] = pair else { continue };
            if run.is_link && run.at() < mark.range.end && after.at() > mark.range.start {
                mark.range = mark.range.start.min(run.at())..mark.range.end.max(after.at());
            }
        }
        if let Some(last) = runs.last().filter(|run| run.is_link && run.at() < mark.range.end) {
            mark.range = mark.range.start.min(last.at())..usize::MAX;
        }
    }
    let mut apart: Vec<Mark> = Vec::new();
    for mark in marks {
        if apart.iter().all(|kept| kept.range.end <= mark.range.start || mark.range.end <= kept.range.start) {
            apart.push(mark);
        }
    }
    apart.sort_by_key(|mark| mark.range.start);
    apart
}

fn inline(text: &str, dress: &Dress) -> Html {
    let mut out = String::with_capacity(text.len());
    for run in runs(&glyphs(text)) {
        if run.is_break() { out.push(' ') } else { run.push(&mut out, dress) }
    }
    Html(out)
}

fn push_mark_start(out: &mut String, mark: &Mark) {
    let _ = write!(out, "<mark class=\"{}\">", mark.class);
}

fn push_mark_end(out: &mut String, mark: &Mark) {
    let _ = write!(out, "<sup><a href=\"#{}\" aria-label=\"note {}\">{}</a></sup></mark>", mark.note, mark.number, mark.number);
}

fn push_code(out: &mut String, open: &str, c: char, close: &str) {
    let _ = write!(out, "{open}U+{:04X}{close}", u32::from(c));
}

/// Text for a place between tags or in an attribute with double quotes. Our own words only: what strangers wrote goes through [`line()`] or [`plain`] first.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_escaped(&mut out, c));
    out
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_dead_and_markup_is_text() {
        assert_eq!(plain("see\nhttps://a.example"), "see hxxps://a[.]example");
        assert_eq!(mail("(see https://a.example/x, now)").0, "(see <b dir=\"ltr\">hxxps://a[.]example/x</b>, now)");
        assert_eq!(line("<b onx=\"'\">&").0, "&lt;b onx=&quot;&#39;&quot;&gt;&amp;");
        assert_eq!(line("</td> a.com").0, "&lt;/td&gt; <bdi dir=\"ltr\">a[.]com</bdi>");
    }

    #[test]
    fn hidden_characters_are_seen() {
        assert_eq!(plain("a\u{200b}b\u{0}\u{1b}[1m\u{202e}x\u{2066}\u{85}"), "a<U+200B>b<U+0000><U+001B>[1m<U+202E>x<U+2066><U+0085>");
        assert_eq!(mail("a\u{200b}b").0, "a<wbr>‹U+200B›b");
        assert_eq!(line("a\u{ad}b").0, "a<span class=\"hid\" title=\"hidden character\">U+00AD</span>b");
        assert_eq!(plain("x\u{e0041}\u{e0042}"), "x<U+E0041><U+E0042>");
    }

    #[test]
    fn spelling_is_left_alone() {
        for text in [
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "👨\u{200d}👩\u{200d}👧",
            "❤\u{fe0f}",
            "❤\u{fe0f}\u{200d}🔥",
            "1\u{fe0f}\u{20e3}",
            "🏴\u{e0067}\u{e0062}\u{e007f}",
        ] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn a_body_has_paragraphs_and_marks_that_never_nest() {
        let mark = |range, number| Mark { range, number, note: format!("n{number}"), class: "top" };
        let shown = body("one two\nthree\r\n\r\nsee http://a.example/b.", &[mark(4..7, 1), mark(5..7, 2), mark(30..31, 3)]).0;
        assert_eq!(
            shown,
            "<p>one <mark class=\"top\">two<sup><a href=\"#n1\" aria-label=\"note 1\">1</a></sup></mark><br>three</p><p>see \
             <mark class=\"top\"><bdi dir=\"ltr\">hxxp://a[.]example/b</bdi><sup><a href=\"#n3\" aria-label=\"note 3\">3</a></sup></mark>.</p>"
        );
        assert_eq!(body("a.com", &[mark(0..1, 1)]).0.matches("</mark>").count(), 1);
        assert_eq!(body("", &[]).0, "<p></p>");
    }

    #[test]
    fn addresses_are_masked() {
        for (address, masked) in [
            ("jane@gmail.com", "j…@g….com"),
            ("o.mar@mail.example.org", "o…@m….org"),
            ("сара@почта.рф", "с…@п….рф"),
            ("nobody", "n…"),
            ("@", "…@…"),
            ("\u{202e}a@\nb.<script>", "…@…"),
            ("a@b.c", "a…@b…"),
        ] {
            assert_eq!(mask_email(address, "…"), masked);
        }
        assert_eq!(mask_email("jane@gmail.org", "..."), "j...@g....org");
    }

    #[test]
    fn headers_and_fields_take_only_what_they_can_hold() {
        assert_eq!(header_text("Slow\r\nBcc: x@y\u{0}\u{202e}  Kettle"), "Slow Bcc: x@y Kettle");
        assert_eq!(header_text(&"é".repeat(500)).chars().count(), 60);
        assert_eq!(kept("a\u{0}b\u{202e}\n\"c"), "ab\n\"c");
        assert_eq!(published("a <b>\nc\n\n\nd").0, "<p>a &lt;b&gt;<br>c</p><p>d</p>");
        assert_eq!(isolated("abc"), "abc");
        assert_eq!(isolated("سلمى"), "\u{2068}سلمى\u{2069}");
    }
}
