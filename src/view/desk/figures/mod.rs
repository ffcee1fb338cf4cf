//! The page of figures: what a span of days brought, how long people took, whether they agree with the machine and with themselves, what the
//! budget says and how mail goes. Where there is too little to say anything it says so. Counting is the store's, putting together
//! `flow::figures`'s; the charts are in `traffic` and `people`.

mod people;
#[cfg(test)]
pub mod samples;
mod traffic;

use crate::budget::Outcome;
use crate::budget::terms::Terms;
use crate::budget::workload::Forecast;
use crate::clock::Timestamp;
use crate::comment::Comment;
use crate::decision::Verdict;
use crate::view::chart::{Figure, PATTERNS};
use crate::view::desk::{Around, Frame, line};
use crate::view::rendered;
use crate::view::safe::{self, Html};
use crate::view::words::{self, percent, thousands};
use askama::Template;
use std::time::Duration;

/// Fewer than this say nothing of their share: its interval would be half of everything.
const ENOUGH: u64 = 20;

/// Half of what a 90 % interval leaves out.
const TAIL: f64 = 0.05;

/// Everything the page shows of one site.
#[derive(Debug, Clone, Copy)]
pub struct FiguresPage<'a> {
    pub frame: Frame<'a>,
    pub site: SiteTab<'a>,
    /// All sites of the moderator, this one among them.
    pub sites: &'a [SiteTab<'a>],
    pub now: Timestamp,
    /// Every day of the span, the oldest first, also those without a comment.
    pub days: &'a [DayCounts],
    /// The scores of the latest comments, in groups from surely ham to surely spam.
    pub heaps: &'a [ScoreHeap],
    pub work: Work<'a>,
    /// What has waited longest, the oldest first.
    pub oldest: &'a [Oldest<'a>],
    pub agreement: &'a [Agreement],
    /// Second looks that were answered, and those that differed from the first.
    pub second_looks: (u64, u64),
    pub budget: Promise<'a>,
    /// Why comments were held: in words, and of how many.
    pub reasons: &'a [(String, u64)],
    pub held_read: u64,
    pub mails: Mails<'a>,
}

/// A site by its name, and where its figures stand, before `&days=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiteTab<'a> {
    pub name: &'a str,
    pub path: &'a str,
}

/// What the machine said of one day's comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayCounts {
    pub day: Timestamp,
    pub published: u64,
    pub held: u64,
    pub rejected: u64,
}

/// Comments whose scores lie between these log-odds, by what was decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreHeap {
    pub from: f64,
    pub to: f64,
    pub published: u64,
    pub held: u64,
    pub rejected: u64,
}

/// What people did, and what waits for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work<'a> {
    /// How long held comments waited for their first ruling, ascending.
    pub waited: &'a [Duration],
    pub rulings: u64,
    pub undone: u64,
    /// Presses that ruled on several, and those comments.
    pub presses: u64,
    pub together: u64,
    pub waiting: u64,
    /// Campaigns that wait, and comments in them.
    pub campaigns: u64,
    pub alike: u64,
}

/// One that has waited long.
#[derive(Debug, Clone, Copy)]
pub struct Oldest<'a> {
    pub comment: &'a Comment,
    /// Its words are not to be seen unasked.
    pub is_covered: bool,
}

/// What people said of comments of which the machine said one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    pub said: &'static str,
    pub verdict: Verdict,
    /// A spot check: drawn by chance, so its share stands for all of the kind.
    pub is_check: bool,
    pub published: u64,
    pub spam: u64,
    pub removed: u64,
}

/// What may be said of the budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Promise<'a> {
    /// What the card of the model at work says, for the budget that is set.
    Measured(&'a Terms),
    /// Nobody measured, or for another budget.
    Unmeasured,
    /// The thresholds are those written, whatever was measured.
    Fixed,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mails<'a> {
    pub digests: u64,
    pub last_digest: Option<Timestamp>,
    pub waiting: u64,
    pub given_up: u64,
    pub last_error: Option<&'a str>,
}

