//! Author: what the site and the past say of who wrote it. Only an identity that the site vouches for is trusted; an email address is
//! a claim anybody can make, so its record nudges and no more.

use super::{Case, Effect, Finding, LOG_ODDS_MAX};

/// Roles with which a site tells that it knows the author as one of its own.
const STAFF_ROLES: [&str; 7] = ["administrator", "admin", "editor", "author", "moderator", "owner", "staff"];

/// One of the site's own people.
pub fn role(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(role) = &case.comment.author.role else { return };
    if STAFF_ROLES.iter().any(|staff| role.eq_ignore_ascii_case(staff)) {
        findings.push(Finding::new("site_role", Effect::Trust, "written by one of the site's own people"));
    }
}

/// What became of earlier comments under this address: ln((spam + 1) / (published + 1)), bounded.
pub fn record(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let (published, spam) = (case.facts.author_published, case.facts.author_spam);
    if published + spam == 0 {
        return;
    }
    let log_odds = (f64::from(spam + 1) / f64::from(published + 1)).ln().clamp(-LOG_ODDS_MAX, LOG_ODDS_MAX);
    let text = match (published, spam) {
        (_, 0) => format!("{published} earlier published"),
        (0, _) => format!("{spam} earlier ruled spam"),
        _ => format!("{published} earlier published, {spam} ruled spam"),
    };
    findings.push(Finding { log_odds, ..Finding::new("author_record", Effect::Evidence, text) });
}
