//! Alike: what became of comments like this one. A person's word on the very same text weighs most, on near-copies less, and the last word
//! counts. A shared link or contact proves nothing by itself, since anybody may name an innocent site: it asks for a person and no more.

use super::{CAMPAIGN_LOG_ODDS_MAX, Case, Effect, Finding};
use crate::clock::Timestamp;
use crate::comment::{Campaign, Rulings, Shared};
use std::time::Duration;

/// The finding under which a rejected comment may be dropped unseen: people ruled this very text spam so often, and never otherwise.
pub const DISCARD: &str = "ruled_text:spam_again";
const DISCARD_RULINGS_MIN: u32 = 3;

/// Less than the word "spam" weighs: who had a harmless text published may send it again with another website behind the name.
const PUBLISH_LOG_ODDS: f64 = -3.0;

/// Findings that weigh within [`CAMPAIGN_LOG_ODDS_MAX`].
pub const OF_CAMPAIGN: [&str; 4] = ["ruled_text:spam", DISCARD, "ruled_text:publish", "campaign:text"];

/// The same source says the same again.
pub fn repeated(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let before = case.facts.lately.repeats;
    if before >= case.settings.recent.repeats_hold {
        let reason = format!("the same text from the same source, {} times in a day", before + 1);
        findings.push(Finding::new("repeated", Effect::Hold, reason));
    }
}

/// People ruled on this very text.
pub fn ruled_text(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Rulings { spam, publish, is_last_spam } = case.facts.alike.same_text;
    if is_last_spam {
        let code = if spam >= DISCARD_RULINGS_MIN && publish == 0 { DISCARD } else { "ruled_text:spam" };
        let reason = format!("this very text was ruled spam{}", times(spam));
        findings.push(Finding { log_odds: CAMPAIGN_LOG_ODDS_MAX, ..Finding::new(code, Effect::Hold, reason) });
    } else if publish > 0 {
        let reason = format!("this very text was published by a person{}", times(publish));
        findings.push(Finding { log_odds: PUBLISH_LOG_ODDS, ..Finding::new("ruled_text:publish", Effect::Evidence, reason) });
    }
}

/// Near-copies of its text, and comments that share a link or a contact with it.
pub fn campaign(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let (now, hold_from) = (case.facts.now, case.settings.recent.campaign_hold);
    if let Some(text) = &case.facts.alike.text {
        let Rulings { spam, publish, is_last_spam } = text.rulings;
        let share = f64::from(spam) / f64::from(spam + publish + 1);
        let log_odds = if is_last_spam { CAMPAIGN_LOG_ODDS_MAX * share } else { 0.0 };
        // Where people published more than they called spam, the others are judged by their own words: near-copies may differ in what matters. One
        // slip of the hand that was taken back must not free a campaign.
        if spam > 0 && (is_last_spam || spam >= publish) || publish == 0 && text.size >= hold_from {
            findings.push(Finding { log_odds, ..Finding::new("campaign:text", Effect::Hold, told(text, now)) });
        }
    }
    if let Some(mark) = &case.facts.alike.mark {
        // What mostly gets published, and is left so, is no rare link, whatever one comment with it was.
        let is_common = mark.published.saturating_sub(mark.rulings.spam).max(mark.rulings.publish) * 2 > mark.size;
        let is_undecided = mark.rulings.publish == 0 && mark.size >= hold_from;
        if (mark.rulings.is_last_spam || is_undecided) && !is_common {
            findings.push(Finding::new(format!("campaign:{}", mark.shared.as_str()), Effect::Hold, told(mark, now)));
        }
    }
}

/// One of 14 near-copies from about 9 sources in 2 hours, 3 ruled spam.
pub fn told(campaign: &Campaign, now: Timestamp) -> String {
    let what = match campaign.shared {
        Shared::Text => "near-copies".to_owned(),
        shared @ (Shared::Link | Shared::Phone | Shared::Mail | Shared::Name | Shared::Code) => {
            format!("comments with the same {}", shared.words())
        }
    };
    let sources = match campaign.sources {
        0 => String::new(),
        1 => " from one source".to_owned(),
        n => format!(" from about {n} sources"),
    };
    let rulings = [(campaign.rulings.spam, "spam"), (campaign.rulings.publish, "publish")];
    let rulings: String = rulings.iter().filter(|(n, _)| *n > 0).map(|(n, ruling)| format!(", {n} ruled {ruling}")).collect();
    format!("one of {} {what}{sources} in {}{rulings}", campaign.size + 1, span(now.since(campaign.first_at)))
}

