//! What the report says without a chart: the three ways of each class, and the worst mistakes. Comments are strangers' words, so they pass through
//! `safe`.

use super::{Mistake, ReportPage, share};
use crate::classifier::Label;
use crate::classifier::evaluate::ThreeWay;
use crate::decision::Verdict;
use crate::view::excerpt::excerpt;
use crate::view::reasons::Reasons;
use crate::view::safe::{self, Html};
use crate::view::words::{percent, thousands};

/// What one reads of a mistake to see why; longer comments are cut around the strongest evidence.
const BODY_CHARS_MAX: usize = 420;

/// Reasons on each side.
const REASONS_MAX: usize = 3;

/// Cells in the order publish, hold, reject: (count, share).
pub struct Confusion {
    pub ham: [(String, String); 3],
    pub spam: [(String, String); 3],
    pub ham_all: String,
    pub spam_all: String,
}

impl Confusion {
    pub fn of(seen: ThreeWay) -> Self {
        let row = |tally: crate::classifier::evaluate::Tally| {
            [tally.published, tally.held, tally.rejected].map(|n| (thousands(n), percent(share(n, tally.comments()))))
        };
        Self {
            ham: row(seen.ham),
            spam: row(seen.spam),
            ham_all: thousands(seen.ham.comments()),
            spam_all: thousands(seen.spam.comments()),
        }
    }
}

/// One mistake as it is shown.
pub struct Shown {
    pub what: &'static str,
    pub said: &'static str,
    pub body: Html,
    pub spam: Vec<Html>,
    pub ham: Vec<Html>,
}

impl Shown {
    pub fn of(mistake: &Mistake<'_>) -> Self {
        let reasons = Reasons::of(&mistake.decision);
        let cut = excerpt(mistake.body, &reasons.needles(), BODY_CHARS_MAX).dotted("…", str::to_owned);
        let side = |reasons: &[crate::view::reasons::Reason]| {
            reasons.iter().take(REASONS_MAX).map(|reason| safe::line(&excerpt(&reason.text, &[], 120).dotted("…", str::to_owned))).collect()
        };
        Self {
            what: what(mistake.label, mistake.decision.verdict),
            said: said(mistake.decision.score.unwrap_or(0.5)),
            body: safe::line(&cut),
            spam: side(&reasons.spam),
            ham: side(&reasons.ham),
        }
    }
}

fn what(label: Label, verdict: Verdict) -> &'static str {
    match (label, verdict) {
        (Label::Spam, Verdict::Publish) => "Spam, published",
        (Label::Spam, Verdict::Hold) => "Spam, held",
        (Label::Spam, Verdict::Reject) => "Spam, rejected",
        (Label::Ham, Verdict::Publish) => "Ham, published",
        (Label::Ham, Verdict::Hold) => "Ham, held",
        (Label::Ham, Verdict::Reject) => "Ham, rejected",
    }
}

/// A probability in words, since a bare percentage of one comment says more than anybody knows.
fn said(probability: f64) -> &'static str {
    match probability {
        p if p < 0.01 => "surely ham",
        p if p < 0.25 => "likely ham",
        p if p < 0.5 => "ham, near the line",
        p if p < 0.75 => "spam, near the line",
        p if p < 0.99 => "likely spam",
        _ => "surely spam",
    }
}

/// How many of all mistakes are shown.
pub fn told(page: &ReportPage<'_>) -> String {
    let seen = page.standing.seen;
    let all = seen.spam.published + seen.ham.rejected;
    let counted = format!("{} spam published, {} ham rejected", thousands(seen.spam.published), thousands(seen.ham.rejected));
    let wrong = |mistake: &&Mistake<'_>| {
        matches!((mistake.label, mistake.decision.verdict), (Label::Spam, Verdict::Publish) | (Label::Ham, Verdict::Reject))
    };
    let shown = page.mistakes.iter().filter(wrong).count();
    let rest = if shown < all { format!("the {shown} that were surest") } else { "all of them".to_owned() };
    let near = if page.mistakes.len() > shown { ", then those that leant the wrong way and were held" } else { "" };
    match (all, page.mistakes.is_empty()) {
        (_, true) => "Not one comment leant the wrong way.".to_owned(),
        (0, false) => {
            "None was published or rejected wrongly. These leant the wrong way and were held for a person; links are dead.".to_owned()
        }
        _ => format!("{counted}: {rest}{near}. Links are dead and hidden characters shown; names are left out."),
    }
}
