//! DNS messages (RFC 1035): one question for addresses or texts, and what was answered. Only what lists and mail need: no compression is
//! followed, nothing is allocated by what a stranger counts, and every byte is looked at once at most. The crate that speaks all of DNS is
//! fifty crates.

use std::net::Ipv4Addr;

const HEADER_BYTES: usize = 12;
const NAME_BYTES_MAX: usize = 255;
const LABEL_BYTES_MAX: usize = 63;
const TYPE_A: u16 = 1;
const TYPE_SOA: u16 = 6;
const TYPE_TXT: u16 = 16;
const TYPE_OPT: u16 = 41;
const CLASS_IN: u16 = 1;

/// Addresses kept of an answer; a list says what it has to say in a few.
const ADDRESSES_MAX: usize = 16;

/// Texts kept of an answer: a domain that proves itself to many services has dozens.
const TEXTS_MAX: usize = 64;

/// What is asked of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Addresses,
    Texts,
}

/// What came back for a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The addresses and for how many seconds they hold.
    Addresses(Vec<Ipv4Addr>, u32),
    /// The texts, each put together from its pieces.
    Texts(Vec<String>),
    /// There is no such name, or it has nothing of the kind; for how many seconds (RFC 2308), where that was said.
    Nothing(Option<u32>),
    /// The resolver could not, or would not, or the answer is cut off or makes no sense.
    Failed,
}

/// The question for the addresses or texts of `name`; none for what is no name.
pub fn question(id: u16, name: &str, wanted: Wanted) -> Option<Vec<u8>> {
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if name.len() + 2 > NAME_BYTES_MAX || !name.split('.').all(is_label) {
        return None;
    }
    // One question, recursion desired.
    let mut message = [id.to_be_bytes(), [1, 0], [0, 1], [0, 0], [0, 0], [0, 0]].concat();
    for label in name.split('.') {
        message.push(u8::try_from(label.len()).ok()?);
        message.extend(label.bytes());
    }
    message.push(0);
    let kind = match wanted {
        Wanted::Addresses => TYPE_A,
        Wanted::Texts => TYPE_TXT,
    };
    message.extend([kind.to_be_bytes(), CLASS_IN.to_be_bytes()].concat());
    Some(message)
}

/// A question as it is sent by who can take an answer of more than 512 bytes (RFC 6891): a key for signatures is hardly less.
pub fn for_long_answers(question: &[u8], bytes_max: u16) -> Vec<u8> {
    let mut message = question.to_vec();
    if let Some(additional) = message.get_mut(HEADER_BYTES - 1) {
        *additional = 1;
    }
    let option = [&[0], TYPE_OPT.to_be_bytes().as_slice(), &bytes_max.to_be_bytes(), &[0; 6]].concat();
    message.extend(option);
    message
}

/// What a message says to a question; none where it is no answer to it.
pub fn reply(message: &[u8], question: &[u8]) -> Option<Reply> {
    let flags = u16_at(message, 2)?;
    let (is_response, opcode, is_cut, code) = (flags & 0x8000 != 0, flags & 0x7800, flags & 0x0200 != 0, flags & 0x000f);
    let repeated = message.get(HEADER_BYTES..question.len())?;
    let is_ours = message.get(..2) == question.get(..2) && question.get(HEADER_BYTES..)?.eq_ignore_ascii_case(repeated);
    if !is_response || opcode != 0 || u16_at(message, 4)? != 1 || !is_ours {
        return None;
    }
    let kind = u16_at(question, question.len().checked_sub(4)?)?;
    match code {
        0 | 3 if !is_cut => Some(records(message, question.len(), kind).unwrap_or(Reply::Failed)),
        _ => Some(Reply::Failed),
    }
}

/// Walks the answers, and of what stands behind them the one that says for how long there is nothing.
fn records(message: &[u8], mut at: usize, wanted: u16) -> Option<Reply> {
    let (answers, authorities) = (u16_at(message, 6)?, u16_at(message, 8)?);
    let (mut addresses, mut texts, mut seconds, mut nothing_for) = (Vec::new(), Vec::new(), u32::MAX, None);
    for number in 0..u32::from(answers) + u32::from(authorities) {
        at = after_name(message, at)?;
        let (kind, class, lives, length) =
            (u16_at(message, at)?, u16_at(message, at + 2)?, u32_at(message, at + 4)?, u16_at(message, at + 8)?);
        let data = message.get(at + 10..at + 10 + usize::from(length))?;
        at += 10 + usize::from(length);
        let is_answer = number < u32::from(answers);
        if is_answer && (kind, class) == (TYPE_TXT, CLASS_IN) && wanted == TYPE_TXT {
            if texts.len() < TEXTS_MAX {
                texts.push(text(data)?);
            }
        } else if is_answer && (kind, class) == (TYPE_A, CLASS_IN) && wanted == TYPE_A {
            let [a, b, c, d] = data else { return None };
            if addresses.len() < ADDRESSES_MAX {
                addresses.push(Ipv4Addr::new(*a, *b, *c, *d));
            }
            seconds = seconds.min(lives);
        } else if !is_answer && kind == TYPE_SOA {
            nothing_for = Some(lives.min(u32_at(data, data.len().checked_sub(4)?)?));
        }
    }
    Some(match (addresses.is_empty(), texts.is_empty()) {
        (true, true) => Reply::Nothing(nothing_for),
        (true, false) => Reply::Texts(texts),
        (false, _) => Reply::Addresses(addresses, seconds),
    })
}

