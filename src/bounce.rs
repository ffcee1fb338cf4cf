//! Bounces: what mail servers say when a mail did not arrive, as bytes. Reads delivery reports (RFC 3464) and the plain letters of servers
//! that send none; finds which of our mails it is about, by the mark in its return address or by its Message-ID. Lenient, linear in its
//! input, and believed in nothing: whose mail it was, and whether the mark is ours, is for others to say.

use crate::id::DigestId;

/// A report is read to here. Servers quote the mail they return, and ours have 90 KB.
pub const BYTES_MAX: usize = 1 << 20;

/// Hexadecimal digits of the mark that a return address carries, see `action::Keys::mark`.
const MARK_DIGITS: usize = 48;

/// What was reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub fate: Fate,
    /// `5.1.1`, or `550` where no more is said; never the server's words, which name the address.
    pub status: String,
    /// The mark in the address that the report was sent to.
    pub mark: Option<String>,
    /// The mail it is about, by the Message-ID of what it returns.
    pub digest: Option<DigestId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It will not be tried again.
    Failed,
    /// Not yet, or it arrived after all.
    Other,
}

/// What a part of a message is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The letter's own header.
    Head,
    /// The header of what follows a boundary.
    Inner,
    /// Words for people.
    Text,
    /// Fields of `message/delivery-status`.
    Status,
    /// The header of the mail that came back.
    Returned,
    /// Its text: strangers' words, of which nothing counts.
    Ignored,
}

/// The mark behind the last plus sign of an address.
pub fn mark(address: &str) -> Option<&str> {
    let (local, _) = address.trim_matches(['<', '>', ' ', '"']).rsplit_once('@')?;
    let (_, mark) = local.rsplit_once('+')?;
    (mark.len() == MARK_DIGITS && mark.bytes().all(|b| b.is_ascii_hexdigit())).then_some(mark)
}

/// None for what is no report: answers of people, notes of absence, advertisements.
pub fn read(message: &[u8]) -> Option<Report> {
    let text = String::from_utf8_lossy(message.get(..BYTES_MAX).unwrap_or(message));
    let mut reader = Reader::default();
    text.lines().for_each(|line| reader.line(line.trim_end_matches('\r')));
    reader.report()
}

struct Reader {
    part: Part,
    boundary: Option<String>,
    /// The lower-cased content type of the part whose header is being read.
    kind: String,
    is_report: bool,
    is_from_server: bool,
    mark: Option<String>,
    action: Option<String>,
    status: Option<String>,
    code: Option<String>,
    digest: Option<DigestId>,
}

impl Default for Reader {
    fn default() -> Self {
        let (boundary, kind, mark, action, status, code, digest) = (None, String::new(), None, None, None, None, None);
        Self { part: Part::Head, boundary, kind, is_report: false, is_from_server: false, mark, action, status, code, digest }
    }
}

impl Reader {
    fn line(&mut self, line: &str) {
        let is_boundary = self.part != Part::Head
            && line.strip_prefix("--").is_some_and(|rest| self.boundary.as_deref().is_some_and(|boundary| rest.starts_with(boundary)));
        if is_boundary {
            self.part = Part::Inner;
            self.kind.clear();
            return;
        }
        match self.part {
            Part::Head => self.head(line),
            Part::Inner => self.inner(line),
            Part::Status => self.status(line),
            Part::Text => self.text(line),
            Part::Returned => self.returned(line),
            Part::Ignored => {}
        }
    }

    fn head(&mut self, line: &str) {
        if line.is_empty() {
            self.is_report = self.kind.contains("multipart/report") && self.kind.contains("delivery-status");
            self.part = Part::Text;
            return;
        }
        if let Some((name, value)) = field(line) {
            match name.as_str() {
                "from" | "return-path" => self.is_from_server |= is_server(value),
                "to" | "delivered-to" | "x-original-to" | "envelope-to" => {
                    self.mark = self.mark.take().or_else(|| value.split([',', ' ']).find_map(mark).map(str::to_owned));
                }
                _ => {}
            }
        }
        self.content_type(line);
    }

