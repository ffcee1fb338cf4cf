//! Settings of the rules that look at behaviour: the form, members, pages, domains. What is not written for a site comes from all sites.

use super::problem::{Problems, is_host};
use super::settings;
use crate::rules::{Domains, Form, Honeypot, Member, Page};
use crate::text::Link;
use std::time::Duration;

const HOUR_SECONDS: u64 = 3_600;
const DAY_SECONDS: u64 = 24 * HOUR_SECONDS;

/// A number with its unit, in range, if it was written.
struct Written<'a, 'b>(&'a mut Problems, &'b str);

impl Written<'_, '_> {
    fn seconds(&mut self, name: &str, written: Option<i64>, unit: (&'static str, u64), max: i64, base: Duration) -> Duration {
        let key = format!("{}.{name}", self.1);
        written.map_or(base, |value| Duration::from_secs(self.0.number::<u64>(&key, value, unit.0, 0..=max) * unit.1))
    }

    fn count(&mut self, name: &str, written: Option<i64>, base: u32) -> u32 {
        let key = format!("{}.{name}", self.1);
        written.map_or(base, |value| self.0.number(&key, value, "a number", 0..=1_000))
    }
}

pub(super) fn form(problems: &mut Problems, key: &str, written: &settings::Rules, base: Form) -> Form {
    let honeypot = written.honeypot.as_deref().map_or(base.honeypot, |word| {
        Honeypot::parse(word).unwrap_or_else(|| {
            problems.add(&format!("{key}.honeypot"), format!("{word:?}"), "write reject, hold or ignore");
            base.honeypot
        })
    });
    let mut number = Written(problems, key);
    Form {
        require_token: written.require_form_token.unwrap_or(base.require_token),
        age_min: number.seconds("form_seconds_min", written.form_seconds_min, ("seconds", 1), 600, base.age_min),
        age_max: number.seconds("form_hours_max", written.form_hours_max, ("hours", HOUR_SECONDS), 8_760, base.age_max),
        honeypot,
    }
}

pub(super) fn member(problems: &mut Problems, key: &str, written: &settings::Rules, base: Member) -> Member {
    let mut number = Written(problems, key);
    Member {
        published_min: number.count("member_comments_min", written.member_comments_min, base.published_min),
        known_min: number.seconds("member_days_min", written.member_days_min, ("days", DAY_SECONDS), 3_650, base.known_min),
    }
}

pub(super) fn page(problems: &mut Problems, key: &str, written: &settings::Rules, base: Page) -> Page {
    let mut number = Written(problems, key);
    Page {
        old_after: number.seconds("page_days_old", written.page_days_old, ("days", DAY_SECONDS), 36_500, base.old_after),
        quiet_after: number.seconds("page_days_quiet", written.page_days_quiet, ("days", DAY_SECONDS), 36_500, base.quiet_after),
    }
}

pub(super) fn domains(problems: &mut Problems, key: &str, written: &settings::Rules, base: &Domains) -> Domains {
    for domain in written.known_domains.iter().flatten().filter(|domain| !is_host(domain) || !domain.contains('.')) {
        problems.add(&format!("{key}.known_domains"), format!("{domain:?}"), "write domains like example.org");
    }
    // As links are read.
    let host = |domain: &String| Link::parse(domain).host;
    let hosts = |domains: &Vec<String>| domains.iter().map(host).collect();
    Domains {
        known: written.known_domains.as_ref().map_or_else(|| base.known.clone(), hosts),
        published_min: Written(problems, key).count("known_domain_comments_min", written.known_domain_comments_min, base.published_min),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Settings};
    use crate::id::SiteId;

    const SITE: &str = "[sites.blog]\napi_key = 'an-api-key-00'\n";

    fn check(text: &str) -> Result<Config, String> {
        let settings = Settings::layered(&format!("{SITE}{text}"), "hamlet.toml", std::iter::empty());
        settings.and_then(Settings::check).map_err(|invalid| invalid.to_string())
    }

    #[test]
    fn a_site_overrides_what_all_sites_have() {
        let text = "[rules]\nform_seconds_min = 5\n[sites.blog.rules]\nhoneypot = 'hold'\nknown_domains = ['www.Example.org']\nmember_days_min = 7";
        let rules = check(text).unwrap().sites[&SiteId::new("blog")].rules.clone();
        assert_eq!((rules.form.age_min, rules.form.age_max), (Duration::from_secs(5), Duration::from_hours(48)));
        assert_eq!((rules.form.honeypot, rules.form.require_token), (Honeypot::Hold, false));
        assert_eq!((rules.member.published_min, rules.member.known_min), (10, Duration::from_hours(7 * 24)));
        assert_eq!((rules.domains.known, rules.domains.published_min), (vec!["example.org".to_owned()], 3));
        assert_eq!(rules.page.old_after, Duration::from_hours(180 * 24));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let text = "[sites.blog.rules]\nhoneypot = 'ban'\nknown_domains = ['https://example.org', 'localhost']\npage_days_old = -1";
        let problems = check(text).unwrap_err();
        let expected = [
            "sites.blog.rules.known_domains is \"https://example.org\"; write domains like example.org",
            "sites.blog.rules.known_domains is \"localhost\"; write domains like example.org",
            "sites.blog.rules.honeypot is \"ban\"; write reject, hold or ignore",
            "sites.blog.rules.page_days_old is -1; write days from 0 to 36500",
        ];
        assert_eq!(problems, expected.join("\n"));
    }
}