/// A text comes in pieces of 255 bytes at most, each behind its length.
fn text(mut data: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(data.len());
    while let Some((length, rest)) = data.split_first() {
        let (piece, rest) = rest.split_at_checked(usize::from(*length))?;
        bytes.extend_from_slice(piece);
        data = rest;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Where a name ends. A compressed one ends with its pointer, which is not followed.
fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            0xc0.. => return Some(at + 2),
            length @ 1..=63 => at += 1 + usize::from(length),
            64..=0xbf => return None,
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUESTION: &[u8] = b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x011\x04list\x07example\0\0\x01\0\x01";

    const TEXT_QUESTION: &[u8] = b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x011\x04list\x07example\0\0\x10\0\x01";

    /// An answer with these flags, counts and records.
    fn answer(flags: u16, answers: u16, authorities: u16, records: &[u8]) -> Vec<u8> {
        let mut message = QUESTION.to_vec();
        message[2..4].copy_from_slice(&flags.to_be_bytes());
        message[6..8].copy_from_slice(&answers.to_be_bytes());
        message[8..10].copy_from_slice(&authorities.to_be_bytes());
        message.extend(records);
        message
    }

    const ADDRESS: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\x01\x2c\0\x04\x7f\0\0\x02";
    const OTHER_NAME: &[u8] = b"\x01x\0\0\x05\0\x01\0\0\0\x09\0\x02\xc0\x0c";
    const SOA: &[u8] = b"\xc0\x0e\0\x06\0\x01\0\0\x00\x90\0\x16\x00\x00\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x3c";

    fn check(message: &[u8], expected: Option<&Reply>) {
        assert_eq!(reply(message, QUESTION).as_ref(), expected);
    }

    #[test]
    fn a_question_is_asked_for_a_name_and_for_nothing_else() {
        assert_eq!(question(0x1234, "1.list.example", Wanted::Addresses).as_deref(), Some(QUESTION));
        assert_eq!(question(0x1234, "1.list.example", Wanted::Texts).as_deref(), Some(TEXT_QUESTION));
        assert_eq!(
            for_long_answers(b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\0\0\x10\0\x01", 1232),
            b"\x12\x34\x01\0\0\x01\0\0\0\0\0\x01\x01a\0\0\x10\0\x01\0\0\x29\x04\xd0\0\0\0\0\0\0"
        );
        for no_name in ["", ".", "a..b", "a b", "ä.example", "a\0b", &"x".repeat(64), &"ab.".repeat(90)] {
            assert_eq!(question(1, no_name, Wanted::Addresses), None, "{no_name:?}");
        }
    }

    #[test]
    fn what_was_answered_is_read() {
        let listed = Reply::Addresses(vec![Ipv4Addr::new(127, 0, 0, 2)], 300);
        check(&answer(0x8180, 1, 0, ADDRESS), Some(&listed));
        check(&answer(0x8180, 2, 0, &[OTHER_NAME, ADDRESS].concat()), Some(&listed));
        check(&answer(0x8183, 0, 1, SOA), Some(&Reply::Nothing(Some(60))));
        check(&answer(0x8183, 0, 0, b""), Some(&Reply::Nothing(None)));
        check(&answer(0x8180, 0, 0, b""), Some(&Reply::Nothing(None)));
    }

    #[test]
    fn a_text_is_put_together_from_its_pieces() {
        let message = [
            b"\x12\x34\x81\x80\0\x01\0\x02\0\0\0\0",
            &TEXT_QUESTION[12..],
            b"\xc0\x0c\0\x10\0\x01\0\0\x01\x2c\0\x0a\x05v=spf\x031 m",
            b"\xc0\x0c\0\x10\0\x01\0\0\x01\x2c\0\x01\0",
        ]
        .concat();
        assert_eq!(reply(&message, TEXT_QUESTION), Some(Reply::Texts(vec!["v=spf1 m".to_owned(), String::new()])));
        let mut broken = message.clone();
        broken[44] = 10;
        assert_eq!(reply(&broken, TEXT_QUESTION), Some(Reply::Failed), "a piece longer than its record");
    }

    #[test]
    fn what_failed_was_cut_off_or_makes_no_sense_has_failed() {
        for message in [
            answer(0x8182, 0, 0, b""),
            answer(0x8185, 0, 0, b""),
            answer(0x8380, 1, 0, ADDRESS),
            answer(0x8180, 2, 0, ADDRESS),
            answer(0x8180, 1, 0, &ADDRESS[..ADDRESS.len() - 1]),
            answer(0x8180, u16::MAX, u16::MAX, b"\x40\0\0"),
            answer(0x8180, 1, 0, b"\xc0\x0c\0\x01\0\x01\0\0\x01\x2c\0\x03\x7f\0\0"),
        ] {
            check(&message, Some(&Reply::Failed));
        }
    }

    #[test]
    fn what_answers_another_question_is_no_answer() {
        let mut other_id = answer(0x8180, 1, 0, ADDRESS);
        other_id[0] ^= 1;
        let mut other_name = answer(0x8180, 1, 0, ADDRESS);
        other_name[13] = b'2';
        for message in
            [other_id, other_name, answer(0x0180, 1, 0, ADDRESS), answer(0x8980, 1, 0, ADDRESS), QUESTION[..20].to_vec(), Vec::new()]
        {
            check(&message, None);
        }
        let mut shouted = answer(0x8183, 0, 0, b"");
        shouted[15..19].make_ascii_uppercase();
        check(&shouted, Some(&Reply::Nothing(None)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(flags: u16, answers: u16, authorities: u16, records in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(Reply::Addresses(addresses, _)) = reply(&answer(flags, answers, authorities, &records), QUESTION) {
                prop_assert!((1..=ADDRESSES_MAX).contains(&addresses.len()));
            }
            reply(&records, QUESTION);
        }
    }
}
