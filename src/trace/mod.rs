//! Traces: what is kept of a comment to know its like again, and nothing that can be read back: keyed hashes of where it came from, of its
//! page and of its text, a [`sketch`] of the text, and its [`marks`]. A trace is made before a comment is judged and written down with it;
//! `traffic` counts traces and `campaign` groups them.

pub mod marks;
pub mod sketch;

pub use marks::{MARKS_MAX, Mark};
pub use sketch::Sketch;

use crate::classifier::hashing::Hashing;
use crate::comment::Comment;
use crate::text::Reading;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Words of the shortest text of which a ruling says something: a person may call "thank you so much" spam for the website behind its name.
const TELLING_WORDS_MIN: usize = 5;

/// One comment's trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trace {
    /// The address it came from; of IPv6 the /64, which is what one customer has. None where the site tells none that is a visitor's.
    pub address: Option<u64>,
    /// The address's network: /24 of IPv4, /48 of IPv6.
    pub network: Option<u64>,
    /// The email address that the author claims.
    pub email: Option<u64>,
    pub page: Option<u64>,
    /// The text as it is read, and where its links lead.
    pub body: u64,
    /// Long enough that the same text again is no chance.
    pub is_telling: bool,
    /// None for a short text.
    pub sketch: Option<Sketch>,
    pub marks: [Option<Mark>; MARKS_MAX],
}

impl Trace {
    pub fn of(comment: &Comment, reading: &Reading, hashing: &Hashing) -> Self {
        let author = &comment.author;
        let source = author.ip.and_then(source);
        let body = reading.links.iter().fold(hashing.word(&reading.folded), |hash, link| hashing.pair(hash, hashing.word(&link.url), 1));
        Self {
            address: source.map(|(address, _)| hashing.word(&format!("address {address}"))),
            network: source.map(|(_, network)| hashing.word(&format!("network {network}"))),
            email: author.email.as_deref().map(|email| hashing.word(&format!("email {}", email.to_lowercase()))),
            page: comment.page.url.as_deref().map(|url| hashing.word(&format!("page {url}"))),
            body,
            is_telling: sketch::telling_words(&reading.folded).nth(TELLING_WORDS_MIN - 1).is_some(),
            sketch: Sketch::of(&reading.folded, hashing),
            marks: marks::marks(comment, reading, hashing),
        }
    }

    pub fn marks(&self) -> impl Iterator<Item = Mark> {
        self.marks.iter().flatten().copied()
    }

    /// As it is written down; 74 bytes, or 122 with a sketch.
    pub fn bytes(&self) -> Vec<u8> {
        let [address, network, email, page] = [self.address, self.network, self.email, self.page].map(|key| key.unwrap_or(0));
        let marks = self.marks.map(|mark| mark.map_or(0, Mark::bits));
        let head = [VERSION, u8::from(self.is_telling)];
        let keys = [address, network, email, page, self.body].into_iter().chain(marks).flat_map(u64::to_le_bytes);
        head.into_iter().chain(keys).chain(self.sketch.iter().flat_map(|sketch| *sketch.bytes())).collect()
    }

    /// None for what [`Trace::bytes`] of this version never writes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let ([VERSION, is_telling @ (0 | 1)], rest) = bytes.split_first_chunk()? else { return None };
        let (keys, sketch) = rest.split_at_checked(KEYS * 8)?;
        let mut keys = keys.as_chunks().0.iter().map(|key| u64::from_le_bytes(*key));
        let mut next = || keys.next().filter(|key| *key != 0);
        let (address, network, email, page, body) = (next(), next(), next(), next(), next().unwrap_or(0));
        let marks = std::array::from_fn(|_| next().and_then(Mark::from_bits));
        let sketch = if sketch.is_empty() { None } else { Some(Sketch::from_bytes(sketch.try_into().ok()?)) };
        Some(Self { address, network, email, page, body, is_telling: *is_telling == 1, sketch, marks })
    }
}

/// What [`Trace::bytes`] begins with. Another way of sketching is another version: traces of the one before are then forgotten.
const VERSION: u8 = 1;

/// Keys in a written trace.
const KEYS: usize = 5 + MARKS_MAX;

/// The address and the network that a comment came from. Addresses that no visitor has are the site's own machine or its proxy, which
/// speaks for everybody.
fn source(ip: IpAddr) -> Option<(IpAddr, IpAddr)> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let is_inner = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || is_carrier_inner(ip);
            (!is_inner).then(|| (ip.into(), Ipv4Addr::from_bits(ip.to_bits() & !0xff).into()))
        }
        IpAddr::V6(ip) => {
            let is_inner = ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local();
            let first = |bits: u32| IpAddr::from(Ipv6Addr::from_bits(ip.to_bits() >> (128 - bits) << (128 - bits)));
            (!is_inner).then(|| (first(64), first(48)))
        }
    }
}

/// 100.64.0.0/10, between a carrier and its customers (RFC 6598).
fn is_carrier_inner(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    first == 100 && second & 0xc0 == 64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(address: &str, expected: Option<(&str, &str)>) {
        let found = source(address.parse().unwrap()).map(|(address, network)| (address.to_string(), network.to_string()));
        assert_eq!(found.as_ref().map(|(address, network)| (address.as_str(), network.as_str())), expected, "{address}");
    }

    #[test]
    fn an_address_is_what_one_customer_has_and_a_proxy_is_nobody() {
        check("203.0.113.77", Some(("203.0.113.77", "203.0.113.0")));
        check("2001:db8:1:2:3:4:5:6", Some(("2001:db8:1:2::", "2001:db8:1::")));
        check("::ffff:203.0.113.77", Some(("203.0.113.77", "203.0.113.0")));
        for inner in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.9",
            "100.64.0.1",
            "169.254.1.1",
            "0.0.0.0",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
        ] {
            check(inner, None);
        }
        check("100.128.0.1", Some(("100.128.0.1", "100.128.0.0")));
    }

    proptest! {
        #[test]
        fn a_trace_comes_back_as_it_was_written(keys: [u64; 5], is_telling: bool, words in 0..20_usize) {
            let hashing = Hashing::of(1);
            let some = |key: u64| (key != 0).then_some(key);
            let sketch = Sketch::of(&"word ".repeat(words), &hashing);
            let [address, network, email, page, body] = keys;
            let marks = [Mark::from_bits(keys[0] & !7 | 1), None, Mark::from_bits(keys[1] & !7 | 5), None];
            let trace = Trace { address: some(address), network: some(network), email: some(email), page: some(page), body, is_telling, sketch, marks };
            prop_assert_eq!(Trace::from_bytes(&trace.bytes()), Some(trace));
            prop_assert_eq!(Trace::from_bytes(&trace.bytes()[1..]), None);
        }

        #[test]
        fn any_bytes_are_a_trace_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..140)) {
            if let Some(trace) = Trace::from_bytes(&bytes) {
                prop_assert_eq!(trace.bytes().len(), bytes.len());
            }
        }
    }
}