impl FiguresPage<'_> {
    pub fn render(&self) -> String {
        let (mails_are_well, mails) = self.mails.told(self.now);
        let ends = self.days.first().zip(self.days.last());
        let charts = [
            self.comments_a_day(),
            self.held_a_day(),
            self.scores(),
            self.agreement(),
            self.budget(),
            self.reasons(),
            self.waits(),
            self.campaigns(),
            self.second_looks(),
        ];
        let (budget, budget_note) = self.budget.told();
        rendered(&Page {
            around: self.frame.around(),
            patterns: Html::made(PATTERNS.to_owned()),
            site: safe::header_text(self.site.name),
            sites: self
                .sites
                .iter()
                .map(|site| (site.path.to_owned(), safe::header_text(site.name), site.path == self.site.path))
                .collect(),
            spans: [7, 30, 90].map(|days| (format!("{}&days={days}", self.site.path), days, days == self.days.len())),
            between: ends.map(|(first, last)| format!("{} to {}", first.day.long_day(), last.day.long_day())).unwrap_or_default(),
            heads: self.heads(),
            is_certified: self.budget.certified().is_some(),
            budget,
            budget_note,
            mails,
            mails_are_well,
            charts: charts.iter().map(Figure::html).collect(),
            oldest: self.oldest.iter().map(|oldest| oldest.shown(self.now)).collect(),
        })
    }

    fn sum(&self, of: fn(&DayCounts) -> u64) -> u64 {
        self.days.iter().map(of).sum()
    }

    fn heads(&self) -> Vec<Head> {
        let (published, held, rejected) = (self.sum(|day| day.published), self.sum(|day| day.held), self.sum(|day| day.rejected));
        let (all, days) = (published + held + rejected, u64::try_from(self.days.len().max(1)).unwrap_or(1));
        let a_day = if all < days {
            format!("in {}", words::count(self.days.len(), "day", "days"))
        } else {
            format!("{} a day", number(all / days))
        };
        let few = || "too few".to_owned();
        let alone = if all < ENOUGH { few() } else { percent(share(published + rejected, all)) };
        let (median, most) = (quantile(self.work.waited, 1, 2), quantile(self.work.waited, 9, 10));
        let (stood, checked) = self.checks();
        let agreed = if checked < ENOUGH { few() } else { percent(share(stood, checked)) };
        let of = |some, all| format!("{} of {}", number(some), number(all));
        vec![
            Head::new("comments", number(all), a_day),
            Head::new("needed no person", alone, format!("{} comments", number(published + rejected))),
            Head::new("held for people", number(held), format!("{} wait now", number(self.work.waiting))),
            Head::new(
                "half ruled within",
                median.map_or_else(few, words::long),
                most.map(|most| format!("nine of ten within {}", words::long(most))).unwrap_or_default(),
            ),
            Head::new("people agreed", agreed, format!("in {} spot checks", of(stood, checked))),
            Head::new("undone", number(self.work.undone), format!("of {} rulings", number(self.work.rulings))),
        ]
    }

    /// Spot checks that stood, and all that were answered.
    fn checks(&self) -> (u64, u64) {
        let checks = || self.agreement.iter().filter(|one| one.is_check);
        (checks().map(Agreement::stood).sum(), checks().map(Agreement::labels).sum())
    }
}

impl Promise<'_> {
    /// What the bounds are, where there are any.
    fn certified(&self) -> Option<&Terms> {
        match self {
            Self::Measured(terms) => terms.certificate().map(|_| *terms),
            Self::Unmeasured | Self::Fixed => None,
        }
    }

    /// What goes to people a day, as far as it was measured.
    fn forecast(&self) -> Option<Forecast> {
        match self {
            Self::Measured(terms) => terms.forecast,
            Self::Unmeasured | Self::Fixed => None,
        }
    }

    /// What is promised, and what it rests on.
    fn told(&self) -> (String, String) {
        let terms = match self {
            Self::Measured(terms) => *terms,
            Self::Unmeasured => {
                let note = "A training measures it as soon as enough of this site's comments were ruled on.";
                let told =
                    "Nothing is promised yet: no model was measured for the budget that is set. The thresholds that are written decide.";
                return (told.to_owned(), note.to_owned());
            }
            Self::Fixed => {
                let told = "Nothing is promised: the thresholds are fixed by `policy.thresholds`, whatever was measured.";
                return (told.to_owned(), String::new());
            }
        };
        let (budget, sample) = (terms.budget, &terms.sample);
        match &terms.outcome {
            Outcome::Certified(certificate) => {
                let (bounds, seen) = (certificate.bounds, certificate.seen);
                let told = format!(
                    "At most {} of spam published and at most {} of ham rejected, {} confidence, from {} labels.",
                    percent(bounds.spam_published_max),
                    percent(bounds.ham_rejected_max),
                    percent(budget.confidence()),
                    thousands(sample.spam + sample.ham)
                );
                let note = format!(
                    "Seen: {} of {} spam published, {} of {} ham rejected. Thresholds follow from this; nobody typed them. It holds for comments like those of that time.",
                    thousands(seen.spam.published),
                    thousands(seen.spam.comments()),
                    thousands(seen.ham.rejected),
                    thousands(seen.ham.comments())
                );
                (told, note)
            }
            Outcome::NotCertified { spam_needed, ham_needed, .. } => {
                let needed = [(*spam_needed, "spam"), (*ham_needed, "ham")].into_iter().filter(|(needed, _)| *needed > 0);
                let needed: Vec<String> = needed.map(|(needed, of)| format!("{} more labels of {of}", thousands(needed))).collect();
                let told = if needed.is_empty() {
                    "The labels are enough, but the scores err too often for this budget.".to_owned()
                } else {
                    format!("Needed: {}.", needed.join(" and "))
                };
                let asked = format!("Of {} spot checks {} were answered.", thousands(sample.checks), thousands(sample.answered));
                let have = format!("There are {} labels of spam and {} of ham that count.", thousands(sample.spam), thousands(sample.ham));
                (format!("{told} Until then the thresholds that are written decide."), format!("{have} {asked}"))
            }
        }
    }
}

