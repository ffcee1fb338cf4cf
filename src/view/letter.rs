//! A letter: a short mail about the mails themselves, as text and as HTML. It holds no stranger's words.

use super::{rendered, safe};
use askama::Template;

/// Lines of the text part; see the digest's.
const COLUMNS: usize = 72;

/// What a letter says, sentence by sentence, and where it leads.
#[derive(Debug, Clone, Copy)]
pub struct LetterView<'a> {
    pub site_name: &'a str,
    pub subject: &'a str,
    pub sentences: &'a [String],
    /// What the link says, and its address.
    pub link: Option<(&'a str, &'a str)>,
}

/// A mail ready for its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl LetterView<'_> {
    pub fn render(&self) -> Letter {
        let site = safe::header_text(self.site_name);
        let subject = format!("[{site}] {}", self.subject);
        // Names are the settings' own, yet whatever turns or breaks a page stays out.
        let plain = |sentence: &String| safe::kept(sentence).split_whitespace().collect::<Vec<_>>().join(" ");
        let sentences: Vec<String> = self.sentences.iter().map(plain).collect();
        let paragraphs: Vec<String> = sentences.iter().map(|sentence| super::digest::wrapped(sentence, COLUMNS).join("\n")).collect();
        let link = self.link.map(|(words, url)| format!("\n\n{words}: {url}")).unwrap_or_default();
        let text = format!("{}{link}\n", paragraphs.join("\n\n"));
        let mut heading = self.subject.chars();
        let heading = heading.next().map(|first| first.to_uppercase().chain(heading).collect()).unwrap_or_default();
        let html = rendered(&HtmlLetter { subject: &subject, site, heading, sentences: &sentences, link: self.link });
        Letter { subject, text, html }
    }
}

#[derive(Template)]
#[template(path = "letter.html")]
struct HtmlLetter<'a> {
    subject: &'a str,
    site: String,
    heading: String,
    sentences: &'a [String],
    link: Option<(&'a str, &'a str)>,
}
