//! CSV: a table whose first line names its columns; commas, semicolons or tabs between them, whichever that line has most of.

use super::guard::Guarded;
use super::jsonl::label_of;
use super::{Broken, Found, Options, RECORD_BYTES_MAX, Reason, Skipped, Take, field, ruling_of};
use crate::comment::Submission;
use csv::{ByteRecord, ReaderBuilder};
use std::io::BufRead;

/// Our names of what a column may hold, each with other names that it is known by.
const COLUMNS: [(&str, &[&str]); 11] = [
    ("id", &["comment_id"]),
    ("label", &["class", "is_spam", "spam", "v1"]),
    ("name", &["author", "comment_author"]),
    ("email", &["author_email", "comment_author_email"]),
    ("url", &["website", "author_url", "comment_author_url"]),
    ("ip", &["author_ip", "comment_author_ip", "remote_addr"]),
    ("date", &["created", "created_at", "comment_date_gmt"]),
    ("body", &["content", "text", "comment", "message", "comment_content", "v2"]),
    ("page_url", &["group", "page", "thread", "permalink"]),
    ("page_title", &["title"]),
    ("user_agent", &["agent", "comment_agent"]),
];

/// A row of our own behind the last: where it comes as a part of another row, that one's quote was never closed.
const END: &[u8] = b"\n\x01the end\x01\n";

/// Names that `--map` may have on its left side.
pub fn names() -> impl Iterator<Item = &'static str> {
    COLUMNS.iter().map(|(name, _)| *name)
}

pub fn read(mut input: impl BufRead, options: &Options, take: &mut Take<'_>) -> Result<(), Broken> {
    let first = input.fill_buf().map_err(|error| Broken { line: 1, reason: error.to_string() })?;
    let delimiter = delimiter(first);
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(Guarded::new(input.chain(END)));
    let mut record = ByteRecord::new();
    let mut heads: Option<Heads> = None;
    loop {
        let more = reader.read_byte_record(&mut record).map_err(|error| {
            let line = error.position().map_or_else(|| reader.position().line(), csv::Position::line);
            Broken { line, reason: error.to_string() }
        })?;
        if !more {
            return Ok(());
        }
        reader.get_mut().restart();
        let line = record.position().map_or(0, csv::Position::line);
        let last = record.get(record.len().saturating_sub(1)).unwrap_or_default();
        if last.ends_with(END) {
            return Err(Broken { line, reason: "a quote is opened and never closed: the file is cut short, or not whole".to_owned() });
        }
        if last == END.trim_ascii() {
            return Ok(());
        }
        let Some(heads) = &heads else {
            heads = Some(Heads::of(&record, options)?);
            continue;
        };
        let is_whole = record.as_slice().len() <= RECORD_BYTES_MAX;
        let found = if is_whole { heads.comment(&record, options) } else { Err(Skipped::because(Reason::TooLong)) };
        if take(line, found).is_break() {
            return Ok(());
        }
    }
}

