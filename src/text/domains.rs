//! Domains: which part of a host somebody registered, and whether what merely looks like `word.word` is a host at all. By the public suffix
//! list, whose only door this is.

/// The part of a host that somebody registered: `shop.example.co.uk` gives `example.co.uk`, `a.blogspot.com` itself. A host without one (a
/// suffix, an address of numbers, a single label) gives itself.
pub fn registrable(host: &str) -> &str {
    if is_numeric(host) { host } else { psl::domain_str(host).unwrap_or(host) }
}

/// An address of numbers as browsers read it: dotted, one decimal or hexadecimal number, or IPv6 in brackets (WHATWG URL, "ends in a number").
pub fn is_numeric(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or("");
    let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    host.starts_with('[')
        || !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(is_hex)
}

/// On the reader's own machine or network: what people who write of their own servers link to.
pub fn is_local(host: &str) -> bool {
    let starts = ["127.", "10.", "192.168.", "0.0.0.0", "[::1]", "[fe80:"];
    host == "localhost"
        || ["localhost", "local", "lan", "internal", "test"].contains(&last_label(host))
        || starts.iter().any(|start| host.starts_with(start))
}

/// Two letters that stand for a country and are a word or the end of a file's name as well: after a missing blank (`works.it is`), or in
/// `main.rs`, they are no link. Words of the ten languages that the starter knows best.
const COUNTRIES_THAT_ARE_WORDS: [&str; 58] = [
    "ad", "ai", "al", "am", "as", "at", "au", "be", "by", "do", "er", "et", "gg", "gs", "hm", "id", "il", "im", "in", "is", "it", "la",
    "li", "ma", "md", "me", "mm", "mo", "ms", "mu", "my", "na", "ne", "ni", "no", "pa", "pm", "ps", "py", "re", "rs", "sa", "sc", "se",
    "sh", "si", "sm", "so", "ss", "st", "su", "tj", "tm", "to", "us", "va", "vi", "ye",
];

/// Longer endings that people write bare. The other thousand are words first: after a missing blank they are no link without a path.
const ENDINGS_WRITTEN_BARE: [&str; 24] = [
    "com", "net", "org", "info", "biz", "edu", "gov", "mobi", "xyz", "icu", "top", "site", "online", "shop", "store", "club", "live",
    "pro", "app", "dev", "link", "website", "vip", "blog",
];

/// Endings in other letters; the rest of these are words too.
const ENDINGS_IN_OTHER_LETTERS: [&str; 8] = ["рф", "укр", "бел", "срб", "中国", "中國", "한국", "ελ"];

/// Reserved for examples (RFC 2606) and on no list; documents and tests link there.
const EXAMPLE: &str = "example";

fn last_label(host: &str) -> &str {
    host.rsplit('.').next().unwrap_or("")
}

fn has_known_suffix(host: &str) -> bool {
    psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known() && suffix.as_bytes().len() < host.len())
        || host.ends_with(".example")
}

/// An ending that makes a host of what stands before it, without a scheme or path to say so. In lower case.
pub fn is_bare_ending(ending: &str) -> bool {
    let is_country = ending.len() == 2 && ending.is_ascii() && !COUNTRIES_THAT_ARE_WORDS.contains(&ending);
    is_country && psl::suffix(ending.as_bytes()).is_some_and(|suffix| suffix.is_known())
        || ENDINGS_WRITTEN_BARE.contains(&ending)
        || ENDINGS_IN_OTHER_LETTERS.contains(&ending)
        || ending == EXAMPLE
}

/// Whether `word.word`, written without a scheme, is a host: one that ends as hosts do. `path` is what follows it.
pub fn is_bare_host(host: &str, path: &str) -> bool {
    let ending = last_label(host);
    // `works.But`: a sentence begins.
    let begins_sentence = ending.starts_with(char::is_uppercase) && ending.chars().skip(1).any(char::is_lowercase);
    if begins_sentence && !["Com", "Net", "Org"].contains(&ending) {
        return false;
    }
    let host = host.to_lowercase();
    let has_path = path.strip_prefix('/').is_some_and(|path| path.starts_with(char::is_alphanumeric));
    let under_country = || psl::suffix_str(&host).is_some_and(|suffix| suffix.contains('.'));
    has_known_suffix(&host) && (has_path || is_bare_ending(last_label(&host)) || under_country())
}

/// Hosts where everybody has pages, so that who names one has not said whom. Not here: hosts that give everybody a name of their own, which
/// the public suffix list knows (`ann.blogspot.com`), and [`SHORTENERS`].
const EVERYBODYS: [&str; 41] = [
    "amazon.com",
    "archive.org",
    "bing.com",
    "change.org",
    "dailymotion.com",
    "discord.com",
    "discord.gg",
    "dropbox.com",
    "ebay.com",
    "facebook.com",
    "fb.com",
    "flickr.com",
    "github.com",
    "gitlab.com",
    "google.com",
    "imgur.com",
    "instagram.com",
    "kickstarter.com",
    "linkedin.com",
    "medium.com",
    "ok.ru",
    "patreon.com",
    "paypal.com",
    "pinterest.com",
    "quora.com",
    "reddit.com",
    "soundcloud.com",
    "spotify.com",
    "stackoverflow.com",
    "t.me",
    "telegram.me",
    "tiktok.com",
    "twitch.tv",
    "twitter.com",
    "vimeo.com",
    "vk.com",
    "wa.me",
    "wikipedia.org",
    "x.com",
    "youtu.be",
    "youtube.com",
];

