//! What every page for moderators has in common: headers that keep, frame, index and fetch nothing, the fields of a form, and the question
//! whether it came from a page of ours.

use crate::config::Config;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// What a page may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    None,
    /// The desk's own file, which speaks to this host alone.
    Own,
}

/// Nothing is kept, framed, indexed or fetched from elsewhere. Under `no-referrer` Chromium would send `Origin: null` and real moderators
/// would be refused, hence `same-origin`.
pub fn safe_headers(script: Script) -> [(HeaderName, HeaderValue); 6] {
    let policy = match script {
        Script::None => "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        Script::Own => {
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
             base-uri 'none'"
        }
    };
    [
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow")),
        (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff")),
        (HeaderName::from_static("x-frame-options"), HeaderValue::from_static("DENY")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
    ]
}

/// The request says that it comes from a page of ours: its Origin is our public URL, or, where none is set, the very host it was sent to.
/// `null` counts only when the browser vouches for the same origin. A missing Origin is refused: every browser sends one with a POST.
pub fn is_ours(headers: &HeaderMap, config: &Config, public_url: &str) -> bool {
    let header = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = header(&ORIGIN) else { return false };
    if origin == "null" {
        return headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin");
    }
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let sent_to = config.public_url.is_none().then(|| header(&HOST)).flatten().map(|host| format!("{scheme}://{host}"));
    origin.eq_ignore_ascii_case(public_url) || sent_to.is_some_and(|host| origin.eq_ignore_ascii_case(&host))
}

/// The fields of a form, in their order.
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// Empty where there is no such field.
    pub fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or("")
    }

    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