    /// Content types may be folded over several lines; parameters are told apart by their names.
    fn content_type(&mut self, line: &str) {
        let is_type = field(line).is_some_and(|(name, _)| name == "content-type");
        let goes_on = line.starts_with([' ', '\t']) && !self.kind.is_empty();
        if !(is_type || goes_on) {
            return;
        }
        self.kind.push_str(&line.to_ascii_lowercase());
        let at = line.to_ascii_lowercase().find("boundary=");
        if let (None, Some(rest)) = (&self.boundary, at.and_then(|at| line.get(at + "boundary=".len()..))) {
            let quoted = rest.strip_prefix('"').and_then(|rest| rest.split('"').next());
            let boundary = quoted.unwrap_or_else(|| rest.split([';', ' ']).next().unwrap_or_default());
            self.boundary = (!boundary.is_empty()).then(|| boundary.to_owned());
        }
    }

    fn inner(&mut self, line: &str) {
        if !line.is_empty() {
            self.content_type(line);
            return;
        }
        self.part = match self.kind.as_str() {
            kind if kind.contains("message/delivery-status") || kind.contains("message/global-delivery-status") => Part::Status,
            kind if kind.contains("message/rfc822") || kind.contains("text/rfc822-headers") || kind.contains("message/global") => {
                Part::Returned
            }
            kind if kind.is_empty() || kind.contains("text/plain") => Part::Text,
            _ => Part::Ignored,
        };
    }

    fn status(&mut self, line: &str) {
        let Some((name, value)) = field(line) else { return };
        match name.as_str() {
            "action" => self.action = self.action.take().or_else(|| Some(value.to_ascii_lowercase())),
            "status" => self.status = self.status.take().or_else(|| enhanced(value).map(str::to_owned)),
            _ => {}
        }
    }

    /// Plain letters say it in words: the first code in them is what the other server answered.
    fn text(&mut self, line: &str) {
        if self.code.is_none() {
            self.code =
                line.split([' ', ':', '-', '(', ')', '[', ']']).find_map(|word| enhanced(word).or_else(|| basic(word))).map(str::to_owned);
        }
        self.message_id(line);
    }

    fn returned(&mut self, line: &str) {
        if line.is_empty() {
            self.part = Part::Ignored;
        }
        self.message_id(line);
    }

    fn message_id(&mut self, line: &str) {
        if let Some((_, value)) = field(line).filter(|(name, _)| name == "message-id" && self.digest.is_none()) {
            self.digest = value.trim_start_matches('<').split('@').next().and_then(|id| id.parse().ok());
        }
    }

    fn report(self) -> Option<Report> {
        if !self.is_report && !self.is_from_server {
            return None;
        }
        let status = if self.is_report { self.status } else { self.code };
        let is_final = match self.action {
            Some(action) => action.starts_with("failed"),
            None => true,
        };
        let fate = if is_final && status.as_deref().is_some_and(|status| status.starts_with('5')) { Fate::Failed } else { Fate::Other };
        Some(Report { fate, status: status.unwrap_or_default(), mark: self.mark, digest: self.digest })
    }
}

/// A header's field, its name in lower case.
fn field(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.split_once(':')?;
    let is_name = !name.is_empty() && name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_name.then(|| (name.to_ascii_lowercase(), value.trim()))
}

/// The empty return path, or the names that servers write under.
fn is_server(sender: &str) -> bool {
    let sender = sender.to_ascii_lowercase();
    sender.trim() == "<>" || sender.contains("mailer-daemon@") || sender.contains("postmaster@")
}

/// `5.1.1` (RFC 3463), with whatever follows it left out.
fn enhanced(text: &str) -> Option<&str> {
    let word = text.split([' ', ';', '(', ',']).next()?;
    let parts: Vec<&str> = word.trim_end_matches('.').split('.').collect();
    let is_sound = matches!(parts.as_slice(), ["2" | "4" | "5", a, b] if [a, b].iter().all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())));
    is_sound.then(|| word.trim_end_matches('.'))
}