/// Whether pages under a domain are of people who have nothing to do with each other.
pub fn is_everybodys(domain: &str) -> bool {
    EVERYBODYS.binary_search(&domain).is_ok()
}

/// Services that shorten links and so hide where they lead: the ones that public corpora of comments show, and those known widely.
const SHORTENERS: [&str; 64] = [
    "1url.com",
    "adf.ly",
    "adfoc.us",
    "amzn.to",
    "b.link",
    "bc.vc",
    "bit.do",
    "bit.ly",
    "bitly.com",
    "bl.ink",
    "buff.ly",
    "clck.ru",
    "cli.re",
    "clk.sh",
    "cutt.ly",
    "cutt.us",
    "db.tt",
    "dlvr.it",
    "fb.me",
    "geni.us",
    "gg.gg",
    "git.io",
    "go2l.ink",
    "goo.gl",
    "goo.su",
    "hyperurl.co",
    "ibit.ly",
    "ift.tt",
    "is.gd",
    "j.mp",
    "kutt.it",
    "linktr.ee",
    "lnk.to",
    "lnkd.in",
    "mcaf.ee",
    "n9.cl",
    "ouo.io",
    "ow.ly",
    "po.st",
    "q.gs",
    "qr.ae",
    "rb.gy",
    "rebrand.ly",
    "s.id",
    "sh.st",
    "short.io",
    "shorte.st",
    "shorturl.at",
    "shrtco.de",
    "snip.ly",
    "soo.gd",
    "surl.li",
    "t.co",
    "t.ly",
    "t2m.io",
    "tiny.cc",
    "tiny.one",
    "tinyurl.com",
    "u.to",
    "v.gd",
    "v.ht",
    "vk.cc",
    "wp.me",
    "x.co",
];

/// Whether a host, or the domain it belongs to, shortens links.
pub fn is_shortener(host: &str) -> bool {
    let known = |host: &str| SHORTENERS.binary_search(&host).is_ok();
    known(host) || known(registrable(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_what_somebody_registered() {
        for (host, domain) in [
            ("shop.example.co.uk", "example.co.uk"),
            ("a.b.example.com", "example.com"),
            ("spam.blogspot.com", "spam.blogspot.com"),
            ("x.spam.example", "spam.example"),
            ("почта.рф", "почта.рф"),
            ("com", "com"),
            ("192.0.2.7", "192.0.2.7"),
            ("", ""),
        ] {
            assert_eq!(registrable(host), domain, "{host}");
        }
    }

    #[test]
    fn bare_words_with_a_dot_are_hosts_only_where_they_end_as_hosts_do() {
        let yes = ["z-shop.com", "Example.Com", "CASINO.RU", "bbc.co.uk", "почта.рф", "a.example", "web.co.id", "cheap.xyz"];
        let no = [
            "works.But",
            "life.you",
            "her.love",
            "it.in",
            "Scoop.it",
            "e.g",
            "Node.js",
            "main.rs",
            "README.md",
            "setup.py",
            "run.sh",
            "a.zip",
            "1.2.3",
            "you.right.now",
            "Nice.nice.how",
            "хорошо.дети",
            "window.location",
            "System.in",
            "cc.license",
            "com",
            "co.uk",
            "example",
        ];
        yes.iter().for_each(|host| assert!(is_bare_host(host, ""), "{host}"));
        no.iter().for_each(|host| assert!(!is_bare_host(host, ""), "{host}"));
        assert!(is_bare_host("t.me", "/casino") && is_bare_host("win.zip", "/x") && !is_bare_host("it.in", "/"));
    }

    #[test]
    fn numbers_are_hosts_however_they_are_written() {
        ["192.0.2.7", "3221225991", "0xc0000207", "192.0.2.0x7", "[2001:db8::1]"]
            .iter()
            .for_each(|host| assert!(is_numeric(host), "{host}"));
        ["a.example", "", "0xcafe.example", "7.example"].iter().for_each(|host| assert!(!is_numeric(host), "{host}"));
        ["127.0.0.1", "localhost", "nas.local", "192.168.1.1", "[::1]"].iter().for_each(|host| assert!(is_local(host), "{host}"));
        assert!(!is_local("192.0.2.7") && !is_local("local.example"));
    }

    #[test]
    fn shorteners_are_in_order_so_that_they_are_found() {
        assert!(SHORTENERS.is_sorted() && SHORTENERS.iter().all(|host| is_shortener(host)));
        assert!(is_shortener("www2.tinyurl.com") && !is_shortener("example.com") && !is_shortener("notbit.ly"));
    }
}
