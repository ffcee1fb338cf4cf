//! Charts of people: how long comments waited for them, what they said beside the machine, beside themselves, and of many at once; and of
//! what is promised to them.

use super::{Agreement, ENOUGH, FiguresPage, TAIL, float, number, share, size};
use crate::budget::binomial::{lower_bound, upper_bound};
use crate::view::chart::{Bar, Figure, Fill, Key, Table, bars};
use crate::view::words::{self, percent, thousands};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);

/// Waits are told in these groups: at once, within half a day's work, the same day, the next, and later.
const WAITS: [(&str, Duration); 5] = [
    ("within an hour", HOUR),
    ("1 to 4 hours", Duration::from_hours(4)),
    ("4 to 24 hours", Duration::from_hours(24)),
    ("1 to 3 days", Duration::from_hours(72)),
    ("longer", Duration::MAX),
];

impl FiguresPage<'_> {
    /// How long held comments waited for somebody.
    pub(super) fn waits(&self) -> Figure {
        const TITLE: &str = "How long held comments waited";
        let waited = self.work.waited;
        let (Some(median), Some(longest)) = (super::quantile(waited, 1, 2), waited.last()) else {
            return Figure::empty(TITLE, "Nobody has ruled on a held comment of these days yet.");
        };
        let mut from = 0;
        let groups = WAITS.map(|(name, until)| {
            let end = waited.partition_point(|wait| *wait < until);
            let count = end - from;
            from = end;
            (name, count)
        });
        let most = groups.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let length = |count: usize| float(u64::try_from(count).unwrap_or(u64::MAX));
        let bar =
            |(name, count): (&str, usize)| Bar { name: name.to_owned(), note: thousands(count), parts: vec![(length(count), Fill::Hold)] };
        Figure {
            title: TITLE.to_owned(),
            finding: format!(
                "Of {} that were ruled on half waited {} or less, the longest {}. {} wait now.",
                thousands(waited.len()),
                words::long(median),
                words::long(*longest),
                number(self.work.waiting)
            ),
            legend: Vec::new(),
            picture: Some(bars(&groups.map(bar), length(most), "Five bars: how many held comments waited how long for their first ruling")),
            table: Some(Table::new(
                "From a held comment's coming to its first ruling",
                &["Waited", "Comments"],
                groups.iter().map(|(name, count)| vec![(*name).to_owned(), thousands(*count)]).collect(),
            )),
        }
    }

    pub(super) fn agreement(&self) -> Figure {
        const TITLE: &str = "Do people agree?";
        let seen: Vec<&Agreement> = self.agreement.iter().filter(|one| one.all() > 0).collect();
        if seen.is_empty() {
            return Figure::empty(TITLE, "Nobody has ruled on a comment of these days yet.");
        }
        let (stood, checked) = self.checks();
        let finding = if checked < ENOUGH {
            format!("{} spot checks answered: too few to say how often people agree with what nobody asked them about.", number(checked))
        } else {
            format!("Of {} spot checks {} stood: {}.", number(checked), number(stood), with_bounds(stood, checked))
        };
        let bar = |one: &&Agreement| Bar {
            name: one.said.to_owned(),
            note: one.told(),
            parts: vec![
                (share(one.published, one.all()), Fill::Ham),
                (share(one.spam, one.all()), Fill::Spam),
                (share(one.removed, one.all()), Fill::Hold),
            ],
        };
        let row = |one: &&Agreement| vec![one.said.to_owned(), number(one.published), number(one.spam), number(one.removed)];
        Figure {
            title: TITLE.to_owned(),
            finding,
            legend: vec![
                (Key::Fill(Fill::Ham), "people published".to_owned()),
                (Key::Fill(Fill::Spam), "said spam".to_owned()),
                (Key::Fill(Fill::Hold), "removed".to_owned()),
            ],
            picture: Some(bars(
                &seen.iter().map(bar).collect::<Vec<_>>(),
                1.0,
                "One bar for each thing that the machine said: what people ruled then",
            )),
            table: Some(Table::new(
                "Rulings by what the machine said",
                &["The machine", "Published", "Spam", "Removed"],
                seen.iter().map(row).collect(),
            )),
        }
    }

    /// The noise of labels: no filter can agree with people more than they do with themselves.
    pub(super) fn second_looks(&self) -> Figure {
        const TITLE: &str = "Do people agree with themselves?";
        let (answered, differing) = self.second_looks;
        if answered == 0 {
            return Figure::empty(
                TITLE,
                "No second look was answered yet. A small share of what people decide is put before somebody again a day later, blind.",
            );
        }
        let same = answered - differing.min(answered);
        let told = format!("{} in {} second looks called it otherwise", number(differing), number(answered));
        let finding = if answered < ENOUGH {
            format!("{told}: too few to say how often people err.")
        } else {
            format!("{told}: {}. No filter can agree with people more than they do.", with_bounds(differing, answered))
        };
        let bar = Bar {
            name: "Second looks, ever".to_owned(),
            note: format!("{} the same, {} otherwise", number(same), number(differing)),
            parts: vec![(share(same, answered), Fill::Ham), (share(differing, answered), Fill::Spam)],
        };
        Figure {
            title: TITLE.to_owned(),
            finding,
            legend: vec![(Key::Fill(Fill::Ham), "said the same".to_owned()), (Key::Fill(Fill::Spam), "said otherwise".to_owned())],
            picture: Some(bars(&[bar], 1.0, "One bar: second looks that said the same, and those that did not")),
            table: Some(Table::new(
                "Second looks, without being told the first",
                &["Said", "Comments"],
                vec![vec!["the same".to_owned(), number(same)], vec!["otherwise".to_owned(), number(differing)]],
            )),
        }
    }

    pub(super) fn campaigns(&self) -> Figure {
        const TITLE: &str = "Campaigns";
        let work = self.work;
        if work.waiting == 0 && work.rulings == 0 {
            return Figure::empty(TITLE, "Nothing waits, and nothing was ruled in these days.");
        }
        let (alone, single) = (work.waiting.saturating_sub(work.alike), work.rulings.saturating_sub(work.together));
        let rows = [("Waiting now", work.alike, alone), ("Ruled in these days", work.together, single)];
        let bar = |(name, together, alone): (&str, u64, u64)| Bar {
            name: name.to_owned(),
            note: format!("{} together, {} alone", number(together), number(alone)),
            parts: vec![(share(together, together + alone), Fill::Hold), (share(alone, together + alone), Fill::Ink)],
        };
        let waiting = match work.campaigns {
            0 => "No campaign waits.".to_owned(),
            campaigns => format!(
                "{} of the {} that wait stand in {}.",
                number(work.alike),
                number(work.waiting),
                words::count(size(campaigns), "campaign", "campaigns")
            ),
        };
        let ruled = match work.presses {
            0 => String::new(),
            presses => format!(" {} ruled on {} comments.", words::count(size(presses), "press", "presses"), number(work.together)),
        };
        Figure {
            title: TITLE.to_owned(),
            finding: format!("{waiting}{ruled}"),
            legend: vec![(Key::Fill(Fill::Hold), "with near-copies".to_owned()), (Key::Fill(Fill::Ink), "one by one".to_owned())],
            picture: Some(bars(
                &rows.map(bar),
                1.0,
                "Two bars: comments that wait or were ruled together with near-copies, and one by one",
            )),
            table: Some(Table::new(
                "Comments with near-copies, and one by one",
                &["Comments", "Together", "Alone"],
                rows.map(|(name, together, alone)| vec![name.to_owned(), number(together), number(alone)]).to_vec(),
            )),
        }
    }

    /// What was seen, what is bounded, and what is allowed, on each side.
    pub(super) fn budget(&self) -> Figure {
        const TITLE: &str = "The budget";
        let Some((terms, certificate)) = self.budget.certified().and_then(|terms| Some((terms, terms.certificate()?))) else {
            return Figure::empty(TITLE, "Not certified, so there is no bound to show.");
        };
        let (seen, bounds) = (certificate.seen, certificate.bounds);
        let sides = [
            ("spam published", seen.spam.published, seen.spam.comments(), bounds.spam_published_max, terms.budget.spam_published_max()),
            ("ham rejected", seen.ham.rejected, seen.ham.comments(), bounds.ham_rejected_max, terms.budget.ham_rejected_max()),
        ];
        let bar = |(what, errors, of, bound, allowed): (&str, usize, usize, f64, f64)| Bar {
            name: what.to_owned(),
            note: format!("seen {} of {}, at most {} of {}", thousands(errors), thousands(of), percent(bound), percent(allowed)),
            parts: vec![(bound / allowed, Fill::Ham), (1.0 - bound / allowed, Fill::HoldTint)],
        };
        let rows = sides.map(|(what, errors, of, bound, allowed)| {
            vec![what.to_owned(), format!("{} of {}", thousands(errors), thousands(of)), percent(bound), percent(allowed)]
        });
        Figure {
            title: TITLE.to_owned(),
            finding: format!(
                "Each bar is the whole budget; so much of it is taken by the bound, with {} confidence.",
                percent(terms.budget.confidence())
            ),
            legend: vec![
                (Key::Fill(Fill::Ham), "at most so much".to_owned()),
                (Key::Fill(Fill::HoldTint), "left of the budget".to_owned()),
            ],
            picture: Some(bars(&sides.map(bar), 1.0, "Two bars: how much of each budget the bound takes")),
            table: Some(Table::new("Error budget", &["Error", "Seen", "At most", "Budget"], rows.to_vec())),
        }
    }
}

/// A share, and between what it lies.
fn with_bounds(some: u64, all: u64) -> String {
    let (low, high) = (lower_bound(size(some), size(all), TAIL), upper_bound(size(some), size(all), TAIL));
    format!("{}, with 90 % confidence between {} and {}", percent(share(some, all)), percent(low), percent(high))
}
