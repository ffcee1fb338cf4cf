//! Links in a text: found with or without a scheme, taken out, and read for their host. Only reads; nothing is ever fetched.

use super::{LINK_MARK, domains};
use linkify::{LinkFinder, LinkKind};
use std::borrow::Cow;

/// One link as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub url: String,
    /// Lower case, without `www.`, port and user.
    pub host: String,
    pub has_scheme: bool,
    /// Something stands before the host: `http://paypal.example@evil.example/`.
    pub has_user: bool,
    /// Where it is written.
    pub port: Option<u16>,
}

/// Longer than what browsers show of an address.
pub(super) const URL_BYTES_MAX: usize = 2048;

/// No name in the DNS is longer (RFC 1035).
const HOST_BYTES_MAX: usize = 253;

/// A scheme of RFC 3986, less the dot that would make a host of it.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-'))
}

impl Link {
    /// As a browser would go: `//host` follows the page's scheme, and what comes after `/`, `?` or `#` is no host.
    pub fn parse(url: &str) -> Self {
        let (has_scheme, rest) = match url.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => (true, rest),
            Some(_) | None => (false, url.trim_start_matches(['/', '\\'])),
        };
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or("");
        let (user, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        // The colons of IPv6 stand in brackets.
        let host_end = place.starts_with('[').then(|| place.find(']').map(|end| end + 1)).flatten();
        let (host, port) = place.split_at(host_end.or_else(|| place.find(':')).unwrap_or(place.len()));
        let host = if host.len() > HOST_BYTES_MAX { String::new() } else { host.to_lowercase() };
        let host = host.strip_prefix("www.").unwrap_or(&host).trim_end_matches('.').to_owned();
        Self {
            url: url.to_owned(),
            host,
            has_scheme,
            has_user: !user.is_empty(),
            port: port.strip_prefix(':').and_then(|port| port.parse().ok()),
        }
    }

    /// The part of the host that somebody registered.
    pub fn domain(&self) -> &str {
        domains::registrable(&self.host)
    }

    /// The last label: `com`, `example`.
    pub fn top_level(&self) -> &str {
        self.host.rsplit('.').next().unwrap_or("")
    }

    /// Link shorteners hide where they lead.
    pub fn is_shortened(&self) -> bool {
        domains::is_shortener(&self.host)
    }

    /// Leads to an address of numbers, out in the world.
    pub fn is_numeric(&self) -> bool {
        domains::is_numeric(&self.host) && !domains::is_local(&self.host)
    }

    /// A host in the letters of other scripts, written in the code that the DNS has for it.
    pub fn is_punycode(&self) -> bool {
        self.host.split('.').any(|label| label.starts_with("xn--"))
    }

    /// A label of the host mixes letters of Latin with such as look like them.
    pub fn mixes_scripts(&self) -> bool {
        !self.host.is_ascii() && self.host.split('.').any(super::normalise::disguise_in(&self.host))
    }

    /// A port that people do not write, out in the world.
    pub fn has_odd_port(&self) -> bool {
        self.port.is_some_and(|port| ![80, 443].contains(&port)) && !domains::is_local(&self.host)
    }
}

/// The text with every link replaced by [`LINK_MARK`], and the links in the order they stood. Addresses of mail stay in the text.
pub fn take_out(text: &str) -> (Cow<'_, str>, Vec<Link>) {
    if !may_hold_link(text) {
        return (Cow::Borrowed(text), Vec::new());
    }
    let (marked, links) = take_out_found(text);
    (Cow::Owned(marked), links)
}

/// The finder needs a `://`, or a dot with a letter or digit right behind it. Nine comments in ten have neither.
fn may_hold_link(text: &str) -> bool {
    let behind = |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    text.as_bytes().array_windows().any(|[a, b]| *a == b'.' && behind(*b) || *a == b':' && *b == b'/')
}

fn take_out_found(text: &str) -> (String, Vec<Link>) {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]).url_must_have_scheme(false);
    let mut marked = String::with_capacity(text.len());
    let mut links = Vec::new();
    for piece in pieces(text) {
        for span in finder.spans(piece) {
            if span.kind().is_some() && is_link(span.as_str()) {
                marked.push(LINK_MARK);
                links.push(Link::parse(span.as_str()));
            } else {
                take_out_words(span.as_str(), &mut marked, &mut links);
            }
        }
    }
    (marked, links)
}

