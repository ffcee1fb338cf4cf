//! Where a webhook may go. A URL is written by an admin, but what its name resolves to is somebody else's word; so an address is looked
//! at, and only one that is public, or within a network that the site allows, is connected to. Looking up and connecting are `outbox`'s.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 networks that are no public addresses, by IANA's registry of special purposes, and one that only looks public.
const NOT_PUBLIC_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),        // this network, RFC 791
    ([10, 0, 0, 0], 8),       // private, RFC 1918
    ([100, 64, 0, 0], 10),    // between a provider and its customers, RFC 6598; a cloud has its metadata there
    ([127, 0, 0, 0], 8),      // loopback, RFC 1122
    ([168, 63, 129, 16], 32), // what a cloud tells its own machines
    ([169, 254, 0, 0], 16),   // link-local, RFC 3927; most clouds have their metadata there
    ([172, 16, 0, 0], 12),    // private, RFC 1918
    ([192, 0, 0, 0], 24),     // the IETF's protocols, RFC 6890
    ([192, 0, 2, 0], 24),     // documentation, RFC 5737
    ([192, 88, 99, 0], 24),   // relays of 6to4, RFC 7526
    ([192, 168, 0, 0], 16),   // private, RFC 1918
    ([198, 18, 0, 0], 15),    // benchmarks, RFC 2544
    ([198, 51, 100, 0], 24),  // documentation, RFC 5737
    ([203, 0, 113, 0], 24),   // documentation, RFC 5737
    ([224, 0, 0, 0], 4),      // multicast, RFC 1112
    ([240, 0, 0, 0], 4),      // reserved, RFC 1112, and broadcast
];

/// What is public of IPv6: all that was ever given out (RFC 4291).
const PUBLIC_V6: ([u16; 8], u32) = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// Networks within it that are no public addresses.
const NOT_PUBLIC_V6: [([u16; 8], u32); 4] = [
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),     // the IETF's protocols, Teredo among them, RFC 2928
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation, RFC 3849
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),     // 6to4, which holds any IPv4 address, RFC 3056
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),     // documentation, RFC 9637
];

/// An IPv4 address as the translator of an IPv6 network knows it (RFC 6052).
const TRANSLATED: ([u16; 8], u32) = ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

/// The public addresses, and those of some networks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Reach(Vec<IpNet>);

impl Reach {
    /// Public addresses, and these networks.
    pub fn with(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    pub fn anywhere() -> Self {
        let all = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        Self(all.into_iter().filter_map(|from| IpNet::new(from, 0).ok()).collect())
    }

    pub fn allows(&self, address: IpAddr) -> bool {
        let meant = meant(address);
        is_public(meant) || self.0.iter().any(|network| network.contains(&meant) || network.contains(&address))
    }
}

/// The address that packets end up at: an IPv4 address may be written as an IPv6 one.
fn meant(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if within_v6(address, TRANSLATED) => {
            let [.., high, low] = address.segments();
            IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        address @ (IpAddr::V4(_) | IpAddr::V6(_)) => address,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|network| within_v4(address, *network)),
        IpAddr::V6(address) => within_v6(address, PUBLIC_V6) && !NOT_PUBLIC_V6.iter().any(|network| within_v6(address, *network)),
    }
}

fn within_v4(address: Ipv4Addr, (network, bits): ([u8; 4], u32)) -> bool {
    (address.to_bits() ^ u32::from_be_bytes(network)).leading_zeros() >= bits
}

fn within_v6(address: Ipv6Addr, (network, bits): ([u16; 8], u32)) -> bool {
    (address.to_bits() ^ Ipv6Addr::from(network).to_bits()).leading_zeros() >= bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(reach: &Reach, address: &str, expected: bool) {
        assert_eq!(reach.allows(address.parse().unwrap()), expected, "{address}");
    }

    #[test]
    fn only_public_addresses_are_reached() {
        for public in
            ["8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.255", "2606:4700::1"]
        {
            check(&Reach::default(), public, true);
        }
        let refused = "0.0.0.0 10.1.2.3 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 168.63.129.16 169.254.169.254 172.16.0.1
            172.31.255.255 192.0.0.192 192.168.1.1 198.18.0.1 203.0.113.9 224.0.0.1 255.255.255.255
            :: ::1 ::7f00:1 fe80::1 fec0::1 fc00::1 fd00:ec2::254 ff02::1 100::1 2001::1 2001:db8::1 2002:7f00:1::1 3fff::1 5f00::1 64:ff9b:1::1";
        for address in refused.split_whitespace() {
            check(&Reach::default(), address, false);
        }
    }

    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_judged_by_what_it_is() {
        for (address, expected) in [
            ("::ffff:127.0.0.1", false),
            ("::ffff:169.254.169.254", false),
            ("::ffff:8.8.8.8", true),
            ("64:ff9b::127.0.0.1", false),
            ("64:ff9b::10.0.0.1", false),
            ("64:ff9b::8.8.8.8", true),
        ] {
            check(&Reach::default(), address, expected);
        }
    }

    #[test]
    fn a_site_may_allow_networks_of_its_own() {
        let reach = Reach::with(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        for (address, expected) in [
            ("10.9.9.9", true),
            ("::ffff:10.9.9.9", true),
            ("64:ff9b::10.9.9.9", true),
            ("fd12::1", true),
            ("127.0.0.1", false),
            ("192.168.0.1", false),
            ("8.8.8.8", true),
        ] {
            check(&reach, address, expected);
        }
    }

    proptest! {
        #[test]
        fn anywhere_is_anywhere_and_clothes_make_no_difference(bits in any::<u32>(), long in any::<u128>()) {
            let plain = Ipv4Addr::from_bits(bits);
            prop_assert!(Reach::anywhere().allows(plain.into()) && Reach::anywhere().allows(Ipv6Addr::from_bits(long).into()));
            let [translated, mapped] = [0x64_ff9b_u128 << 96 | u128::from(bits), 0xffff_u128 << 32 | u128::from(bits)].map(Ipv6Addr::from_bits);
            let expected = Reach::default().allows(plain.into());
            prop_assert_eq!(Reach::default().allows(translated.into()), expected);
            prop_assert_eq!(Reach::default().allows(mapped.into()), expected);
        }
    }
}
