//! The demo's configuration: the defaults with a layer of its own, through the same check as everybody's, so that nothing is written twice.

use super::problem::Invalid;
use super::secret::Secret;
use super::settings::Settings;
use super::{Config, Transport, Webhook};
use crate::delivery::Reach;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Mails at once, time to undo that a visitor will sit through, and no spot checks among what a visitor tries out.
const LAYER: &str = r#"
[mail]
from = "review@demo.invalid"

[digest]
items_min = 1
age_hours_max = 0
interval_minutes_min = 0

[policy]
audit_published_share = 0
audit_rejected_share = 0

[review]
undo_seconds = 3
second_look_share = 0

[sites.demo]
name = "Slow Kettle"
api_key = "hamletdemo00"
akismet_key = "akismetdemo0"

[moderators.demo]
name = "Moderator"
email = "moderator@demo.invalid"
sites = ["demo"]
"#;

impl Config {
    /// One site with a key that everybody knows, open to this machine only; `webhook_secret` is the raw bytes that sign.
    ///
    /// # Errors
    /// [`Invalid`], if the layer no longer fits the check; a test keeps it fitting.
    pub fn demo(data: PathBuf, listen: SocketAddr, webhook_url: String, webhook_secret: Secret) -> Result<Self, Invalid> {
        let mut config = Settings::layered(LAYER, "the demo's settings", std::iter::empty())?.check()?;
        config.mail.transport = Transport::Files(data.join("mail"));
        config.data = data;
        config.listen = listen;
        // A visitor may hold as many comments as they like, and sees a mail for each.
        config.moderators.values_mut().for_each(|moderator| moderator.digest.per_day_max = usize::MAX);
        let webhook = Webhook { url: webhook_url, secrets: vec![webhook_secret] };
        for site in config.sites.values_mut().map(Arc::make_mut) {
            site.loopback_only = true;
            site.webhook = Some(webhook.clone());
            site.reach = Reach::anywhere();
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::Mode;
    use crate::id::{ModeratorId, SiteId};
    use std::time::Duration;

    #[test]
    fn the_demo_is_one_open_site_on_this_machine() {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8025));
        let config = Config::demo("/tmp/d".into(), listen, "http://127.0.0.1:1/hook".into(), Secret::new("hush-hush")).unwrap();
        let site = &config.sites[&SiteId::new("demo")];
        assert_eq!((site.name.as_str(), site.loopback_only, site.mode, site.keys.len()), ("Slow Kettle", true, Mode::Enforce, 1));
        assert_eq!(site.webhook.as_ref().unwrap().secrets[0].bytes(), b"hush-hush");
        assert_eq!(config.moderators[&ModeratorId::new("demo")].sites, [SiteId::new("demo")]);
        assert!(matches!(&config.mail.transport, Transport::Files(dir) if dir.ends_with("d/mail")));
        let digest = &config.moderators[&ModeratorId::new("demo")].digest;
        assert_eq!((digest.items_min, digest.age_max, digest.interval_min), (1, Duration::ZERO, Duration::ZERO));
        assert_eq!((digest.per_day_max, config.review.undo), (usize::MAX, Duration::from_secs(3)));
        assert_eq!((config.listen, config.data), (listen, PathBuf::from("/tmp/d")));
    }
}
