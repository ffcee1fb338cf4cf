//! How a site speaks Akismet: its key, and what its clients are told in the two words that they know.

use super::problem::Problems;
use super::secret::{HIDDEN, Secret};
use super::settings;
use super::{Akismet, HoldAs};
use crate::rules::lists::{Networks, parse_network};
use sha2::{Digest, Sha256};

/// WordPress refuses a key of any other length before it asks us.
const KEY_CHARS: usize = 12;

pub(super) fn akismet(problems: &mut Problems, site: &str, written: &settings::Site, key: Option<&Secret>) -> Akismet {
    Akismet {
        key: key.map(|key| Sha256::digest(key.bytes()).into()),
        hold: hold(problems, &format!("{site}.akismet.hold"), written.akismet.hold.as_deref()),
        discard: written.akismet.discard.unwrap_or(true),
    }
}

/// Host names carry no other characters, and lose capitals on the way.
pub(super) fn key(problems: &mut Problems, site: &str, written: &settings::Site) -> Option<Secret> {
    let key = &format!("{site}.akismet_key");
    let secret = problems.secret(key, &written.akismet_key, &written.akismet_key_file).filter(|secret| !secret.is_empty())?;
    let is_label = secret.bytes().iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !is_label || secret.bytes().len() != KEY_CHARS {
        problems.add(key, HIDDEN, format!("write {KEY_CHARS} of a-z and 0-9"));
        return None;
    }
    Some(secret)
}

/// An allowlist that lists nothing would shut everybody out: that is what leaving out the key is for.
pub(super) fn networks(problems: &mut Problems, site: &str, written: &settings::Site) -> Option<Networks> {
    let written = written.akismet.networks.as_ref()?;
    let key = format!("{site}.akismet.networks");
    if written.is_empty() {
        problems.add(&key, "empty", "write networks like 192.0.2.0/24, or leave it out");
    }
    let mut network = |text: &String| {
        let network = parse_network(text);
        if network.is_none() {
            problems.add(&key, format!("{text:?}"), "write networks like 192.0.2.0/24 or 2001:db8::/32, or addresses");
        }
        network
    };
    Some(Networks::new(written.iter().filter_map(&mut network).collect()))
}

fn hold(problems: &mut Problems, key: &str, written: Option<&str>) -> HoldAs {
    match written {
        None | Some("spam") => HoldAs::Spam,
        Some("ham") => HoldAs::Ham,
        Some(other) => {
            problems.add(key, format!("{other:?}"), "write spam or ham");
            HoldAs::Spam
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::id::SiteId;

    fn load(site: &str) -> Result<Akismet, String> {
        let text = format!("[sites.blog]\napi_key = 'an-api-key-00'\n{site}");
        let config = Settings::layered(&text, "", std::iter::empty()).and_then(Settings::check).map_err(|invalid| invalid.to_string())?;
        Ok(config.sites[&SiteId::new("blog")].akismet)
    }

    #[test]
    fn a_site_speaks_akismet_once_it_has_a_key() {
        assert_eq!(load(""), Ok(Akismet { key: None, hold: HoldAs::Spam, discard: true }));
        let told = load("akismet_key = 'abcdef012345'\nakismet = { hold = 'ham', discard = false }");
        assert_eq!(told, Ok(Akismet { key: Some(Sha256::digest("abcdef012345").into()), hold: HoldAs::Ham, discard: false }));
    }

    #[test]
    fn a_key_fits_into_a_host_name_and_is_the_sites_own() {
        for key in ["abcdef01234", "abcdef0123456", "Abcdef012345", "abcdef-12345", "abcdef01234\u{e9}"] {
            assert_eq!(load(&format!("akismet_key = '{key}'")).unwrap_err(), "sites.blog.akismet_key is ***; write 12 of a-z and 0-9");
        }
        let wrong = load("akismet.networks = ['192.0.2.0/24', '192.0.2']").unwrap_err();
        assert_eq!(wrong, "sites.blog.akismet.networks is \"192.0.2\"; write networks like 192.0.2.0/24 or 2001:db8::/32, or addresses");
        assert!(load("akismet.networks = []").unwrap_err().starts_with("sites.blog.akismet.networks is empty"));
        assert_eq!(load("akismet.hold = 'no'").unwrap_err(), "sites.blog.akismet.hold is \"no\"; write spam or ham");
        let two = load("akismet_key = 'abcdef012345'\n[sites.a]\napi_key = 'abcdef012345'").unwrap_err();
        assert_eq!(two, "sites.blog.akismet_key is ***; write a key of its own: sites.a.api_key is the same");
    }
}
