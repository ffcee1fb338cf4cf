//! Defanging: which characters of a text would let a mail program or a browser make a link of it, and what to show in their place.
//! Generous on purpose: a dot too many in brackets costs a glance, a live link in a moderator's mail costs more.

use crate::text::is_invisible;

/// A byte offset, and what stands there instead of the character.
pub type Dead = (usize, &'static str);

/// Schemes that work without `//`: mail programs link them too.
const SCHEMES: [&str; 14] = [
    "mailto",
    "tel",
    "sms",
    "javascript",
    "vbscript",
    "data",
    "magnet",
    "skype",
    "whatsapp",
    "geo",
    "xmpp",
    "callto",
    "facetime",
    "bitcoin",
];

/// Every replacement that a text needs, in order. Total; linear in the text.
pub fn dead_ends(text: &str) -> Vec<Dead> {
    let mut dead = Vec::new();
    let mut at = 0;
    for run in text.split_inclusive(|c| !is_host(c)) {
        push_dots(run.trim_end_matches(|c| !is_host(c)), at, &mut dead);
        at += run.len();
    }
    push_schemes(text, &mut dead);
    dead.sort_unstable();
    dead.dedup_by_key(|(at, _)| *at);
    dead
}

/// What a host may be spelt with, generously: letters and digits of every script, emoji, hidden characters, and dots.
fn is_host(c: char) -> bool {
    let beyond_latin =
        c >= '\u{300}' && !c.is_whitespace() && !matches!(c, '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff0f}');
    c.is_alphanumeric() || matches!(c, '-' | '_') || is_dot(c) || is_invisible(c) || beyond_latin
}

/// The full stops that IDNA (RFC 3490, section 3.1) and browsers read as the dot of a host.
fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{2024}' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

/// Dots of what could be a host: a later label looks like a top level, or four numbers look like an IPv4 address.
fn push_dots(run: &str, from: usize, dead: &mut Vec<Dead>) {
    let labels = || run.split(is_dot);
    let numbers = labels().filter(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit())).count();
    if numbers < 4 && !labels().skip(1).any(could_be_top_level) {
        return;
    }
    for (at, dot) in run.match_indices(is_dot) {
        let before = run.get(..at).and_then(|before| before.chars().next_back());
        let after = run.get(at + dot.len()..).and_then(|after| after.chars().next());
        if joins(dot, before) && joins(dot, after) {
            dead.push((from + at, "[.]"));
        }
    }
}

/// A dot joins two labels. The ideographic full stop ends sentences, so it counts only inside a Latin name.
fn joins(dot: &str, neighbour: Option<char>) -> bool {
    neighbour.is_some_and(|c| !is_dot(c) && (dot != "\u{3002}" || c.is_ascii_alphanumeric()))
}

/// No top level has digits, but for the encoded ones; what follows a hyphen may be anything a linker stops at.
fn could_be_top_level(label: &str) -> bool {
    let label: String = label.chars().filter(|c| !is_invisible(*c)).collect();
    let head = label.split(['-', '_']).next().unwrap_or("");
    head.chars().count() >= 2 && !head.chars().any(|c| c.is_ascii_digit())
}

/// `http` becomes `hxxp`; the colon of any other scheme is bracketed.
fn push_schemes(text: &str, dead: &mut Vec<Dead>) {
    for (colon, _) in text.match_indices(':') {
        let (Some(before), Some(after)) = (text.get(..colon), text.get(colon + 1..)) else { continue };
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let scheme = before.rsplit(|c| !is_scheme(c)).next().unwrap_or("").to_ascii_lowercase();
        let is_bare = SCHEMES.iter().any(|bare| scheme.ends_with(bare)) && after.starts_with(|c: char| !c.is_whitespace());
        if let Some(length) = ["http", "https"].iter().find(|web| scheme.ends_with(*web)).map(|web| web.len()) {
            dead.push((colon - length + 1, "x"));
            dead.push((colon - length + 2, "x"));
        } else if is_bare || (!scheme.is_empty() && after.starts_with("//")) {
            dead.push((colon, "[:]"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let dead = dead_ends(text);
        let at = |at: usize| dead.iter().find(|(dead, _)| *dead == at).map(|(_, shown)| (*shown).to_owned());
        let shown: String = text.char_indices().map(|(i, c)| at(i).unwrap_or_else(|| c.to_string())).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn links_of_every_kind_die() {
        check("see https://a.example/x.html?u=b.com now", "see hxxps://a[.]example/x[.]html?u=b[.]com now");
        check("HTTP://A.COM", "HxxP://A[.]COM");
        check("docs.rs/slow-kettle, and www.b.example.", "docs[.]rs/slow-kettle, and www[.]b[.]example.");
        check("mail ana@mail.example or mailto:ana@b.c", "mail ana@mail[.]example or mailto[:]ana@b.c");
        check("ftp://x javascript:alert(1) tel:+1 data:text/html,x", "ftp[:]//x javascript[:]alert(1) tel[:]+1 data[:]text/html,x");
        check("//evil.com http:evil http://localhost http://[::1]/", "//evil[.]com hxxp:evil hxxp://localhost hxxp://[::1]/");
        check("192.168.0.1:8080", "192[.]168[.]0[.]1:8080");
        check("пример.рф 例え.テスト xn--a.xn--p1ai", "пример[.]рф 例え[.]テスト xn--a[.]xn--p1ai");
        check("evil．com evil。com evil｡com evil․com", "evil[.]com evil[.]com evil[.]com evil[.]com");
        check("evil.com.5 a.com-b evil.com你好", "evil[.]com[.]5 a[.]com-b evil[.]com你好");
        check("ev\u{200b}il.\u{200b}com", "ev\u{200b}il[.]\u{200b}com");
        check("ht\u{200b}tp://x", "ht\u{200b}tp[:]//x");
    }

    #[test]
    fn plain_prose_stays() {
        for text in [
            "Wait...what? e.g. this, i.e. 3.14 or 1.5km at 1:17.",
            "Done. Next: data: five",
            "你好。谢谢。",
            "v1.2.3",
            "a :// b",
            "...",
            "",
        ] {
            check(text, text);
        }
    }
}
