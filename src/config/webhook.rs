//! A site's webhook: where it goes, what signs it, and how far it may reach.

use super::problem::Problems;
use super::secret::{HIDDEN, Secret};
use super::{Webhook, settings};
use crate::delivery::Reach;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr};

/// What the Standard Webhooks specification asks of a secret, in bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

pub(super) fn webhook(problems: &mut Problems, key: &str, site: &settings::Site, reach: &Reach) -> Option<Webhook> {
    let current = problems.secret(&format!("{key}.webhook_secret"), &site.webhook_secret, &site.webhook_secret_file);
    let old = problems.secret(&format!("{key}.webhook_secret_old"), &site.webhook_secret_old, &site.webhook_secret_old_file);
    if site.webhook_url.is_empty() {
        return None;
    }
    let url = problems.url(&format!("{key}.webhook_url"), &site.webhook_url);
    check_host(problems, &format!("{key}.webhook_url"), &url, reach);
    if current.is_none() {
        problems.add(&format!("{key}.webhook_secret"), "missing", "write whsec_ and the base64 of 24 to 64 random bytes");
    }
    let mut read =
        |name: &str, secret: Option<Secret>| secret.and_then(|secret| signing_bytes(problems, &format!("{key}.{name}"), &secret));
    // The present one first: receivers try signatures in order.
    let secrets = [read("webhook_secret", current), read("webhook_secret_old", old)];
    Some(Webhook { url, secrets: secrets.into_iter().flatten().collect() })
}

fn signing_bytes(problems: &mut Problems, key: &str, written: &Secret) -> Option<Secret> {
    let text = written.text();
    let bytes = text.strip_prefix("whsec_").and_then(|encoded| STANDARD.decode(encoded).ok());
    let sound = bytes.filter(|bytes| SECRET_BYTES.contains(&bytes.len()));
    // An unreadable file has been named already.
    if sound.is_none() && !written.is_empty() {
        problems.add(key, HIDDEN, "write whsec_ and the base64 of 24 to 64 random bytes");
    }
    sound.map(Secret::new)
}

/// How far what a site is told may go.
pub(super) fn reach(problems: &mut Problems, key: &str, site: &settings::Site) -> Reach {
    let mut network = |written: &String| {
        let parsed = written.parse::<IpNet>().ok();
        if parsed.is_none() {
            problems.add(&format!("{key}.webhook_networks"), format!("{written:?}"), "write networks like 10.0.0.0/8 or fd00::/8");
        }
        parsed
    };
    let networks: Vec<IpNet> = site.webhook_networks.iter().flatten().filter_map(&mut network).collect();
    if site.webhook_private == Some(true) { Reach::anywhere() } else { Reach::with(networks) }
}

/// What is plain to see is said at once; what a name resolves to is looked at whenever a webhook leaves.
fn check_host(problems: &mut Problems, key: &str, url: &str, reach: &Reach) {
    let authority = url.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_this_machine = host.eq_ignore_ascii_case("localhost");
    let address = if is_this_machine { Some(IpAddr::V4(Ipv4Addr::LOCALHOST)) } else { host.parse().ok() };
    if address.is_some_and(|address| !reach.allows(address)) {
        let instead = "write webhook_private = true beside it if that is your own blog, or its network into webhook_networks";
        problems.add(key, format!("{url:?}, which is no public address"), instead);
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Settings};
    use crate::id::SiteId;

    const NEW: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    const OLD: &str = "whsec_YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODk=";

    fn read(url: &str, more: &str) -> Result<Config, String> {
        let text = format!("[sites.blog]\napi_key = 'an-api-key-00'\nwebhook_url = '{url}'\nwebhook_secret = '{NEW}'\n{more}");
        let settings = Settings::layered(&text, "hamlet.toml", std::iter::empty());
        settings.and_then(Settings::check).map_err(|invalid| invalid.to_string())
    }

    #[test]
    fn the_new_secret_signs_before_the_old_one() {
        let config = read("https://blog.example/hook", &format!("webhook_secret_old = '{OLD}'")).unwrap();
        let secrets = config.sites[&SiteId::new("blog")].webhook.as_ref().unwrap().secrets.clone();
        let bytes: Vec<&[u8]> = secrets.iter().map(super::Secret::bytes).collect();
        assert_eq!(bytes, [b"0123456789abcdef0123456789abcdef", b"abcdef0123456789abcdef0123456789"]);
        let problem = read("https://blog.example/hook", "webhook_secret_old = 'hush'").unwrap_err();
        assert_eq!(problem, "sites.blog.webhook_secret_old is ***; write whsec_ and the base64 of 24 to 64 random bytes");
    }

    #[test]
    fn private_addresses_are_refused_unless_allowed() {
        for url in [
            "http://127.0.0.1:8080/hook",
            "http://LocalHost/hook",
            "http://[::1]:80",
            "http://[::ffff:10.0.0.1]/",
            "http://169.254.169.254",
        ] {
            let problem = read(url, "").unwrap_err();
            assert!(problem.starts_with(&format!("sites.blog.webhook_url is {url:?}, which is no public address; ")), "{problem}");
            assert!(read(url, "webhook_private = true").is_ok());
        }
        assert!(read("http://10.1.1.1/hook", "webhook_networks = ['10.0.0.0/8']").is_ok());
        assert!(read("http://127.0.0.1/hook", "webhook_networks = ['10.0.0.0/8']").is_err());
        assert!(read("https://blog.example/hook", "").is_ok(), "a name is looked up when a webhook leaves");
        let problem = read("https://blog.example/hook", "webhook_networks = ['10.0.0.0']").unwrap_err();
        assert_eq!(problem, "sites.blog.webhook_networks is \"10.0.0.0\"; write networks like 10.0.0.0/8 or fd00::/8");
    }
}
