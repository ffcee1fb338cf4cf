//! Flood: more at once than people write. One address may be a school and one network a carrier, and an email address is anybody's claim:
//! only what one address could not do with a class of thirty behind it is rejected, and the site's own people never are.

use super::{Case, Effect, Finding};
use crate::comment::Lately;

/// Too many comments of one source just now.
pub fn flood(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let (lately, limits) = (case.facts.lately, case.settings.recent);
    let is_vouched_for = case.comment.author.role.is_some();
    let address = match lately.from_address {
        n if n >= limits.flood_address_reject && !is_vouched_for => Some(Effect::Reject),
        n if n >= limits.flood_address_hold => Some(Effect::Hold),
        _ => None,
    };
    let holds = |is_flood: bool| is_flood.then_some(Effect::Hold);
    let sources = [
        ("address", "from this address", lately.from_address, address),
        ("network", "from this network", lately.from_network, holds(lately.from_network >= limits.flood_network_hold)),
        ("email", "under this email address", lately.under_email, holds(lately.under_email >= limits.flood_email_hold)),
    ];
    for (about, whence, before, effect) in sources {
        let reason = || format!("comment number {} {whence} in {} minutes", before + 1, Lately::FLOOD_WINDOW.as_secs() / 60);
        findings.extend(effect.map(|effect| Finding::new(format!("flood:{about}"), effect, reason())));
    }
}

/// Much is written on this page. It weighs nothing: no labelled comments tell which way a busy page leans.
pub fn busy_page(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let before = case.facts.lately.on_page;
    if before >= case.settings.recent.busy_page_comments {
        let reason = format!("comment number {} on this page in {} minutes", before + 1, Lately::FLOOD_WINDOW.as_secs() / 60);
        findings.push(Finding::new("busy_page", Effect::Evidence, reason));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{expect, nobody, submission};
    use super::super::{Recent, Settings};
    use super::*;
    use crate::comment::{Facts, Submission};

    fn check(lately: Lately, role: Option<&str>, expected: &[(&str, Effect)]) {
        let recent = Recent {
            flood_address_hold: 10,
            flood_address_reject: 100,
            flood_network_hold: 60,
            flood_email_hold: 10,
            busy_page_comments: 60,
            ..Recent::default()
        };
        let comment = Submission { role: role.map(str::to_owned), ..submission("I agree with the second point.") };
        let (facts, settings) = (Facts { lately, ..nobody() }, Settings { recent, ..Settings::default() });
        expect(comment, &facts, &settings, |comment| comment, expected);
    }

    #[test]
    fn floods_are_held_and_only_what_one_address_cannot_do_is_rejected() {
        let address = |from_address| Lately { from_address, ..Lately::default() };
        check(address(9), None, &[]);
        check(address(10), None, &[("flood:address", Effect::Hold)]);
        check(address(100), None, &[("flood:address", Effect::Reject)]);
        check(address(100_000), Some("member"), &[("flood:address", Effect::Hold)]);
        let many = Lately { from_network: 1_000_000, under_email: 1_000_000, on_page: 1_000_000, ..Lately::default() };
        let expected = [("flood:network", Effect::Hold), ("flood:email", Effect::Hold), ("busy_page", Effect::Evidence)];
        check(many, None, &expected);
        check(Lately { on_page: 59, from_network: 59, under_email: 9, ..Lately::default() }, None, &[]);
    }
}
