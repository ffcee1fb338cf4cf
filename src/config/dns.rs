//! DNS lists in the settings: none, until the admin names one.

use super::problem::Problems;
use super::settings::{self, Settings};
use crate::dns::{self, Asks, LISTINGS, List, Network};
use crate::rules::{DnsList, Effect, LOG_ODDS_MAX};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Each list is a question more for every comment.
const LISTS_MAX: usize = 8;

const REASON_CHARS_MAX: usize = 100;

pub(super) fn dns(problems: &mut Problems, settings: &Settings) -> dns::Settings {
    let written = &settings.dns;
    let milliseconds = problems.number("dns.timeout_ms", written.timeout_ms, "milliseconds", 10..=5_000);
    let (least, most) = (written.ttl_seconds_min, written.ttl_seconds_max);
    if least > most {
        problems.add("dns.ttl_seconds_max", most.to_string(), format!("write no less than dns.ttl_seconds_min, {least}"));
    }
    if settings.dns_lists.len() > LISTS_MAX {
        problems.add("dns_lists", format!("{} tables", settings.dns_lists.len()), format!("write {LISTS_MAX} at most"));
    }
    dns::Settings {
        resolver: resolver(problems, &written.resolver),
        timeout: Duration::from_millis(milliseconds),
        cache_max: problems.number("dns.cache_max", written.cache_max, "a number", 100..=1_000_000),
        lives_min: Duration::from_secs(problems.number("dns.ttl_seconds_min", least, "seconds", 1..=3_600)),
        lives_max: Duration::from_secs(problems.number("dns.ttl_seconds_max", most, "seconds", 60..=604_800)),
        lists: settings.dns_lists.iter().map(|(name, written)| list(problems, name, written)).collect(),
    }
}

/// An address, with a port where it is not DNS's own.
fn resolver(problems: &mut Problems, written: &str) -> Option<SocketAddr> {
    const DNS_PORT: u16 = 53;
    if written.is_empty() {
        return None;
    }
    let at = written.parse().ok().or_else(|| written.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, DNS_PORT)));
    if at.is_none() {
        problems.add(
            "dns.resolver",
            format!("{written:?}"),
            "write an address like 127.0.0.1 or 127.0.0.1:5353, or nothing for the system's",
        );
    }
    at
}

fn list(problems: &mut Problems, name: &str, written: &settings::DnsList) -> List {
    let key = format!("dns_lists.{name}");
    super::people::check_id(problems, &key, name);
    // The zone may hold a key that was paid for.
    let zone = written.zone.trim_matches('.').to_ascii_lowercase();
    if !zone.contains('.') || zone.len() > 150 || dns::question(0, &zone, dns::Wanted::Addresses).is_none() {
        let shown = if zone.is_empty() { "missing" } else { super::secret::HIDDEN };
        problems.add(&format!("{key}.zone"), shown, "write the list's zone, a domain like bl.example.org");
    }
    let asks = match written.asks.as_str() {
        "ip" => Asks::Ip,
        "domain" => Asks::Domain,
        other => {
            problems.add(&format!("{key}.asks"), format!("{other:?}"), "write ip or domain");
            Asks::Domain
        }
    };
    let answers = match &written.answers {
        None => vec![LISTINGS],
        Some(answers) => answers.iter().filter_map(|answer| network(problems, &format!("{key}.answers"), answer)).collect(),
    };
    List { name: name.to_owned(), zone, asks, answers }
}

fn network(problems: &mut Problems, key: &str, written: &str) -> Option<Network> {
    let (address, bits) = written.split_once('/').unwrap_or((written, "32"));
    let network = address.parse().ok().zip(bits.parse().ok().filter(|bits| (8..=32).contains(bits)));
    let network = network.map(|(address, bits)| Network { address, bits }).filter(|network| LISTINGS.holds(network.address));
    if network.is_none() {
        problems.add(key, format!("{written:?}"), "write answers like 127.0.0.2 or 127.0.0.0/24");
    }
    network
}

/// What the rule makes of a listing.
pub(super) fn rules(problems: &mut Problems, settings: &Settings) -> Vec<DnsList> {
    settings.dns_lists.iter().map(|(name, written)| rule(problems, name, written)).collect()
}

