//! HTML to text, as a reader would see it: tags away, entities resolved, link targets kept. Not a parser of pages: comments
//! are short and often broken, so a `<` that opens no tag stays what it is.

use std::borrow::Cow;
use std::ops::Range;

/// A text without tags, how many there were, and where its links went.
pub struct Stripped<'a> {
    pub text: Cow<'a, str>,
    pub tags: usize,
    /// Those of the tags that are BBCode.
    pub bbcode: usize,
    pub anchors: Vec<Anchor>,
}

/// A link with a text of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Anchor {
    pub target: String,
    /// Where its text stands in [`Stripped::text`]; empty for one that nothing closes.
    pub text: Range<usize>,
}

/// Longer than any tag a comment needs; a `<` without `>` within it is a plain character. It also bounds the work.
const TAG_BYTES_MAX: usize = 400;

/// Total; linear in the text.
pub fn strip(text: &str) -> Stripped<'_> {
    let mut stripped = Stripped { text: Cow::Borrowed(text), tags: 0, bbcode: 0, anchors: Vec::new() };
    let Some(mut next) = markup_in(text) else { return stripped };
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    loop {
        let (before, from) = rest.split_at(next);
        plain.push_str(before);
        let taken = take_markup(from, &mut plain, &mut stripped);
        let (kept, after) = if taken == 0 { from.split_at(1) } else { ("", from.get(taken..).unwrap_or("")) };
        plain.push_str(kept);
        rest = after;
        match markup_in(rest) {
            Some(at) => next = at,
            None => break,
        }
    }
    plain.push_str(rest);
    stripped.text = Cow::Owned(plain);
    stripped
}

/// Where markup may begin: at a byte of ASCII, and so between characters.
fn markup_in(text: &str) -> Option<usize> {
    text.bytes().position(|byte| matches!(byte, b'<' | b'[' | b'&'))
}

/// How many bytes at the start of `from` were markup; 0 when it is a plain character.
fn take_markup(from: &str, plain: &mut String, stripped: &mut Stripped<'_>) -> usize {
    if from.starts_with('&') {
        return take_entity(from, plain);
    }
    let Some(tag) = tag_at(from) else { return 0 };
    stripped.tags += 1;
    stripped.bbcode += usize::from(from.starts_with('['));
    let inner = tag.get(1..tag.len().saturating_sub(1)).unwrap_or("");
    if ["/a", "/url", "/link"].iter().any(|end| inner.eq_ignore_ascii_case(end)) {
        if let Some(anchor) = stripped.anchors.last_mut().filter(|anchor| anchor.text.is_empty()) {
            anchor.text.end = plain.len();
        }
    } else if let Some(target) = target_of(inner).map(resolve_all).filter(|target| target.contains('.') || target.contains("://")) {
        stripped.anchors.push(Anchor { target, text: plain.len()..plain.len() });
    }
    if is_block(inner) {
        plain.push('\n');
    }
    tag.len()
}

/// `<b>`, `</a>`, `[url=...]`, `[/url]`: a bracket, then a letter or slash, then its partner soon after.
fn tag_at(from: &str) -> Option<&str> {
    let close = if from.starts_with('<') { '>' } else { ']' };
    let start = from.get(1..)?;
    let name = start.strip_prefix('/').unwrap_or(start);
    let opens = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let end = super::cut(from, TAG_BYTES_MAX).find(close)?;
    let is_tag = opens && (close == '>' || is_bbcode(name));
    is_tag.then(|| from.get(..=end)).flatten()
}

fn is_bbcode(name: &str) -> bool {
    ["url=", "url]", "link=", "link]", "b]", "i]", "u]", "img]", "quote]", "quote=", "color=", "size="]
        .iter()
        .any(|mark| name.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark)))
}

fn is_block(inner: &str) -> bool {
    let name = inner.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
    ["p", "br", "div", "li", "blockquote", "tr"].iter().any(|block| name.eq_ignore_ascii_case(block))
}

/// The value of `href` in an HTML tag, or of `url=` or `link=` in BBCode.
fn target_of(inner: &str) -> Option<&str> {
    let lower = inner.to_ascii_lowercase();
    let name = lower
        .find("href")
        .map(|at| at + 4)
        .or_else(|| ["url=", "link="].iter().find(|mark| lower.starts_with(**mark)).map(|mark| mark.len() - 1))?;
    let value = inner.get(name..)?.trim_start().strip_prefix('=')?.trim_start();
    let quoted = value.strip_prefix(['"', '\'']).and_then(|open| open.split(['"', '\'']).next());
    Some(quoted.unwrap_or_else(|| value.split_whitespace().next().unwrap_or("")))
}

/// A text with its entities resolved, as a browser reads a target.
fn resolve_all(text: &str) -> String {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.find('&').map(|at| rest.split_at(at)) {
        resolved.push_str(before);
        let entity = super::cut(from, ENTITY_BYTES_MAX).find(';').and_then(|end| Some((resolve(from.get(1..end)?)?, end + 1)));
        let (c, taken) = entity.unwrap_or(('&', 1));
        resolved.push(c);
        rest = from.get(taken..).unwrap_or("");
    }
    resolved.push_str(rest);
    resolved
}

/// `&#x10ffff;` is the longest there is.
const ENTITY_BYTES_MAX: usize = 10;

fn take_entity(from: &str, plain: &mut String) -> usize {
    let Some(end) = super::cut(from, ENTITY_BYTES_MAX).find(';') else { return 0 };
    let Some(resolved) = from.get(1..end).and_then(resolve) else { return 0 };
    plain.push(resolved);
    end + 1
}

fn resolve(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_goes_and_plain_signs_stay() {
        for (text, plain, tags) in [
            ("a < b and c > d", "a < b and c > d", 0),
            ("I <3 this", "I <3 this", 0),
            ("<p>one</p><p>two</p>", "\none\n\ntwo\n", 4),
            ("x &lt;b&gt; &#65;&#x42; &nope; &", "x <b> AB &nope; &", 0),
            ("[url=http://a.example]x[/url] [sic]", "x [sic]", 2),
            ("<unclosed", "<unclosed", 0),
        ] {
            let stripped = strip(text);
            assert_eq!((stripped.text.as_ref(), stripped.tags), (plain, tags), "{text:?}");
        }
    }

    #[test]
    fn targets_are_kept() {
        let text = r#"<a class="x" href="http://a.example/p?q=1">hi</a> <A HREF=b.example>yo</A> [url=c.example]z[/url]"#;
        let stripped = strip(text);
        let anchors: Vec<_> = stripped.anchors.iter().map(|anchor| (anchor.target.as_str(), &stripped.text[anchor.text.clone()])).collect();
        assert_eq!(anchors, [("http://a.example/p?q=1", "hi"), ("b.example", "yo"), ("c.example", "z")]);
        assert_eq!(strip("<a href=\"http://evil&#46;example/?a=1&amp;b\">x</a>").anchors[0].target, "http://evil.example/?a=1&b");
        assert!(strip("<a href=http://a.example>never closed").anchors[0].text.is_empty());
    }
}
