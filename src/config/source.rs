//! Where a daemon's settings come from, so that they can be read again while it runs; and which of them only a start reads.

use super::Config;
use super::problem::Invalid;
use super::settings::Settings;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// The operator's file, the environment, and the command line's word over both.
#[derive(Clone)]
pub struct Source {
    pub file: Option<PathBuf>,
    pub environment: Vec<(String, String)>,
    pub listen: Option<SocketAddr>,
    pub data: Option<PathBuf>,
}

/// The environment may hold secrets.
impl fmt::Debug for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Source").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Source {
    /// What it says now, with where it was read.
    ///
    /// # Errors
    /// [`Invalid`]: all problems.
    pub fn read(&self) -> Result<Config, Invalid> {
        let text = self.file.as_deref().map(super::settings::read).transpose()?.unwrap_or_default();
        self.read_with(&text)
    }

    /// What it would say if the operator's file had this text.
    ///
    /// # Errors
    /// [`Invalid`]: all problems.
    pub fn read_with(&self, text: &str) -> Result<Config, Invalid> {
        let place = self.file.as_ref().map_or_else(|| "the settings".to_owned(), |file| file.display().to_string());
        let settings = Settings::layered(text, &place, self.environment.iter().cloned())?;
        let settings = match self.listen {
            Some(listen) => settings.listening_on(listen),
            None => settings,
        };
        let settings = match &self.data {
            Some(data) => settings.with_data(data),
            None => settings,
        };
        Ok(Config { source: Some(self.clone()), ..settings.check()? })
    }
}

impl Config {
    /// Sets back to `old` what only a start reads, so that these settings say what runs. Answers which of them were changed in vain.
    pub fn keep_until_restart(&mut self, old: &Self) -> Vec<&'static str> {
        let mut kept = Vec::new();
        keep(&mut kept, "http.listen", &mut self.listen, &old.listen);
        keep(&mut kept, "http.public_url", &mut self.public_url, &old.public_url);
        keep(&mut kept, "http.tls", &mut self.tls, &old.tls);
        keep(&mut kept, "http.body_bytes_max", &mut self.limits.body_bytes_max, &old.limits.body_bytes_max);
        keep(&mut kept, "metrics.listen", &mut self.metrics, &old.metrics);
        keep(&mut kept, "data.dir", &mut self.data, &old.data);
        keep(&mut kept, "intake.waiting_max", &mut self.intake.waiting_max, &old.intake.waiting_max);
        keep(&mut kept, "store", &mut self.store, &old.store);
        keep(&mut kept, "memory", &mut self.memory, &old.memory);
        keep(&mut kept, "outbox.timeout_seconds", &mut self.outbox.timeout, &old.outbox.timeout);
        keep(&mut kept, "mail", &mut self.mail, &old.mail);
        let before = kept.len();
        keep(&mut kept, "dns", &mut self.dns, &old.dns);
        // The rules must look for what is asked, and all sites ask the same.
        if let Some(site) = old.sites.values().next().filter(|_| kept.len() > before) {
            let dns_lists = &site.rules.dns_lists;
            self.sites.values_mut().map(Arc::make_mut).for_each(|site| site.rules.dns_lists.clone_from(dns_lists));
        }
        kept
    }
}

fn keep<T: Clone + PartialEq>(kept: &mut Vec<&'static str>, key: &'static str, new: &mut T, old: &T) {
    if new != old {
        new.clone_from(old);
        kept.push(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ModeratorId, SiteId};

    fn source(environment: &[(&str, &str)]) -> Source {
        let environment = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Source { file: None, environment, listen: None, data: Some("/elsewhere".into()) }
    }

    const SITE: &str = "[sites.blog]\napi_key = 'an-api-key-00'\n";

    #[test]
    fn the_command_line_has_the_last_word_and_the_environment_is_not_shown() {
        let source = source(&[("HAMLET__SITES__BLOG__API_KEY", "hush-hush-hush")]);
        assert_eq!(source.read().unwrap().data, PathBuf::from("/elsewhere"));
        assert!(!format!("{:?}", source.read().unwrap()).contains("hush"));
    }

    #[test]
    fn what_only_a_start_reads_stays_and_is_named() {
        let old = source(&[]).read_with(SITE).unwrap();
        let text = format!(
            "{SITE}[sites.second]\napi_key = 'a-second-key-0'\n[http]\nlisten = '127.0.0.1:1'\n[mail]\nfrom = 'a@b.example'\n[digest]\nitems_min = 2\n\
             [moderators.ana]\nname = 'Ana'\nemail = 'ana@b.example'\nsites = ['blog']\n\
             [dns_lists.x]\nzone = 'bl.example'\nasks = 'ip'\n"
        );
        let mut new = source(&[]).read_with(&text).unwrap();
        assert_eq!(new.keep_until_restart(&old), ["http.listen", "mail", "dns"]);
        assert_eq!((new.listen, new.mail.from.as_str()), (old.listen, ""));
        assert!(new.sites[&SiteId::new("second")].rules.dns_lists.is_empty());
        assert_eq!(new.moderators[&ModeratorId::new("ana")].digest.items_min, 2);
        assert_eq!(new.keep_until_restart(&old), [""; 0]);
    }
}
