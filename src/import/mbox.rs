//! mbox: mails one after another, as mail programs keep a folder of reported spam or of contact forms. A box has one label for all.

use super::{Broken, Found, Options, RECORD_BYTES_MAX, Reason, Skipped, Take, field, lines, ruling_of};
use crate::comment::Submission;
use mailparse::{MailHeaderMap, ParsedMail};
use std::io::BufRead;

/// Parts within parts; mails have three.
const DEPTH_MAX: usize = 8;

pub fn read(mut input: impl BufRead, options: &Options, take: &mut Take<'_>) -> Result<(), Broken> {
    let (mut line, mut mail) = (Vec::new(), Vec::new());
    // The line that the open mail began at; none before the first.
    let (mut began, mut is_whole, mut after_blank) = (None, true, true);
    for number in 1.. {
        let next = lines::next(&mut input, &mut line).map_err(|error| Broken { line: number, reason: error.to_string() })?;
        let starts = after_blank && line.starts_with(b"From ");
        if next.is_none() || starts {
            if let Some(began) = began {
                let found = if is_whole { comment(&mail, options) } else { Err(Skipped::because(Reason::TooLong)) };
                if take(began, found).is_break() {
                    return Ok(());
                }
            }
            if next.is_none() {
                break;
            }
            (began, is_whole) = (Some(number), true);
            mail.clear();
        } else if began.is_none() {
            return Err(Broken { line: number, reason: "a box begins with a line \"From ...\"".to_owned() });
        } else {
            is_whole &= next == Some(true) && mail.len() + line.len() <= RECORD_BYTES_MAX;
            if is_whole {
                mail.extend_from_slice(unquoted(&line));
            }
        }
        after_blank = line.trim_ascii().is_empty();
    }
    Ok(())
}

/// `>From ` is what a line that began with `From ` became.
fn unquoted(line: &[u8]) -> &[u8] {
    let marks = line.iter().take_while(|byte| **byte == b'>').count();
    let is_quoted = marks > 0 && line.get(marks..).is_some_and(|rest| rest.starts_with(b"From "));
    if is_quoted { line.get(1..).unwrap_or_default() } else { line }
}

fn comment(mail: &[u8], options: &Options) -> Result<Found, Skipped> {
    if nests_deeply(mail) {
        return Err(Skipped::malformed("its parts lie too deep in one another"));
    }
    let label = options.label.ok_or_else(|| Skipped::because(Reason::Undecided))?;
    let mail = mailparse::parse_mail(mail).map_err(Skipped::malformed)?;
    let body = text_of(&mail, 0).and_then(field).ok_or_else(|| Skipped::because(Reason::NoText))?;
    let from = mail.headers.get_first_value("From").and_then(|from| mailparse::addrparse(&from).ok()?.extract_single_info());
    let date = mail.headers.get_first_value("Date").and_then(|date| mailparse::dateparse(&date).ok());
    let flag = ["X-Spam-Flag", "X-Spam-Status"].into_iter().find_map(|name| mail.headers.get_first_value(name));
    let submission = Submission {
        name: from.as_ref().and_then(|from| from.display_name.clone()),
        email: from.map(|from| from.addr),
        body: Some(body),
        submitted_at: date.map(|seconds| crate::clock::Timestamp::from_ms(seconds.saturating_mul(1000)).to_string()),
        ..Submission::default()
    };
    let source_id = mail.headers.get_first_value("Message-ID").and_then(field);
    Ok(Found { source_id, submission, ruling: ruling_of(label), machine: flag })
}

/// The parser follows parts into parts without a bound of its own.
fn nests_deeply(mail: &[u8]) -> bool {
    let multipart = b"multipart/";
    let starts = memchr::memmem::find_iter(&mail.to_ascii_lowercase(), multipart).count();
    starts > DEPTH_MAX
}

/// The first plain text, else the first text of any kind; a bad encoding is no text.
fn text_of(mail: &ParsedMail<'_>, depth: usize) -> Option<String> {
    if mail.subparts.is_empty() {
        return mail.ctype.mimetype.starts_with("text/").then(|| mail.get_body().ok()).flatten();
    }
    let parts = || mail.subparts.iter().filter(|_| depth < DEPTH_MAX);
    let plain = parts().filter(|part| part.ctype.mimetype == "text/plain").find_map(|part| text_of(part, depth + 1));
    plain.or_else(|| parts().find_map(|part| text_of(part, depth + 1)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all, told};
    use super::super::{Format, Options};
    use crate::classifier::Label;

    const BOX: &str = "From ana Mon Jan  6 10:00:00 2020\nFrom: Ana <ana@mail.example>\nDate: Mon, 6 Jan 2020 10:00:00 +0000\nMessage-ID: <1@x>\nX-Spam-Flag: YES\n\
        \nBuy now\n>From me\n\nFrom bob Mon Jan  6 10:00:00 2020\nFrom: bob@mail.example\nContent-Type: multipart/alternative; boundary=b\n\
        \n--b\nContent-Type: text/html\n\n<p>Hi</p>\n--b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nCaf=E9\n--b--\n\n\
        From cy Mon Jan  6 10:00:00 2020\nContent-Type: image/png\n\nxx\n";

    #[test]
    fn every_mail_is_a_comment_of_the_box_s_label() {
        let spam = Options { label: Some(Label::Spam), ..Options::default() };
        assert_eq!(told(Format::Mbox, BOX, &spam), ["1 spam Ana: Buy now\nFrom me\n\n", "10 spam -: Caf\u{e9}", "25 no_text"]);
        let (entries, _) = all(Format::Mbox, BOX.as_bytes(), &spam);
        let found = entries[0].1.as_ref().unwrap();
        assert_eq!((found.machine.as_deref(), found.source_id.as_deref()), (Some("YES"), Some("<1@x>")));
        assert_eq!(found.submission.email.as_deref(), Some("ana@mail.example"));
        assert_eq!(found.submission.submitted_at.as_deref(), Some("2020-01-06T10:00:00Z"));
    }

    #[test]
    fn what_is_no_box_is_told_of() {
        let (_, broken) = all(Format::Mbox, b"Subject: hi\n", &Options::default());
        assert_eq!(broken.unwrap().line, 1);
    }
}
