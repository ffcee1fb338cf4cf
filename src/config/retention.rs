//! How long what a comment says of a person is kept. What is not written for a site comes from all sites.

use super::problem::Problems;
use super::{Retention, settings};
use std::time::Duration;

const DAY_SECONDS: u64 = 86_400;

/// A hundred years: who means for ever writes 0.
const DAYS_MAX: i64 = 36_500;

pub(super) fn retention(problems: &mut Problems, key: &str, written: &settings::Retention, base: Retention) -> Retention {
    let mut days = |name: &str, written: Option<i64>, base: Option<Duration>| {
        let Some(value) = written else { return base };
        let days = problems.number::<u64>(&format!("{key}.{name}"), value, "days", 0..=DAYS_MAX);
        (days > 0).then(|| Duration::from_secs(days * DAY_SECONDS))
    };
    Retention {
        bodies: days("bodies_days", written.bodies_days, base.bodies),
        addresses: days("addresses_days", written.addresses_days, base.addresses),
        ips: days("ips_days", written.ips_days, base.ips),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::id::SiteId;

    #[test]
    fn a_site_overrides_what_all_sites_have_and_zero_is_for_ever() {
        let text = "[retention]\nbodies_days = 365\n[sites.blog]\napi_key = 'an-api-key-00'\n[sites.blog.retention]\nips_days = 0\naddresses_days = 30";
        let config = Settings::layered(text, "hamlet.toml", std::iter::empty()).unwrap().check().unwrap();
        let days = |days: u64| Some(Duration::from_secs(days * DAY_SECONDS));
        let expected = Retention { bodies: days(365), addresses: days(30), ips: None };
        assert_eq!(config.sites[&SiteId::new("blog")].retention, expected);
        let wrong = text.replace("30", "-1");
        let problems = Settings::layered(&wrong, "hamlet.toml", std::iter::empty()).unwrap().check().unwrap_err();
        assert_eq!(problems.to_string(), "sites.blog.retention.addresses_days is -1; write days from 0 to 36500");
    }
}
