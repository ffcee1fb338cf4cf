//! Networks: is an address in one of many prefixes? Those that lie within another are left out, so that what is left is disjoint and one
//! binary search finds it.

use ipnet::IpNet;
use std::net::IpAddr;

#[derive(Debug, Clone, Default)]
pub struct Networks(Box<[IpNet]>);

/// `192.0.2.0/24`, `2001:db8::/32` or one address. Bits behind the prefix are dropped; an IPv4 address written as IPv6 is one of IPv4.
pub fn parse(text: &str) -> Option<IpNet> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(IpNet::from(address.to_canonical()));
    }
    text.parse::<IpNet>().ok().map(|net| net.trunc())
}

impl Networks {
    pub fn new(mut networks: Vec<IpNet>) -> Self {
        // By their first address, and of those that begin together the widest first.
        networks.sort_unstable();
        networks.dedup_by(|later, kept| kept.contains(&*later));
        Self(networks.into())
    }

    /// The widest network that holds the address.
    pub fn find(&self, address: IpAddr) -> Option<IpNet> {
        let address = address.to_canonical();
        let behind = self.0.partition_point(|network| network.network() <= address);
        self.0.get(behind.checked_sub(1)?).copied().filter(|network| network.contains(&address))
    }

    pub fn entries(&self) -> usize {
        self.0.len()
    }

    pub fn memory_bytes(&self) -> usize {
        self.0.len() * size_of::<IpNet>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn networks(texts: &[&str]) -> Networks {
        Networks::new(texts.iter().map(|text| parse(text).unwrap()).collect())
    }

    fn check(texts: &[&str], address: &str, expected: Option<&str>) {
        let found = networks(texts).find(address.parse().unwrap());
        assert_eq!(found.map(|network| network.to_string()).as_deref(), expected, "{address} in {texts:?}");
    }

    #[test]
    fn an_address_is_found_in_its_network() {
        check(&["192.0.2.0/24", "198.51.100.7"], "192.0.2.255", Some("192.0.2.0/24"));
        check(&["192.0.2.0/24", "198.51.100.7"], "198.51.100.7", Some("198.51.100.7/32"));
        check(&["192.0.2.0/24", "198.51.100.7"], "198.51.100.8", None);
        check(&["192.0.2.0/24", "192.0.0.0/16", "192.0.3.1"], "192.0.4.1", Some("192.0.0.0/16"));
        check(&["2001:db8::/32", "10.0.0.0/8"], "2001:db8:1::1", Some("2001:db8::/32"));
        check(&["10.0.0.0/8"], "::ffff:10.1.2.3", Some("10.0.0.0/8"));
        check(&["10.1.2.3/8"], "10.200.0.1", Some("10.0.0.0/8"));
        check(&["0.0.0.0/0"], "203.0.113.1", Some("0.0.0.0/0"));
        check(&["0.0.0.0/0"], "2001:db8::1", None);
        check(&[], "203.0.113.1", None);
        assert!(["", "1.2.3", "1.2.3.4/33", "x", "::1/129", "1.2.3.4/"].iter().all(|text| parse(text).is_none()));
    }

    proptest! {
        #[test]
        fn it_finds_what_looking_at_all_of_them_finds(
            of_4 in proptest::collection::vec((0..=255_u8, 0..=255_u8, 6..=32_u8), 0..30),
            of_6 in proptest::collection::vec((0..4_u16, 0..4_u16, 14..=128_u8), 0..10),
            (a, b, c) in (0..=255_u8, 0..=255_u8, 0..4_u16),
        ) {
            let of_4 = of_4.iter().map(|(a, b, prefix)| parse(&format!("10.{a}.{b}.0/{prefix}")).unwrap());
            let of_6 = of_6.iter().map(|(a, b, prefix)| parse(&format!("{a}:{b}::/{prefix}")).unwrap());
            let all: Vec<IpNet> = of_4.chain(of_6).collect();
            let set = Networks::new(all.clone());
            for address in [format!("10.{a}.{b}.0"), format!("10.{b}.{a}.9"), format!("{c}:1::"), format!("{c}:{c}::1")] {
                let address: IpAddr = address.parse().unwrap();
                let widest = all.iter().filter(|network| network.contains(&address)).min_by_key(|network| network.prefix_len());
                prop_assert_eq!(set.find(address), widest.copied());
            }
        }
    }
}
