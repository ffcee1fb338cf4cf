//! The search of the desk: words that the comment, its author's name or its page must hold, and a few keys. Case does not count, and any
//! text is a search: what is no key is a word.

use crate::decision::Band;
use crate::store::Record;

/// What a search asks of a comment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    text: String,
    asks: Vec<Ask>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ask {
    Word(String),
    Page(String),
    Name(String),
    Site(String),
    Is(Band),
    Check,
}

/// Longer than any search that a person types.
const TEXT_CHARS_MAX: usize = 200;

impl Filter {
    pub fn parse(text: &str) -> Self {
        let text: String = text.trim().chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect();
        Self { asks: text.split_whitespace().map(Ask::parse).collect(), text }
    }

    pub fn is_empty(&self) -> bool {
        self.asks.is_empty()
    }

    /// As it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A spot check is told by nothing that was decided of it.
    pub fn passes(&self, record: &Record) -> bool {
        self.asks.iter().all(|ask| ask.is_met(record))
    }
}

impl Ask {
    fn parse(word: &str) -> Self {
        let word = word.to_lowercase();
        match word.split_once(':') {
            Some(("page", page)) => Self::Page(page.to_owned()),
            Some(("name", name)) => Self::Name(name.to_owned()),
            Some(("site", site)) => Self::Site(site.to_owned()),
            Some(("is", "spam")) => Self::Is(Band::LikelySpam),
            Some(("is", "unsure")) => Self::Is(Band::Unsure),
            Some(("is", "fine")) => Self::Is(Band::LikelyFine),
            Some(("is", "check")) => Self::Check,
            _ => Self::Word(word),
        }
    }

    fn is_met(&self, record: &Record) -> bool {
        let comment = &record.comment;
        let holds = |text: Option<&str>, word: &str| text.is_some_and(|text| text.to_lowercase().contains(word));
        let (name, title, url) = (comment.author.name.as_deref(), comment.page.title.as_deref(), comment.page.url.as_deref());
        match self {
            Self::Word(word) => [Some(comment.body.as_str()), name, title, url].into_iter().any(|text| holds(text, word)),
            Self::Page(word) => holds(title, word) || holds(url, word),
            Self::Name(word) => holds(name, word),
            Self::Site(word) => comment.site.as_str() == word,
            Self::Is(band) => !record.is_open_check() && record.decision.as_ref().is_some_and(|decision| decision.band == *band),
            Self::Check => record.is_open_check(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_a_search() {
        for (text, asks) in [
            ("  ", vec![]),
            ("Coffee GRINDER", vec![Ask::Word("coffee".into()), Ask::Word("grinder".into())]),
            ("page:brew is:spam is:new", vec![Ask::Page("brew".into()), Ask::Is(Band::LikelySpam), Ask::Word("is:new".into())]),
            ("%_'\"\u{0}", vec![Ask::Word("%_'\"".into())]),
        ] {
            assert_eq!(Filter::parse(text).asks, asks, "{text}");
        }
        assert_eq!(Filter::parse(&"x".repeat(10_000)).text().len(), TEXT_CHARS_MAX);
    }
}
