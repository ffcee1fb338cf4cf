//! The search of the desk: words that the comment, its author's name or its page must hold, and a few keys. Case does not count, and any
//! text is a search: what is no key is a word.

use crate::comment::Comment;
use crate::decision::{Band, Objection};
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
    Objected(Objection),
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

    /// Whether a comment says what is looked for. This needs nothing but the comment, so it is asked first.
    pub fn is_met_by(&self, comment: &Comment) -> bool {
        self.asks.iter().all(|ask| ask.is_said_by(comment))
    }

    /// Whether it also stands so. A spot check is told by nothing that was decided of it.
    pub fn passes(&self, record: &Record) -> bool {
        self.asks.iter().all(|ask| ask.is_so_of(record))
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
            Some(("is", "reported")) => Self::Objected(Objection::Report),
            Some(("is", "appealed")) => Self::Objected(Objection::Appeal),
            _ => Self::Word(word),
        }
    }

    fn is_said_by(&self, comment: &Comment) -> bool {
        let holds = |text: Option<&str>, word: &str| text.is_some_and(|text| contains(text, word));
        let (name, title, url) = (comment.author.name.as_deref(), comment.page.title.as_deref(), comment.page.url.as_deref());
        match self {
            Self::Word(word) => [Some(comment.body.as_str()), name, title, url].into_iter().any(|text| holds(text, word)),
            Self::Page(word) => holds(title, word) || holds(url, word),
            Self::Name(word) => holds(name, word),
            Self::Site(word) => comment.site.as_str() == word,
            Self::Is(_) | Self::Check | Self::Objected(_) => true,
        }
    }

    fn is_so_of(&self, record: &Record) -> bool {
        match self {
            Self::Word(_) | Self::Page(_) | Self::Name(_) | Self::Site(_) => true,
            Self::Is(band) => !record.is_open_check() && record.decision.as_ref().is_some_and(|decision| decision.band == *band),
            Self::Check => record.is_open_check(),
            Self::Objected(objection) => record.objected_at.is_some() && objection.is_against(record.status),
        }
    }
}

/// Whether a text holds a word in small letters, whatever the text's are. Most of what is looked through is ASCII, and needs no copy.
fn contains(text: &str, word: &str) -> bool {
    if text.is_ascii() {
        let (text, word) = (text.as_bytes(), word.as_bytes());
        return word.is_empty() || text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    }
    text.to_lowercase().contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_count() {
        for (text, word, is_in) in [
            ("Fresh BEANS", "beans", true),
            ("beans", "beanstalk", false),
            ("ÉTÉ à la mer", "été", true),
            ("x", "", true),
            ("", "x", false),
        ] {
            assert_eq!(contains(text, word), is_in, "{word} in {text}");
        }
    }

    #[test]
    fn any_text_is_a_search() {
        for (text, asks) in [
            ("  ", vec![]),
            ("Coffee GRINDER", vec![Ask::Word("coffee".into()), Ask::Word("grinder".into())]),
            ("page:brew is:spam is:new", vec![Ask::Page("brew".into()), Ask::Is(Band::LikelySpam), Ask::Word("is:new".into())]),
            ("%_'\"\u{0}", vec![Ask::Word("%_'\"".into())]),
            ("is:reported is:appealed", vec![Ask::Objected(Objection::Report), Ask::Objected(Objection::Appeal)]),
        ] {
            assert_eq!(Filter::parse(text).asks, asks, "{text}");
        }
        assert_eq!(Filter::parse(&"x".repeat(10_000)).text().len(), TEXT_CHARS_MAX);
    }
}