/// In the largest unit that is full twice, so that "90 minutes" is not "1 hour".
pub fn span(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match minutes {
        0 | 1 => "under 2 minutes".to_owned(),
        m if m < 120 => format!("{m} minutes"),
        m if m < 48 * 60 => format!("{} hours", m / 60),
        m => format!("{} days", m / (24 * 60)),
    }
}

fn times(n: u32) -> String {
    if n > 1 { format!(", {n} times") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{expect, findings, nobody, submission};
    use super::super::{Recent, Settings};
    use super::*;
    use crate::comment::{Alike, Facts, Lately};
    use crate::id::CampaignId;

    const BODY: &str = "I agree with the second point.";

    fn settings() -> Settings {
        Settings { recent: Recent { repeats_hold: 2, campaign_hold: 5, ..Recent::default() }, ..Settings::default() }
    }

    fn check(facts: &Facts, expected: &[(&str, Effect)]) {
        expect(submission(BODY), facts, &settings(), |comment| comment, expected);
    }

    fn campaign(shared: Shared, size: u32, published: u32, rulings: Rulings) -> Campaign {
        let last_at = nobody().now;
        let first_at = last_at.minus(Duration::from_mins(150));
        Campaign { id: CampaignId(1), shared, size, published, sources: 9, first_at, last_at, rulings }
    }

    fn ruled(spam: u32, publish: u32, is_last_spam: bool) -> Rulings {
        Rulings { spam, publish, is_last_spam }
    }

    #[test]
    fn the_same_from_the_same_source_is_held_the_third_time() {
        let check =
            |repeats, expected: &[(&str, Effect)]| check(&Facts { lately: Lately { repeats, ..Lately::default() }, ..nobody() }, expected);
        check(1, &[]);
        check(2, &[("repeated", Effect::Hold)]);
    }

    #[test]
    fn what_people_said_of_the_very_same_text_counts_by_the_last_word() {
        let check = |rulings, expected| check(&Facts { alike: Alike { same_text: rulings, ..Alike::default() }, ..nobody() }, &[expected]);
        check(ruled(1, 0, true), ("ruled_text:spam", Effect::Hold));
        check(ruled(3, 0, true), ("ruled_text:spam_again", Effect::Hold));
        check(ruled(9, 1, true), ("ruled_text:spam", Effect::Hold));
        check(ruled(9, 1, false), ("ruled_text:publish", Effect::Evidence));
    }

    #[test]
    fn near_copies_are_held_when_many_or_ruled_spam() {
        let held = [("campaign:text", Effect::Hold)];
        let near =
            |size, rulings| Facts { alike: Alike { text: Some(campaign(Shared::Text, size, 0, rulings)), ..Alike::default() }, ..nobody() };
        check(&near(4, ruled(0, 0, false)), &[]);
        check(&near(5, ruled(0, 0, false)), &held);
        check(&near(5, ruled(0, 1, false)), &[]);
        check(&near(1, ruled(1, 0, true)), &held);
        check(&near(2, ruled(1, 1, false)), &held);
        check(&near(3, ruled(1, 2, false)), &[]);
        let weights = [1, 3, 99].map(|spam| findings(submission(BODY), &near(1, ruled(spam, 0, true)), &settings()).remove(0).log_odds);
        assert_eq!(format!("{weights:?}"), "[2.0, 3.0, 3.96]");
    }

    #[test]
    fn a_shared_link_or_contact_asks_for_a_person_and_weighs_nothing() {
        let held = [("campaign:phone", Effect::Hold)];
        let mark = |size, published, rulings| {
            let mark = Some(campaign(Shared::Phone, size, published, rulings));
            Facts { alike: Alike { mark, ..Alike::default() }, ..nobody() }
        };
        check(&mark(1, 0, ruled(1, 0, true)), &held);
        check(&mark(9, 9, ruled(9, 0, true)), &held);
        check(&mark(9, 6, ruled(1, 0, true)), &[]);
        check(&mark(9, 0, ruled(1, 5, true)), &[]);
        check(&mark(5, 0, ruled(0, 0, false)), &held);
        check(&mark(5, 0, ruled(0, 1, false)), &[]);
        let told = findings(submission(BODY), &mark(14, 0, ruled(3, 0, true)), &settings()).remove(0);
        let text = "one of 15 comments with the same telephone number from about 9 sources in 2 hours, 3 ruled spam";
        assert_eq!((told.text.as_str(), told.log_odds), (text, 0.0));
    }
}