/// `550` (RFC 5321).
fn basic(word: &str) -> Option<&str> {
    (word.len() == 3 && word.starts_with(['4', '5']) && word.bytes().skip(1).all(|b| b.is_ascii_digit())).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "019ab3c0-7a51-7c1e-8f00-2b6f0f6a9d11";
    const MARK: &str = "019ab3c07a517c1e8f002b6f0f6a9d11aabbccddeeff0011";

    /// As Postfix writes it.
    fn delivery_report(action: &str, status: &str, returned: &str) -> String {
        format!(
            "Return-Path: <>\r\nDelivered-To: bounces+{MARK}@blog.example\r\nFrom: MAILER-DAEMON@mx.example (Mail Delivery System)\r\n\
             Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"9B1/mx.example\"\r\n\r\n\
             This is a MIME-encapsulated message.\r\n\r\n--9B1/mx.example\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
             I'm sorry, <ana@m.example>: host m.example said: 450 4.2.0 first greylisted\r\n\r\n--9B1/mx.example\r\n\
             Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
             Final-Recipient: rfc822; ana@m.example\r\nAction: {action}\r\nStatus: {status}\r\n\
             Diagnostic-Code: smtp; 550 5.1.1 <ana@m.example>: unknown\r\n\r\n--9B1/mx.example\r\n\
             Content-Type: message/rfc822\r\n\r\nMessage-ID: <{ID}@blog.example>\r\nSubject: x\r\n\r\n{returned}\r\n--9B1/mx.example--\r\n"
        )
    }

    fn check(message: &str, expected: Option<(Fate, &str)>) -> Option<Report> {
        let report = read(message.as_bytes());
        assert_eq!(report.as_ref().map(|report| (report.fate, report.status.as_str())), expected, "{message}");
        report
    }

    #[test]
    fn a_delivery_report_says_what_became_of_which_mail() {
        let report = check(&delivery_report("failed", "5.1.1", ""), Some((Fate::Failed, "5.1.1"))).unwrap();
        assert_eq!((report.mark.as_deref(), report.digest), (Some(MARK), ID.parse().ok()));
        check(&delivery_report("delayed", "4.4.1", ""), Some((Fate::Other, "4.4.1")));
        check(&delivery_report("failed", "4.4.7 (expired)", ""), Some((Fate::Other, "4.4.7")));
        check(&delivery_report("relayed", "2.0.0", ""), Some((Fate::Other, "2.0.0")));
        check(&delivery_report("delivered", "5.0.0", ""), Some((Fate::Other, "5.0.0")));
        check(&delivery_report("failed", "no status", ""), Some((Fate::Other, "")));
    }

    #[test]
    fn what_a_stranger_wrote_in_the_returned_mail_counts_for_nothing() {
        let words = "Action: failed\r\nStatus: 5.1.1\r\nMessage-ID: <00000000-0000-7000-8000-000000000000@x>\r\n550 5.1.1";
        let report = check(&delivery_report("delayed", "4.4.1", words), Some((Fate::Other, "4.4.1"))).unwrap();
        assert_eq!(report.digest, ID.parse().ok());
    }

    #[test]
    fn plain_letters_of_servers_are_read_and_those_of_people_are_not() {
        let letter = |from: &str, text: &str| format!("From: {from}\nTo: <bounces+{MARK}@blog.example>\nSubject: failure\n\n{text}\n");
        let plain =
            letter("Mail Delivery System <MAILER-DAEMON@mx.example>", "Hi. This is qmail.\n<ana@m.example>:\n550 5.1.1 no such user");
        let report = check(&plain, Some((Fate::Failed, "550"))).unwrap();
        assert_eq!(report.mark.as_deref(), Some(MARK));
        check(&letter("postmaster@mx.example", "552 mailbox full, 4.2.2 will not try again"), Some((Fate::Failed, "552")));
        check(&letter("postmaster@mx.example", "your mail waits (4.4.1)"), Some((Fate::Other, "4.4.1")));
        check(&letter("Ana <ana@m.example>", "550 5.1.1 says nothing here"), None);
        check(&format!("Auto-Submitted: auto-replied\n{}", letter("ana@m.example", "I am away until 550")), None);
        check("", None);
    }

    #[test]
    fn a_mark_is_found_in_an_address_and_nowhere_else() {
        for (address, found) in [
            (format!("bounces+{MARK}@blog.example"), true),
            (format!("<b+x+{}@blog.example>", MARK.to_uppercase()), true),
            (format!("bounces-{MARK}@blog.example"), false),
            (format!("bounces+{MARK}0@blog.example"), false),
            (format!("bounces+{MARK}"), false),
            ("+@".to_owned(), false),
        ] {
            assert_eq!(mark(&address).is_some(), found, "{address}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            for message in [text.clone(), delivery_report(&text, &text, &text), format!("From: postmaster@x\n\n{text}")] {
                if let Some(report) = read(message.as_bytes()) {
                    prop_assert!(report.status.len() <= 9 && report.status.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
                }
            }
        }
    }
}
