//! The public form of a site: which pages may post to it, where it may send readers back to, and how often one address may post.

use super::problem::Problems;
use super::settings;

/// A site without a server of its own takes comments here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// `https://blog.example`: scheme, host, and a port where it is not the usual one.
    origins: Vec<String>,
    pub comments_per_minute_max: u32,
}

/// A reader writes one a minute; a second one corrects what a slip sent off.
const COMMENTS_PER_MINUTE_MAX: i64 = 5;

/// Origins of one site: with and without www, a staging host, a few languages.
const ORIGINS_MAX: usize = 20;

impl Form {
    /// Whether a page of this origin may post.
    pub fn admits(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin))
    }

    /// Whether a URL leads to one of these origins, whatever tricks it is written with: what follows the host must begin a path.
    pub fn leads_home(&self, url: &str) -> bool {
        let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
        let is_at = |origin: &String| {
            let (host, rest) = url.split_at_checked(origin.len()).unwrap_or_default();
            host.eq_ignore_ascii_case(origin) && (rest.is_empty() || rest.starts_with(['/', '?', '#']))
        };
        is_plain && !url.is_empty() && self.origins.iter().any(is_at)
    }
}

pub(super) fn form(problems: &mut Problems, site: &str, written: &settings::Form) -> Option<Form> {
    let key = format!("{site}.form.origins");
    if written.origins.len() > ORIGINS_MAX {
        problems.add(&key, format!("{} origins", written.origins.len()), format!("write {ORIGINS_MAX} at most"));
    }
    let origins: Vec<String> = written.origins.iter().map(|origin| problems.base_url(&key, origin)).collect();
    let comments_per_minute_max = problems.number(
        &format!("{site}.form.comments_per_minute_max"),
        written.comments_per_minute_max.unwrap_or(COMMENTS_PER_MINUTE_MAX),
        "comments",
        1..=1_000,
    );
    (!origins.is_empty()).then_some(Form { origins, comments_per_minute_max })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::id::SiteId;

    fn load(form: &str) -> Result<Option<Form>, String> {
        let text = format!("[sites.blog]\napi_key = 'an-api-key-00'\n{form}");
        let config = Settings::layered(&text, "", std::iter::empty()).and_then(Settings::check).map_err(|invalid| invalid.to_string())?;
        Ok(config.sites[&SiteId::new("blog")].form.clone())
    }

    #[test]
    fn there_is_no_form_until_a_page_may_post_to_it() {
        assert_eq!(load(""), Ok(None));
        assert_eq!(load("[sites.blog.form]\ncomments_per_minute_max = 9"), Ok(None));
        let form = load("[sites.blog.form]\norigins = ['https://Blog.example/', 'http://localhost:1313']").unwrap().unwrap();
        assert_eq!(form.comments_per_minute_max, 5);
        for (origin, admitted) in [
            ("https://blog.example", true),
            ("http://localhost:1313", true),
            ("http://blog.example", false),
            ("https://blog.example.evil.example", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(form.admits(origin), admitted, "{origin}");
        }
        assert!(load("[sites.blog.form]\norigins = ['*']").unwrap_err().starts_with("sites.blog.form.origins is \"*\"; write http://"));
        assert!(load("[sites.blog.form]\ncomments_per_minute_max = 0").unwrap_err().ends_with("write comments from 1 to 1000"));
    }

    #[test]
    fn readers_are_sent_home_and_nowhere_else() {
        let form = Form { origins: vec!["https://blog.example".into()], comments_per_minute_max: 1 };
        for home in ["https://blog.example", "https://BLOG.example/thanks?a=b#c", "https://blog.example?x", "https://blog.example#x"] {
            assert!(form.leads_home(home), "{home}");
        }
        for away in [
            "",
            "/thanks",
            "//evil.example",
            "https://blog.example@evil.example/",
            "https://blog.example.evil.example/",
            "https://blog.example:8443/",
            "https://blog.example\\@evil.example",
            "https://blog.example/\r\nSet-Cookie: x",
            "https://blog.example/ x",
            "https://blog.exampl\u{e9}/",
            "javascript:https://blog.example/",
        ] {
            assert!(!form.leads_home(away), "{away}");
        }
    }
}