impl Agreement {
    fn all(&self) -> u64 {
        self.published + self.spam + self.removed
    }

    /// `Remove` says nothing of spam.
    fn labels(&self) -> u64 {
        self.published + self.spam
    }

    fn stood(&self) -> u64 {
        match self.verdict {
            Verdict::Publish => self.published,
            Verdict::Reject => self.spam,
            Verdict::Hold => 0,
        }
    }

    fn told(&self) -> String {
        let removed = if self.removed > 0 { format!(", {} removed", number(self.removed)) } else { String::new() };
        format!("{} published, {} spam{removed}", number(self.published), number(self.spam))
    }
}

impl Mails<'_> {
    /// Whether all is well, and what there is to say.
    fn told(&self, now: Timestamp) -> (bool, String) {
        let last =
            self.last_digest.map_or_else(|| "none was ever written".to_owned(), |at| format!("the last one {}", words::ago(at, now)));
        let digests = format!("{} to moderators, {last}.", words::count(size(self.digests), "digest", "digests"));
        let sentence = |count: u64, one: &str, many: &str, rest: &str| match count {
            0 => String::new(),
            count => format!(" {} {rest}.", words::count(size(count), one, many)),
        };
        let waiting = sentence(self.waiting, "mail is", "mails are", "not taken yet");
        let lost = sentence(self.given_up, "mail was", "mails were", "given up");
        let error = self.last_error.map(|error| format!(" The server said: {}", safe::plain(error))).unwrap_or_default();
        (self.given_up == 0 && self.last_error.is_none(), format!("{digests}{waiting}{lost}{error}"))
    }
}

/// Of ascending waits, the one that so large a part does not exceed.
fn quantile(waits: &[Duration], part: usize, of: usize) -> Option<Duration> {
    waits.get((waits.len() * part).div_ceil(of).saturating_sub(1)).copied()
}

fn share(some: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { float(some) / float(all) }
}

#[expect(clippy::cast_precision_loss, reason = "counts of comments are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn number(count: u64) -> String {
    thousands(size(count))
}

impl Oldest<'_> {
    fn shown(&self, now: Timestamp) -> OldestShown {
        let name = if self.is_covered { "(covered)" } else { words::name(self.comment) };
        OldestShown {
            path: format!("/desk/c/{}", self.comment.id),
            name: line(name, 40),
            page: line(words::page(self.comment), 80),
            age: words::span(self.comment.received_at, now),
        }
    }
}

#[derive(Template)]
#[template(path = "desk_figures.html")]
struct Page {
    around: Around,
    patterns: Html,
    site: String,
    sites: Vec<(String, String, bool)>,
    spans: [(String, usize, bool); 3],
    between: String,
    heads: Vec<Head>,
    is_certified: bool,
    budget: String,
    budget_note: String,
    mails: String,
    mails_are_well: bool,
    charts: Vec<Html>,
    oldest: Vec<OldestShown>,
}

/// One of the large numbers.
struct Head {
    what: &'static str,
    value: String,
    note: String,
}

impl Head {
    fn new(what: &'static str, value: String, note: String) -> Self {
        Self { what, value, note }
    }
}

struct OldestShown {
    path: String,
    name: Html,
    page: Html,
    age: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_waits_that_were_waited() {
        let waits: Vec<Duration> = (1..=10).map(Duration::from_secs).collect();
        assert_eq!((quantile(&waits, 1, 2), quantile(&waits, 9, 10)), (Some(Duration::from_secs(5)), Some(Duration::from_secs(9))));
        assert_eq!((quantile(&waits[..1], 9, 10), quantile(&[], 1, 2)), (Some(Duration::from_secs(1)), None));
    }

    #[test]
    fn the_page_tells_its_numbers_and_how_sure_they_are() {
        let page = samples::page("Mia", "Slow Kettle");
        for told in [
            "24 October 2026 to 22 November 2026",
            "Of 30 spot checks 28 stood",
            "with 90 % confidence between",
            "Not certified",
            "1 in 30",
            "23 of the 31",
        ] {
            assert!(page.contains(told), "{told}");
        }
        let pictures = page.matches("class=\"chart\"").count();
        assert_eq!((pictures, page.matches("<details><summary>As a table").count()), (9, 8), "all but the budget, which is not certified");
        assert!(page.contains("days=30\" aria-current=\"page\">30 days"));
    }

    #[test]
    fn little_is_called_little() {
        let page = samples::empty();
        assert!(page.contains("too few") && page.contains("No comment came") && !page.contains("NaN"), "{page}");
    }
}
