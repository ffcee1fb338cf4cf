//! Import: comments that others kept, read from their files. One small reader a format, each of which streams: it holds one comment at a time,
//! however long the file. They say what a person decided and never guess: what only a machine said is no label. What becomes of
//! a comment is `flow::import`'s.

mod columns;
#[cfg(test)]
mod damage;
mod disqus;
mod guard;
mod isso;
mod jsonl;
mod lines;
mod mbox;
mod remark42;
mod sql;
mod wordpress;
mod wordpress_sql;
mod wxr;
mod xml;

pub use columns::names as column_names;
pub use isso::read as read_isso;

use crate::classifier::Label;
use crate::comment::Submission;
use crate::decision::Ruling;
use flate2::bufread::MultiGzDecoder;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader};
use std::ops::ControlFlow;

/// Bytes of one comment with all its fields. Four times what `http.body_bytes_max` allows by default; what is longer is skipped, so that a
/// quote that is never closed does not take the machine's memory.
pub const RECORD_BYTES_MAX: usize = 4 << 20;

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Jsonl,
    Wxr,
    Disqus,
    Csv,
    Mbox,
    Remark42,
    WordpressSql,
}

impl Format {
    /// What ids of its comments begin with.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Wxr => "wxr",
            Self::Disqus => "disqus",
            Self::Csv => "csv",
            Self::Mbox => "mbox",
            Self::Remark42 => "remark42",
            Self::WordpressSql => "wordpress-sql",
        }
    }
}

/// What the file itself does not say.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What all comments are that carry no label.
    pub label: Option<Label>,
    /// The columns of a CSV file by our names.
    pub columns: BTreeMap<String, String>,
}

/// One comment of a file, with what a person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What the file calls it; none where the file has no ids.
    pub source_id: Option<String>,
    pub submission: Submission,
    pub ruling: Ruling,
    /// What a filter said of it: kept as its provenance, never learnt.
    pub machine: Option<String>,
}

/// A comment that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub reason: Reason,
    pub detail: Option<String>,
}

/// Why a comment is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    Malformed,
    NotUtf8,
    TooLong,
    NoText,
    Undecided,
    Deleted,
    ByMachine,
    Invalid,
    Forgotten,
}

impl Reason {
    pub const ALL: [Self; 9] = [
        Self::Malformed,
        Self::NotUtf8,
        Self::TooLong,
        Self::NoText,
        Self::Undecided,
        Self::Deleted,
        Self::ByMachine,
        Self::Invalid,
        Self::Forgotten,
    ];

    /// One word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::NotUtf8 => "not_utf8",
            Self::TooLong => "too_long",
            Self::NoText => "no_text",
            Self::Undecided => "undecided",
            Self::Deleted => "deleted",
            Self::ByMachine => "by_machine",
            Self::Invalid => "invalid",
            Self::Forgotten => "forgotten",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    /// As people call it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Malformed => "cannot be read",
            Self::NotUtf8 => "not UTF-8",
            Self::TooLong => "longer than a comment may be",
            Self::NoText => "without a text",
            Self::Undecided => "nobody has decided on it",
            Self::Deleted => "deleted or in the trash, which is no label",
            Self::ByMachine => "called spam, as far as one can tell by a machine",
            Self::Invalid => "refused as a comment",
            Self::Forgotten => "forgotten before (hamlet forget)",
        }
    }
}

impl Skipped {
    pub fn because(reason: Reason) -> Self {
        Self { reason, detail: None }
    }

    pub fn malformed(detail: impl std::fmt::Display) -> Self {
        Self { reason: Reason::Malformed, detail: Some(detail.to_string()) }
    }
}

/// Where the file ends early: what comes behind cannot be told apart any more.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}; what stands before is read, what stands behind is not")]
pub struct Broken {
    pub line: u64,
    pub reason: String,
}

/// Hears of every comment and its line, in order; may have enough.
pub type Take<'a> = dyn FnMut(u64, Result<Found, Skipped>) -> ControlFlow<()> + 'a;

/// Reads a file of one of these formats, gzipped or not.
///
/// # Errors
/// [`Broken`] where it can be read no further.
pub fn read(format: Format, mut input: impl BufRead, options: &Options, take: &mut Take<'_>) -> Result<(), Broken> {
    let start = input.fill_buf().map_err(|error| Broken { line: 1, reason: error.to_string() })?;
    if start.starts_with(&[0x1f, 0x8b]) {
        return read_plain(format, BufReader::new(MultiGzDecoder::new(input)), options, take);
    }
    read_plain(format, input, options, take)
}

