//! DNS lists: what it is worth that others list the address or a domain. Never a rejection: such lists hold whole networks of innocents, and
//! who keeps them is not asked by this blog's people.

use super::{Case, Effect, Finding};

/// A list, as far as rules know it.
#[derive(Debug, Clone, PartialEq)]
pub struct DnsList {
    pub name: String,
    /// `Evidence` or `Hold`.
    pub effect: Effect,
    /// Within ±[`super::LOG_ODDS_MAX`]; 0 where it holds.
    pub log_odds: f64,
    pub reason: String,
}

const CODE: &str = "dns_list:";

/// One finding for each list that it is on.
pub fn listed(case: &Case<'_>, findings: &mut Vec<Finding>) {
    for list in case.settings.dns_lists.iter().filter(|list| case.facts.dns_lists.contains(&list.name)) {
        let finding = Finding::new(format!("{CODE}{}", list.name), list.effect, list.reason.clone());
        findings.push(Finding { log_odds: list.log_odds, ..finding });
    }
}

/// The lists that a decision found the comment on: nobody can be asked again how it was then.
pub fn dns_lists_of(findings: &[Finding]) -> Vec<String> {
    findings.iter().filter_map(|finding| finding.code.strip_prefix(CODE)).map(str::to_owned).collect()
}
