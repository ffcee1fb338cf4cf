//! Tests alone: every format, cut short, in another encoding, and with one comment that is too long. What was read before the damage stays
//! read, nothing is half read, and the report says on which line.

use super::tests::all;
use super::{Format, Options, RECORD_BYTES_MAX, Reason, Submission};
use crate::classifier::Label;
use crate::decision::Ruling;

/// A file of one format with these texts, a comment each, and whether the format itself shows where a comment ends.
struct Sample {
    format: Format,
    head: &'static str,
    record: fn(usize, &[u8]) -> Vec<u8>,
    between: &'static str,
    tail: &'static str,
    is_closed: bool,
}

fn around(before: &str, text: &[u8], after: &str) -> Vec<u8> {
    [before.as_bytes(), text, after.as_bytes()].concat()
}

const SAMPLES: [Sample; 7] = [
    Sample {
        format: Format::Jsonl,
        head: "",
        record: |id, text| around(&format!("{{\"id\":\"{id}\",\"label\":\"ham\",\"content\":\""), text, "\"}\n"),
        between: "",
        tail: "",
        is_closed: true,
    },
    Sample {
        format: Format::Wxr,
        head: "<rss><channel><item><link>https://blog.example/how</link>\n",
        record: |id, text| {
            let head = format!("<wp:comment><wp:comment_id>{id}</wp:comment_id><wp:comment_content><![CDATA[");
            around(&head, text, "]]></wp:comment_content><wp:comment_approved>1</wp:comment_approved></wp:comment>\n")
        },
        between: "",
        tail: "</item></channel></rss>",
        is_closed: true,
    },
    Sample {
        format: Format::Disqus,
        head: "<disqus><thread dsq:id=\"9\"><link>https://blog.example/how</link></thread>\n",
        record: |id, text| {
            let head = format!("<post dsq:id=\"{id}\"><message><![CDATA[");
            around(&head, text, "]]></message><isApproved>true</isApproved><thread dsq:id=\"9\"/></post>\n")
        },
        between: "",
        tail: "</disqus>",
        is_closed: true,
    },
    Sample {
        format: Format::Csv,
        head: "label,id,text\n",
        record: |id, text| around(&format!("ham,{id},\""), text, "\"\n"),
        between: "",
        tail: "",
        is_closed: true,
    },
    Sample {
        format: Format::Mbox,
        head: "",
        record: |id, text| around(&format!("From x\nMessage-ID: <{id}@x>\nContent-Type: text/plain; charset=utf-8\n\n"), text, "\n\n"),
        between: "",
        tail: "",
        is_closed: false,
    },
    Sample {
        format: Format::Remark42,
        head: "{\"version\":1}\n",
        record: |id, text| around(&format!("{{\"id\":\"{id}\",\"orig\":\""), text, "\",\"user\":{\"name\":\"Ana\"}}\n"),
        between: "",
        tail: "",
        is_closed: true,
    },
    Sample {
        format: Format::WordpressSql,
        head: "INSERT INTO `wp_comments` (`comment_ID`, `comment_content`, `comment_approved`) VALUES\n",
        record: |id, text| around(&format!("({id},'"), text, "','1')"),
        between: ",\n",
        tail: ";\n",
        is_closed: true,
    },
];

impl Sample {
    fn file(&self, texts: &[&[u8]]) -> Vec<u8> {
        let records: Vec<Vec<u8>> = texts.iter().enumerate().map(|(id, text)| (self.record)(id, text)).collect();
        [self.head.as_bytes(), &records.join(self.between.as_bytes()), self.tail.as_bytes()].concat()
    }

    /// The texts that were read, the reasons and lines of those that were not, and the line at which it ended early.
    fn read(&self, file: &[u8]) -> (Vec<String>, Vec<(Reason, u64)>, Option<u64>) {
        let (entries, broken) = all(self.format, file, &Options { label: Some(Label::Ham), ..Options::default() });
        let (mut texts, mut skipped) = (Vec::new(), Vec::new());
        for (line, entry) in entries {
            match entry {
                Ok(found) => {
                    assert_eq!(found.ruling, Ruling::Publish);
                    let Submission { body, .. } = found.submission;
                    texts.push(body.unwrap().trim_end().to_owned());
                }
                Err(why) => skipped.push((why.reason, line)),
            }
        }
        (texts, skipped, broken.map(|broken| broken.line))
    }

    /// The line on which the second comment stands: each before it takes up whole lines.
    fn second_line(&self) -> u64 {
        let before = [self.head.as_bytes(), &(self.record)(0, b"one"), self.between.as_bytes()].concat();
        1 + lines(&before)
    }
}

/// Lines that have ended.
fn lines(bytes: &[u8]) -> u64 {
    bytes.split(|byte| *byte == b'\n').count() as u64 - 1
}

#[test]
fn a_file_cut_anywhere_gives_whole_comments_up_to_there() {
    for sample in SAMPLES {
        let whole = sample.file(&[b"one", b"two words", b"three"]);
        assert_eq!(sample.read(&whole), (["one", "two words", "three"].map(str::to_owned).to_vec(), vec![], None), "{:?}", sample.format);
        for end in 0..whole.len() {
            let (texts, skipped, broken) = sample.read(&whole[..end]);
            let sure = if sample.is_closed { &texts[..] } else { texts.split_last().map_or(&[][..], |(_, before)| before) };
            let expected = ["one", "two words", "three"];
            assert!(expected.iter().take(sure.len()).eq(sure), "{:?} cut at {end}: {texts:?}", sample.format);
            assert!(skipped.len() <= 1, "{:?} cut at {end}: {skipped:?}", sample.format);
            let said = broken.or_else(|| skipped.first().map(|(_, line)| *line));
            let ended = lines(&whole[..end]) + 1;
            assert!(said.is_none_or(|line| line <= ended), "{:?} cut at {end}: line {said:?} of {ended}", sample.format);
        }
    }
}

#[test]
fn a_comment_in_another_encoding_is_passed_over_and_told_of_by_its_line() {
    for sample in SAMPLES {
        let (texts, skipped, broken) = sample.read(&sample.file(&[b"one", b"caf\xe9", b"three"]));
        assert_eq!(broken, None, "{:?}", sample.format);
        if sample.format == Format::Mbox {
            // A mail that belies its own charset is read as far as it goes, as every mail reader does.
            assert_eq!(texts, ["one", "caf\u{fffd}", "three"]);
            continue;
        }
        assert_eq!(texts, ["one", "three"], "{:?}", sample.format);
        assert_eq!(skipped, [(Reason::NotUtf8, sample.second_line())], "{:?}", sample.format);
    }
}

/// Where a format shows that a comment is over only by what closes it, one without an end cannot be passed over: reading ends there.
#[test]
fn a_comment_that_is_too_long_takes_no_memory_and_is_told_of() {
    let long = vec![b'x'; RECORD_BYTES_MAX + 1];
    for sample in SAMPLES {
        let (texts, skipped, broken) = sample.read(&sample.file(&[b"one", &long, b"three"]));
        assert!(texts.iter().all(|text| text.len() < 10), "{:?} holds it", sample.format);
        match broken {
            None => {
                assert_eq!(texts, ["one", "three"], "{:?}", sample.format);
                assert_eq!(skipped, [(Reason::TooLong, sample.second_line())], "{:?}", sample.format);
            }
            Some(line) => assert_eq!((texts, line), (vec!["one".to_owned()], sample.second_line()), "{:?}", sample.format),
        }
    }
}