fn read_plain(format: Format, mut input: impl BufRead, options: &Options, take: &mut Take<'_>) -> Result<(), Broken> {
    skip_mark(&mut input).map_err(|error| Broken { line: 1, reason: error.to_string() })?;
    match format {
        Format::Jsonl => jsonl::read(input, options, take),
        Format::Wxr => wxr::read(input, take),
        Format::Disqus => disqus::read(input, take),
        Format::Csv => columns::read(input, options, take),
        Format::Mbox => mbox::read(input, options, take),
        Format::Remark42 => remark42::read(input, take),
        Format::WordpressSql => wordpress_sql::read(input, take),
    }
}

/// Programs of Windows put a byte order mark before UTF-8.
fn skip_mark(input: &mut impl BufRead) -> io::Result<()> {
    let mark = [0xef, 0xbb, 0xbf];
    if input.fill_buf()?.starts_with(&mark) {
        input.consume(mark.len());
    }
    Ok(())
}

/// A field without a text is none.
fn field(text: String) -> Option<String> {
    Some(text).filter(|text| !text.trim().is_empty())
}

fn ruling_of(label: Label) -> Ruling {
    match label {
        Label::Spam => Ruling::Spam,
        Label::Ham => Ruling::Publish,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Format; 7] =
        [Format::Jsonl, Format::Wxr, Format::Disqus, Format::Csv, Format::Mbox, Format::Remark42, Format::WordpressSql];

    pub(super) type Entry = (u64, Result<Found, Skipped>);

    pub(super) fn all(format: Format, input: &[u8], options: &Options) -> (Vec<Entry>, Option<Broken>) {
        let mut entries = Vec::new();
        let result = read(format, input, options, &mut |line, entry| {
            entries.push((line, entry));
            ControlFlow::Continue(())
        });
        (entries, result.err())
    }

    /// Found comments as `ruling name: body`, skipped ones as their reason; each with its line.
    pub(super) fn told(format: Format, input: &str, options: &Options) -> Vec<String> {
        let (entries, broken) = all(format, input.as_bytes(), options);
        assert!(broken.is_none(), "{broken:?}");
        let tell = |(line, entry): &Entry| match entry {
            Ok(found) => {
                let Submission { name, body, .. } = &found.submission;
                format!("{line} {} {}: {}", found.ruling.as_str(), name.as_deref().unwrap_or("-"), body.as_deref().unwrap_or("-"))
            }
            Err(skipped) => format!("{line} {}", skipped.reason.as_str()),
        };
        entries.iter().map(tell).collect()
    }

    #[test]
    fn gzip_and_byte_order_marks_are_seen_through() {
        use std::io::Write;
        let line = "\u{feff}{\"content\":\"hi\",\"label\":\"ham\"}\n";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(line.as_bytes()).unwrap();
        let packed = gzip.finish().unwrap();
        for input in [line.as_bytes(), &packed] {
            let (entries, broken) = all(Format::Jsonl, input, &Options::default());
            assert!(broken.is_none());
            assert_eq!(entries[0].1.as_ref().unwrap().submission.body.as_deref(), Some("hi"));
        }
        let (_, broken) = all(Format::Jsonl, &packed[..packed.len() - 9], &Options::default());
        assert!(broken.is_some(), "a truncated archive is told of");
    }

    #[test]
    fn whoever_has_enough_is_told_no_more() {
        let mut seen = 0;
        let lines = "{\"content\":\"a\",\"label\":\"ham\"}\n".repeat(9);
        read(Format::Jsonl, lines.as_bytes(), &Options::default(), &mut |_, _| {
            seen += 1;
            ControlFlow::Break(())
        })
        .unwrap();
        assert_eq!(seen, 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..400), format in 0..ALL.len()) {
            all(ALL[format], &bytes, &Options { label: Some(Label::Spam), ..Options::default() });
        }

        /// Pieces of each format in any order reach deeper than noise.
        #[test]
        fn shuffled_pieces_are_read_to_an_end(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40), format in 0..ALL.len()) {
            all(ALL[format], pieces.concat().as_bytes(), &Options::default());
        }
    }

    const PIECES: &[&str] = &[
        "<item>",
        "</item>",
        "<wp:comment>",
        "</wp:comment>",
        "<wp:comment_content>",
        "</wp:comment_content>",
        "<![CDATA[",
        "]]>",
        "&amp;",
        "&#x41;",
        "&nbsp;",
        "<post dsq:id=\"1\">",
        "</post>",
        "<thread dsq:id='1'/>",
        "INSERT INTO `wp_comments` VALUES ",
        "(",
        ")",
        ",",
        ";",
        "'a\\'b'",
        "NULL",
        "1",
        "'",
        "\\",
        "\n",
        "From a\n",
        "Content-Type: multipart/mixed; boundary=x\n\n--x\n",
        "{",
        "}",
        "\"",
        ":",
        "[",
        "]",
        "text",
        "label,content\n",
        "--",
        "/*",
        "*/",
        "`",
        "\u{ffff}",
        "\r",
    ];
}
