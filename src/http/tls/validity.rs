//! Until when a certificate is valid. Of X.509's DER no more is read than leads there (RFC 5280, 4.1); everything else is rustls's.

use crate::clock::Timestamp;

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// None for what is no certificate.
pub fn valid_until(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = of(SEQUENCE, der)?;
    let (mut fields, _) = of(SEQUENCE, certificate)?;
    if let Some((_, rest)) = of(VERSION, fields) {
        fields = rest;
    }
    // Serial number, algorithm, issuer.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, fields) = of(tag, fields)?;
    }
    let (validity, _) = of(SEQUENCE, fields)?;
    let (_, _, from_on) = element(validity)?;
    let (tag, until, _) = element(from_on)?;
    time(tag, std::str::from_utf8(until).ok()?)
}

/// The content of the first element, if it has this tag, and what follows it.
fn of(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    element(der).filter(|(found, _, _)| *found == tag).map(|(_, content, rest)| (content, rest))
}

/// Tag, content and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    // Below 128 the length itself, above it the number of its bytes.
    let (length, rest) = match first.checked_sub(0x80) {
        None => (usize::from(*first), rest),
        Some(bytes @ 1..=4) => {
            let (length, rest) = rest.split_at_checked(bytes.into())?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        Some(_) => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// `491231235959Z`, which lies between 1950 and 2049, or `20501231235959Z`.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let century = match tag {
        UTC_TIME if text < "50" => "20",
        UTC_TIME => "19",
        GENERALIZED_TIME => "",
        _ => return None,
    };
    let digits: Vec<char> = century.chars().chain(text.strip_suffix('Z')?.chars()).collect();
    let part = |from: usize, to: usize| digits.get(from..to).map(|part| part.iter().collect::<String>());
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    Timestamp::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A certificate's beginning with this validity.
    fn certificate(tag: u8, until: &str) -> Vec<u8> {
        let wrap = |tag: u8, content: &[u8]| [&[tag, 0x82, 0, u8::try_from(content.len()).unwrap()], content].concat();
        let validity = [wrap(UTC_TIME, b"200101000000Z"), wrap(tag, until.as_bytes())].concat();
        let fields = [
            wrap(VERSION, &[INTEGER, 1, 2]),
            wrap(INTEGER, &[1; 8]),
            wrap(SEQUENCE, &[]),
            wrap(SEQUENCE, b"issuer"),
            wrap(SEQUENCE, &validity),
        ];
        wrap(SEQUENCE, &wrap(SEQUENCE, &fields.concat()))
    }

    fn check(tag: u8, until: &str, expected: Option<&str>) {
        let expected = expected.map(|text| Timestamp::parse(text).unwrap());
        assert_eq!(valid_until(&certificate(tag, until)), expected, "{until}");
    }

    #[test]
    fn the_end_of_validity_is_found() {
        check(UTC_TIME, "261231235959Z", Some("2026-12-31T23:59:59Z"));
        check(UTC_TIME, "500101000000Z", Some("1950-01-01T00:00:00Z"));
        check(GENERALIZED_TIME, "20611231235959Z", Some("2061-12-31T23:59:59Z"));
        check(UTC_TIME, "2612312359Z", None);
        check(UTC_TIME, "266631235959Z", None);
        check(INTEGER, "261231235959Z", None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..90, flip in 0_usize..90) {
            let _ = valid_until(&bytes);
            let mut damaged = certificate(UTC_TIME, "261231235959Z");
            let at = flip.min(damaged.len() - 1);
            damaged[at] ^= 0xff;
            let _ = valid_until(&damaged[..cut.min(damaged.len())]);
            let _ = valid_until(&damaged);
        }
    }
}
