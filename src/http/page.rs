//! What every page for moderators has in common: headers that keep, frame, index and fetch nothing, the fields of a form, and the question
//! whether it came from a page of ours.

use crate::config::Config;
use crate::store::Batch;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::fmt::Write as _;

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

/// A batch as pages write it.
pub fn written(batch: Batch) -> String {
    batch.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A batch as pages wrote it.
pub fn read(text: &str) -> Option<Batch> {
    let digits = (text.len() == 32 && text.is_ascii()).then_some(text)?;
    let mut batch = Batch::default();
    for (index, byte) in batch.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_read_as_it_was_written() {
        let batch: Batch = std::array::from_fn(|index| u8::try_from(index * 17).unwrap());
        assert_eq!(read(&written(batch)), Some(batch));
        for other in ["", "zz", &"é".repeat(16), &"0".repeat(31), &"-1".repeat(16)] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
