//! Links: how many there are, and whether a stranger brings them. What links are worth is the classifier's to weigh.

use super::{Case, Effect, Finding};

/// More links than the site finds usual.
pub fn many(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let links = case.reading.links.len();
    if links > case.settings.links_max {
        findings.push(Finding::new("many_links", Effect::Evidence, format!("{links} links")));
    }
}

/// The first comment of an author, with a link in it or behind the name: a person looks once.
pub fn first(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let author = &case.comment.author;
    let is_stranger = case.facts.author_published == 0 && author.role.is_none();
    if !(case.settings.hold_first_link && is_stranger) {
        return;
    }
    let reason = if !case.reading.links.is_empty() {
        "first comment of this author, with a link"
    } else if author.url.is_some() {
        "first comment of this author, with a website"
    } else {
        return;
    };
    findings.push(Finding::new("first_link", Effect::Hold, reason));
}