/// What the finder leaves though browsers go there: hosts of numbers in other forms than the dotted, and endings in other letters.
fn take_out_words(text: &str, marked: &mut String, links: &mut Vec<Link>) {
    if !text.contains("://") && (text.is_ascii() || !text.contains('.')) {
        marked.push_str(text);
        return;
    }
    for part in text.split_inclusive(char::is_whitespace) {
        let open = part.trim_start_matches(|c: char| !c.is_alphanumeric());
        let word = open.trim_end_matches(|c: char| !(c.is_alphanumeric() || c == '/'));
        let has_scheme =
            ["http://", "https://"].iter().any(|scheme| word.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        if has_scheme && !Link::parse(word).host.is_empty()
            || !word.is_ascii() && word.contains('.') && !word.contains('@') && is_link(word)
        {
            marked.push_str(part.get(..part.len() - open.len()).unwrap_or(""));
            marked.push(LINK_MARK);
            marked.push_str(open.get(word.len()..).unwrap_or(""));
            links.push(Link::parse(word));
        } else {
            marked.push_str(part);
        }
    }
}

/// The finder looks back and forth within what it is given, in time quadratic on chains like `a.1:a.1:`, so it gets this much at a time.
const PIECE_BYTES_MAX: usize = 2048;

/// Every dot and colon of a word may set the finder off to the word's end, so a word goes on in another piece after so many: 64 KiB of
/// `a.1:` took 34 ms, and take 4. No address that people use has as many.
const TRIGGERS_MAX: usize = 64;

/// Where a word of the piece has more dots and colons than [`TRIGGERS_MAX`].
fn crowded(piece: &str) -> Option<usize> {
    let mut triggers = 0;
    piece.bytes().position(|byte| {
        triggers = if byte.is_ascii_whitespace() { 0 } else { triggers + usize::from(matches!(byte, b'.' | b':')) };
        triggers > TRIGGERS_MAX
    })
}

/// The text in pieces of at most [`PIECE_BYTES_MAX`], cut at white space where there is any.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let most = super::cut(rest, PIECE_BYTES_MAX);
        let end =
            if most.len() == rest.len() { most.len() } else { most.rfind(char::is_whitespace).filter(|at| *at > 0).unwrap_or(most.len()) };
        let (piece, _) = rest.split_at(end);
        let (piece, after) = rest.split_at(crowded(piece).unwrap_or(end));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// A scheme or `www.` makes a link of anything; what merely looks like `word.word` must be a host.
fn is_link(found: &str) -> bool {
    let link = Link::parse(found);
    let host_end = found.find(['/', '?', '#', '\\', ':']).unwrap_or(found.len());
    let (host, path) = found.split_at(host_end);
    link.has_scheme || found.starts_with("www.") || domains::is_bare_host(host, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn where_no_link_may_be_none_is_found(text in "\\PC{0,60}|[a1é.:/@_~ \\-,#]{0,12}|([a-c.]{1,4}|://|http|www|com|ru| ){0,9}") {
            let (marked, links) = take_out(&text);
            prop_assert_eq!((marked.into_owned(), links), take_out_found(&text));
        }
    }

    #[test]
    fn a_link_leads_where_a_browser_would_go() {
        for (url, host) in [
            ("http://www.Example.org:8080/p?q#f", "example.org"),
            ("https://user:pass@evil.example/x", "evil.example"),
            ("www.evil.example/?r=://good.example", "evil.example"),
            ("//evil.example/x", "evil.example"),
            ("evil.example\\@good.example", "evil.example"),
            ("http://evil.example#@good.example", "evil.example"),
        ] {
            assert_eq!(Link::parse(url).host, host, "{url}");
        }
        assert_eq!(Link::parse(&format!("http://{}com", "a.".repeat(200))).host, "");
        let odd = Link::parse("http://[2001:db8::1]:8080/x");
        assert_eq!((odd.host.as_str(), odd.port, odd.is_numeric()), ("[2001:db8::1]", Some(8080), true));
        assert_eq!(Link::parse("https://a.b.shop.co.uk/").domain(), "shop.co.uk");
    }

    #[test]
    fn hosts_in_every_form_that_browsers_know_are_found() {
        let text = "see (http://3221225991/x), http://[2001:db8::1]/ and почта.рф or https://почта.рф/а; not смотри.там and a.b@почта.рф";
        let (marked, links) = take_out(text);
        let hosts: Vec<&str> = links.iter().map(|link| link.host.as_str()).collect();
        assert_eq!(hosts, ["3221225991", "[2001:db8::1]", "почта.рф", "почта.рф"]);
        assert!(marked.ends_with("not смотри.там and a.b@почта.рф"), "{marked}");
    }

    #[test]
    fn a_long_text_is_searched_in_pieces_that_make_it_up() {
        let text = format!("{} http://a.example {}", "word ".repeat(900), "x".repeat(5000));
        assert_eq!(pieces(&text).collect::<String>(), text);
        assert!(pieces(&text).all(|piece| piece.len() <= PIECE_BYTES_MAX));
        assert_eq!(take_out(&text).1.len(), 1);
        let chain = "a.1:".repeat(1000);
        assert_eq!(pieces(&chain).collect::<String>(), chain);
        assert!(pieces(&chain).all(|piece| piece.len() <= 2 * TRIGGERS_MAX + 2));
    }
}
