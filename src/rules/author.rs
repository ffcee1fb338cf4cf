//! Author: what the site and the past say of who wrote it. Only an identity that the site vouches for is trusted; an email address is
//! a claim anybody can make, so its record nudges and no more.

use super::{Case, Effect, Finding, LOG_ODDS_MAX};
use crate::comment::Comment;
use std::time::Duration;

/// Roles with which a site tells that it knows the author as one of its own.
const STAFF_ROLES: [&str; 7] = ["administrator", "admin", "editor", "author", "moderator", "owner", "staff"];

/// When a member is trusted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// So many comments published; 0 trusts no member.
    pub published_min: u32,
    /// The first of them so long ago.
    pub known_min: Duration,
}

pub(super) fn is_staff(comment: &Comment) -> bool {
    comment.author.role.as_ref().is_some_and(|role| STAFF_ROLES.iter().any(|staff| role.eq_ignore_ascii_case(staff)))
}

/// One of the site's own people.
pub fn role(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if is_staff(case.comment) {
        findings.push(Finding::new("site_role", Effect::Trust, "written by one of the site's own people"));
    }
}

/// A member of the site with a long and clean record. The record is of comments that came while the site vouched for the member: what
/// strangers sent under the same address is no part of it. One ruling against them ends the trust.
pub fn member(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let settings = &case.settings.member;
    let Some(record) = case.facts.member.filter(|_| settings.published_min > 0 && !is_staff(case.comment)) else { return };
    if record.published >= settings.published_min && record.unwanted == 0 && record.known_for >= settings.known_min {
        let days = record.known_for.as_secs() / 86_400;
        let reason = format!("a member of the site for {days} days, {} comments published", record.published);
        findings.push(Finding::new("site_member", Effect::Trust, reason));
    }
}

/// What became of earlier comments under this address: ln((spam + 1) / (published + 1)), bounded. What people removed was no spam, yet it
/// takes one published comment away each.
pub fn record(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let (published, spam, removed) = (case.facts.author_published, case.facts.author_spam, case.facts.author_removed);
    if published + spam + removed == 0 {
        return;
    }
    let good = published.saturating_sub(removed);
    let log_odds = (f64::from(spam + 1) / f64::from(good + 1)).ln().clamp(-LOG_ODDS_MAX, LOG_ODDS_MAX);
    let counts = [(published, "published"), (spam, "ruled spam"), (removed, "removed")];
    let told: Vec<String> = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let text = format!("earlier comments of this author: {}", told.join(", "));
    findings.push(Finding { log_odds, ..Finding::new("author_record", Effect::Evidence, text) });
}

#[cfg(test)]
mod tests {
    use super::super::tests::{expect, nobody, submission};
    use super::*;
    use crate::comment::{Facts, MemberRecord, Submission};

    const DAY: Duration = Duration::from_hours(24);

    fn check(facts: &Facts, role: Option<&str>, expected: &[(&str, Effect)]) {
        let settings = super::super::Settings { member: Settings { published_min: 10, known_min: 30 * DAY }, ..Default::default() };
        let comment = Submission { role: role.map(str::to_owned), ..submission("Thank you.") };
        expect(comment, facts, &settings, |comment| comment, expected);
    }

    #[test]
    fn a_member_is_trusted_after_a_long_clean_record_and_an_address_never() {
        let record =
            |published, unwanted, days| Facts { member: Some(MemberRecord { published, unwanted, known_for: days * DAY }), ..nobody() };
        check(&record(10, 0, 30), Some("subscriber"), &[("site_member", Effect::Trust)]);
        for short in [record(9, 0, 30), record(10, 0, 29), record(10, 1, 30), nobody()] {
            check(&short, Some("subscriber"), &[]);
        }
        check(&record(10, 0, 30), Some("editor"), &[("site_role", Effect::Trust)]);
        let claimed = Facts { author_published: 20, ..nobody() };
        check(&claimed, None, &[("author_record", Effect::Evidence)]);
    }

    #[test]
    fn a_record_nudges_within_its_bound_and_says_what_it_is() {
        let nudge = |author_published, author_spam, author_removed| {
            let facts = Facts { author_published, author_spam, author_removed, ..nobody() };
            let finding = super::super::tests::findings(submission("hi"), &facts, &super::super::Settings::default()).pop().unwrap();
            (finding.text, (finding.log_odds * 100.0).round() / 100.0)
        };
        let told = |counts: &str| format!("earlier comments of this author: {counts}");
        assert_eq!(nudge(1, 0, 0), (told("1 published"), -0.69));
        assert_eq!(nudge(20, 0, 0), (told("20 published"), -2.0));
        assert_eq!(nudge(0, 20, 0), (told("20 ruled spam"), 2.0));
        assert_eq!(nudge(3, 1, 2), (told("3 published, 1 ruled spam, 2 removed"), 0.0));
        assert_eq!(nudge(0, 0, 5), (told("5 removed"), 0.0));
    }
}
