//! What a digest says around its comments: subject, headline, what is asked and how long it takes. Counts and the site's configured name
//! only, so that no word of a commenter reaches a header.

use super::{COLUMNS, DigestView, Occasion, wrapped};
use crate::decision::Band;
use crate::view::{leads, safe, words};

impl DigestView<'_> {
    pub(super) fn more_words(&self, on_page: usize) -> String {
        match (on_page, self.behind) {
            (0, 0) => String::new(),
            (on_page, 0) => format!("{on_page} more on the page."),
            (on_page, behind) => {
                format!("{on_page} more on the page, and {} more once these are decided.", words::thousands(behind))
            }
        }
    }

    /// Counts and the configured name only: no word of a commenter reaches a header.
    pub(super) fn subject(&self) -> String {
        let site = safe::header_text(self.site_name);
        let comments = comments(self.items.len() + self.behind);
        let asks = match self.occasion {
            Occasion::New => "to review",
            Occasion::Flood => "at once to review",
            Occasion::Reminder => "still to review",
            Occasion::Handover => "left for you to review",
            Occasion::Weekly => return format!("[{site}] {comments} rejected near the line"),
        };
        let counted = |band, what: String| Some(self.banded(band)).filter(|count| *count > 0).map(|count| format!("{count} {what}, "));
        let spam = counted(Some(Band::LikelySpam), "likely spam".to_owned()).unwrap_or_default();
        let plural = if self.banded(None) == 1 { "spot check" } else { "spot checks" };
        let checks = counted(None, plural.to_owned()).unwrap_or_default();
        let oldest = self.items.iter().map(|item| item.comment.received_at).min().unwrap_or(self.now);
        format!("[{site}] {comments} {asks} ({spam}{checks}oldest {})", words::span(oldest, self.now))
    }

    fn banded(&self, band: Option<Band>) -> usize {
        self.items.iter().filter(|item| item.band() == band).count()
    }

    pub(super) fn headline(&self) -> String {
        let all = self.items.len() + self.behind;
        let is_one = all == 1;
        let says = match self.occasion {
            Occasion::New | Occasion::Flood if is_one => "waits for you",
            Occasion::New | Occasion::Flood => "wait for you",
            Occasion::Reminder if is_one => "still waits for you",
            Occasion::Reminder => "still wait for you",
            Occasion::Handover if is_one => "was left for you",
            Occasion::Handover => "were left for you",
            Occasion::Weekly if is_one => "was rejected near the line",
            Occasion::Weekly => "were rejected near the line",
        };
        format!("{} {says}", comments(all))
    }

    fn handled_words(&self) -> String {
        match self.handled {
            0 => String::new(),
            1 => "1 other was handled automatically.".to_owned(),
            handled => format!("{} others were handled automatically.", words::thousands(usize::try_from(handled).unwrap_or(usize::MAX))),
        }
    }

    /// What is asked of the reader, what the machine did, and how long it takes: what is under the headline.
    pub(super) fn lead(&self) -> String {
        let asks = match self.occasion {
            Occasion::New | Occasion::Reminder => "",
            Occasion::Handover => "Nobody else has decided, so they come to you, who stands by.",
            Occasion::Flood => "So many came at once that this is a summary; the next comes tomorrow.",
            Occasion::Weekly => {
                "Their scores were just over the line: a little less, and you would have been asked. Publish what should not have been \
                 rejected; the rest asks for nothing."
            }
        };
        [asks, &self.handled_words(), &self.takes()].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
    }

    /// Twenty seconds each, as moderators take for short comments. A flood is not for one go, and a week's rejections are for no go at all.
    fn takes(&self) -> String {
        let leads = leads(self.items).count();
        match (self.occasion, leads, (leads * 20).div_ceil(60)) {
            (Occasion::Flood | Occasion::Weekly, _, _) | (_, 0 | 1, _) => String::new(),
            (Occasion::New | Occasion::Reminder | Occasion::Handover, _, 1) => "These take about a minute.".to_owned(),
            (Occasion::New | Occasion::Reminder | Occasion::Handover, _, minutes) => format!("These take about {minutes} minutes."),
        }
    }

    /// Headline and lead in lines.
    pub(super) fn opening(&self) -> Vec<String> {
        wrapped(format!("{}. {}", self.headline(), self.lead()).trim_end(), COLUMNS)
    }

    /// What a mail program shows beside the subject.
    pub(super) fn preheader(&self) -> String {
        let bands = [Some(Band::LikelySpam), Some(Band::Unsure), Some(Band::LikelyFine), Some(Band::RulesOnly), None];
        let counted = bands.map(|band| (self.banded(band), words::band(band).to_lowercase()));
        let parts: Vec<String> = counted.iter().filter(|(count, _)| *count > 0).map(|(count, band)| format!("{count} {band}")).collect();
        format!("{}. {}", parts.join(", "), self.handled_words())
    }

    pub(super) fn all_words(&self) -> String {
        match self.items.len() {
            1 => "it".to_owned(),
            2 => "both".to_owned(),
            total => format!("all {}", words::spelt(total)),
        }
    }
}

fn comments(number: usize) -> String {
    format!("{} {}", words::thousands(number), if number == 1 { "comment" } else { "comments" })
}