fn rule(problems: &mut Problems, name: &str, written: &settings::DnsList) -> DnsList {
    let key = format!("dns_lists.{name}");
    let log_odds = written.log_odds.unwrap_or(1.0);
    if !(-LOG_ODDS_MAX..=LOG_ODDS_MAX).contains(&log_odds) {
        problems.add(&format!("{key}.log_odds"), log_odds.to_string(), format!("write a number from -{LOG_ODDS_MAX} to {LOG_ODDS_MAX}"));
    }
    let effect = match written.effect.as_deref() {
        None | Some("evidence") => Effect::Evidence,
        Some("hold") => Effect::Hold,
        Some(other) => {
            problems.add(&format!("{key}.effect"), format!("{other:?}"), "write evidence or hold; no list rejects");
            Effect::Hold
        }
    };
    let reason = written.reason.clone().unwrap_or_else(|| format!("on the list {name}"));
    if reason.trim().is_empty() || reason.chars().count() > REASON_CHARS_MAX || reason.chars().any(char::is_control) {
        problems.add(&format!("{key}.reason"), format!("{reason:?}"), format!("write 1 to {REASON_CHARS_MAX} characters on one line"));
    }
    DnsList { name: name.to_owned(), effect, log_odds: if effect == Effect::Hold { 0.0 } else { log_odds }, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::net::Ipv4Addr;

    fn load(text: &str) -> Result<Config, String> {
        let text = format!("[sites.blog]\napi_key = 'an-api-key-00'\n{text}");
        Settings::layered(&text, "hamlet.toml", std::iter::empty()).and_then(Settings::check).map_err(|invalid| invalid.to_string())
    }

    #[test]
    fn without_a_list_there_is_nothing_to_ask() {
        let config = load("").unwrap();
        assert!(config.dns.lists.is_empty() && config.sites.values().all(|site| site.rules.dns_lists.is_empty()));
    }

    #[test]
    fn a_list_is_asked_and_every_site_weighs_what_it_says() {
        let text = "[dns]\nresolver = '::1'\n[dns_lists.a]\nzone = 'BL.Example.org.'\nasks = 'ip'\nanswers = ['127.0.0.4/30', '127.0.0.2']\n\
                    [dns_lists.b]\nzone = 'b.example'\nasks = 'domain'\neffect = 'hold'\nlog_odds = 1.5\nreason = 'x'";
        let config = load(text).unwrap();
        let [a, b] = config.dns.lists.as_slice() else { panic!("{config:?}") };
        assert_eq!(
            (a.zone.as_str(), a.asks, b.asks, b.answers.as_slice()),
            ("bl.example.org", Asks::Ip, Asks::Domain, [LISTINGS].as_slice())
        );
        let means = |last| a.answers.iter().any(|answers| answers.holds(Ipv4Addr::new(127, 0, 0, last)));
        assert_eq!([2, 3, 4, 7, 8].map(means), [true, false, true, true, false]);
        assert_eq!(config.dns.resolver, Some("[::1]:53".parse().unwrap()));
        let rules = &config.sites.values().next().unwrap().rules.dns_lists;
        let told = |list: &DnsList| (list.effect, list.log_odds, list.reason.clone());
        assert_eq!(
            rules.iter().map(told).collect::<Vec<_>>(),
            [(Effect::Evidence, 1.0, "on the list a".into()), (Effect::Hold, 0.0, "x".into())]
        );
    }

    #[test]
    fn every_problem_of_a_list_is_named_and_its_zone_is_not_repeated() {
        let text = "[dns]\nresolver = 'dns.example'\nttl_seconds_min = 90\nttl_seconds_max = 60\n[dns_lists.A]\nzone = 'my key.example'\nasks = 'name'\n\
                    answers = ['8.8.8.8', '127.0.0.2/33']\neffect = 'reject'\nlog_odds = 3.0\nreason = ''\n[dns_lists.b]\nasks = 'ip'";
        assert_eq!(
            load(text).unwrap_err(),
            r#"dns.ttl_seconds_max is 60; write no less than dns.ttl_seconds_min, 90
dns.resolver is "dns.example"; write an address like 127.0.0.1 or 127.0.0.1:5353, or nothing for the system's
dns_lists.A is named "A"; write a name of 1 to 40 of a-z, 0-9 and -
dns_lists.A.zone is ***; write the list's zone, a domain like bl.example.org
dns_lists.A.asks is "name"; write ip or domain
dns_lists.A.answers is "8.8.8.8"; write answers like 127.0.0.2 or 127.0.0.0/24
dns_lists.A.answers is "127.0.0.2/33"; write answers like 127.0.0.2 or 127.0.0.0/24
dns_lists.b.zone is missing; write the list's zone, a domain like bl.example.org
dns_lists.A.log_odds is 3; write a number from -2 to 2
dns_lists.A.effect is "reject"; write evidence or hold; no list rejects
dns_lists.A.reason is ""; write 1 to 100 characters on one line"#
        );
    }
}
