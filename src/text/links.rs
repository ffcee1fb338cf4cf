//! Links in a text: found with or without a scheme, taken out, and read for their host. Only reads; nothing is ever fetched.

use super::LINK_MARK;
use linkify::{LinkFinder, LinkKind};

/// One link as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub url: String,
    /// Lower case, without `www.`, port and user.
    pub host: String,
    pub has_scheme: bool,
}

impl Link {
    pub fn parse(url: &str) -> Self {
        let (scheme, rest) = match url.split_once("://") {
            Some((_, rest)) => (true, rest),
            None => (false, url),
        };
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or("");
        let host = authority.rsplit('@').next().unwrap_or("").split(':').next().unwrap_or("");
        let host = host.to_lowercase();
        let host = host.strip_prefix("www.").unwrap_or(&host).trim_end_matches('.').to_owned();
        Self { url: url.to_owned(), host, has_scheme: scheme }
    }

    /// The last label: `com`, `example`.
    pub fn top_level(&self) -> &str {
        self.host.rsplit('.').next().unwrap_or("")
    }

    /// Link shorteners hide where they lead; their hosts, from what public comment corpora show most.
    pub fn is_shortened(&self) -> bool {
        const SHORTENERS: [&str; 14] = [
            "bit.ly",
            "goo.gl",
            "tinyurl.com",
            "t.co",
            "adf.ly",
            "ow.ly",
            "is.gd",
            "tiny.cc",
            "cutt.ly",
            "buff.ly",
            "rebrand.ly",
            "shorturl.at",
            "vk.cc",
            "rb.gy",
        ];
        SHORTENERS.contains(&self.host.as_str())
    }
}

/// The text with every link replaced by [`LINK_MARK`], and the links in the order they stood. Addresses of mail stay in the text.
pub fn take_out(text: &str) -> (String, Vec<Link>) {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]).url_must_have_scheme(false);
    let mut marked = String::with_capacity(text.len());
    let mut links = Vec::new();
    for span in finder.spans(text) {
        if span.kind().is_some() && is_link(span.as_str()) {
            marked.push(LINK_MARK);
            links.push(Link::parse(span.as_str()));
        } else {
            marked.push_str(span.as_str());
        }
    }
    (marked, links)
}

/// Of what merely looks like `word.word`, a bare domain has a top level people use; file names and versions do not.
fn is_link(found: &str) -> bool {
    const BARE_TOP_LEVELS: [&str; 40] = [
        "com", "net", "org", "info", "biz", "io", "co", "me", "tv", "ru", "de", "uk", "fr", "es", "it", "nl", "pl", "br", "cn", "in", "eu",
        "us", "tk", "xyz", "top", "site", "online", "shop", "club", "live", "pro", "app", "dev", "ly", "gl", "cc", "ws", "example", "link",
        "store",
    ];
    let link = Link::parse(found);
    link.has_scheme || found.starts_with("www.") || BARE_TOP_LEVELS.contains(&link.top_level())
}