fn delimiter(start: &[u8]) -> u8 {
    let head = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| memchr::memchr_iter(delimiter, head).count();
    // The last of equals, so that a single column has a comma.
    [b';', b'\t', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

/// Which column holds what.
struct Heads(Vec<Option<&'static str>>);

impl Heads {
    fn of(record: &ByteRecord, options: &Options) -> Result<Self, Broken> {
        let wanted = |head: &str| {
            let mapped = options.columns.iter().find(|(_, column)| *column == head).and_then(|(ours, _)| names().find(|name| name == ours));
            let lower = head.to_ascii_lowercase();
            let known = || COLUMNS.iter().find(|(name, others)| *name == lower || others.contains(&lower.as_str())).map(|(name, _)| *name);
            // What is mapped has one column and no other.
            mapped.or_else(|| known().filter(|name| !options.columns.contains_key(*name)))
        };
        let names: Vec<String> = record.iter().map(|head| String::from_utf8_lossy(head).trim().to_owned()).collect();
        let heads: Vec<_> = names.iter().map(|name| wanted(name)).collect();
        let broken = |reason| Err(Broken { line: 1, reason });
        if let Some((ours, missing)) = options.columns.iter().find(|(_, column)| !names.contains(column)) {
            return broken(format!("--map {ours}={missing}: there is no column {missing:?}; the file has {}", names.join(", ")));
        }
        if !heads.contains(&Some("body")) {
            return broken(format!("no column holds the text; name it with --map body=COLUMN. The file has {}", names.join(", ")));
        }
        if options.label.is_none() && !heads.contains(&Some("label")) {
            return broken(format!(
                "no column holds the label; name it with --map label=COLUMN, or say --label. The file has {}",
                names.join(", ")
            ));
        }
        Ok(Self(heads))
    }

    fn comment(&self, record: &ByteRecord, options: &Options) -> Result<Found, Skipped> {
        let mut submission = Submission::default();
        let (mut source_id, mut label) = (None, None);
        for (name, value) in self.0.iter().zip(record).filter_map(|(name, value)| Some(((*name)?, value))) {
            let value = std::str::from_utf8(value).map_err(|_| Skipped::because(Reason::NotUtf8))?;
            let value = field(value.to_owned());
            match name {
                "id" => source_id = value,
                "label" => label = value,
                "name" => submission.name = value,
                "email" => submission.email = value,
                "url" => submission.url = value,
                "ip" => submission.ip = value,
                "date" => submission.submitted_at = value,
                "body" => submission.body = value,
                "page_url" => submission.page_url = value,
                "page_title" => submission.page_title = value,
                "user_agent" => submission.user_agent = value,
                _ => {}
            }
        }
        if submission.body.is_none() {
            return Err(Skipped::because(Reason::NoText));
        }
        let label = label.as_deref().map_or(options.label, label_of).ok_or_else(|| Skipped::because(Reason::Undecided))?;
        Ok(Found { source_id, submission, ruling: ruling_of(label), machine: None })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all, told};
    use super::super::{Format, Options};

    fn mapped(pairs: &[(&str, &str)]) -> Options {
        Options { columns: pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(), ..Options::default() }
    }

    #[test]
    fn columns_are_known_by_their_names_or_mapped() {
        let text = "id,author,content,is_spam\n1,Ana,\"two\nlines\",1\n2,Bob,short\n3,Cy,ok,0\n4,Di,,1\n5,Ed,x,maybe\n";
        let expected = ["2 spam Ana: two\nlines", "4 undecided", "5 publish Cy: ok", "6 no_text", "7 undecided"];
        assert_eq!(told(Format::Csv, text, &Options::default()), expected);
        let text = "who;said;is spam\nAna;buy;spam\n";
        assert_eq!(told(Format::Csv, text, &mapped(&[("name", "who"), ("body", "said"), ("label", "is spam")])), ["2 spam Ana: buy"]);
        assert_eq!(told(Format::Csv, "label\ttext\nham\thi, there\n", &Options::default()), ["2 publish -: hi, there"]);
    }

    #[test]
    fn a_table_that_cannot_be_understood_says_what_it_has() {
        let check = |text: &str, options: &Options, expected: &str| {
            let reason = all(Format::Csv, text.as_bytes(), options).1.unwrap().reason;
            assert!(reason.starts_with(expected), "{reason}");
        };
        check("who,what\n", &Options::default(), "no column holds the text");
        check("who,text\n", &Options::default(), "no column holds the label");
        check("who,text\n", &mapped(&[("label", "nope")]), "--map label=nope: there is no column \"nope\"; the file has who, text");
        let unclosed = format!("label,text\nham,\"{}", "x".repeat(5 << 20));
        check(&unclosed, &Options::default(), "one piece is longer");
    }

    #[test]
    fn a_row_that_is_no_utf_8_is_passed_over() {
        let (entries, broken) = all(Format::Csv, b"label,text\nham,caf\xe9\nham,tea\n", &Options::default());
        assert!(broken.is_none() && entries[0].1.is_err() && entries[1].1.is_ok());
    }
}
