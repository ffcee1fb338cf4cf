//! What a reader sees who sent a comment from a page without a server: one sentence of what became of it, and never a score or a reason,
//! which would teach those who send spam.

use super::{rendered, safe};
use askama::Template;

/// What is said after a form was sent.
#[derive(Debug, Clone, Copy)]
pub struct FormPage<'a> {
    /// Where the form was this site's.
    pub site_name: Option<&'a str>,
    pub said: Said<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    Published,
    /// Held or rejected: which, is nobody's to learn here.
    Received,
    /// What is missing or too long.
    Unfit(&'a str),
    TooOften,
    /// From a page that may not post here, or to a form that is not there.
    NoForm,
    Unavailable,
}

impl FormPage<'_> {
    pub fn render(&self) -> String {
        let (class, heading, meaning, advice) = self.said.words();
        let site = self.site_name.map(safe::header_text).unwrap_or_default();
        rendered(&Page { site, class, heading, meaning, advice })
    }
}

impl<'a> Said<'a> {
    fn words(self) -> (&'static str, &'static str, &'a str, &'static str) {
        match self {
            Self::Published => ("good", "Thank you", "Your comment is published.", "Go back to the page to read on."),
            Self::Received => {
                ("good", "Thank you", "Your comment has arrived. A person may look at it first.", "Go back to the page to read on.")
            }
            Self::Unfit(what) => ("warn", "Something is missing", what, "Go back, complete it and send it again. Nothing was taken."),
            Self::TooOften => (
                "warn",
                "That was fast",
                "Too many comments came from where you are.",
                "Go back and send it again in a minute. Nothing was taken.",
            ),
            Self::NoForm => ("bad", "No comments are taken here", "This page may not send comments to this address.", "Nothing was taken."),
            Self::Unavailable => {
                ("warn", "Comments cannot be taken just now", "Yours was not taken.", "Go back and send it again in a minute.")
            }
        }
    }
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Page<'a> {
    site: String,
    class: &'static str,
    heading: &'static str,
    meaning: &'a str,
    advice: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_one_thing_and_nothing_that_a_stranger_wrote_runs() {
        let page = |said| FormPage { site_name: Some("Slow <b>Kettle"), said }.render();
        assert!(page(Said::Published).contains("Your comment is published."));
        assert!(!page(Said::Received).contains("published") && !page(Said::Received).contains("spam"));
        let unfit = page(Said::Unfit("`name` has <script>"));
        assert!(!unfit.contains("<script") && !unfit.contains("<b>"), "{unfit}");
    }
}
