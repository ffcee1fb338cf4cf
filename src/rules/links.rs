//! Links: how many there are, whether a stranger brings them, and what became of others to the same domain. What links are worth by
//! their words is the classifier's to weigh; a domain alone never rejects, since anybody can put an innocent site's address into spam.

use super::author::is_staff;
use super::{Case, Effect, Finding};
use crate::comment::{Comment, DomainRecord};
use crate::text::{Link, Reading, domains};

/// What a site's admin sets of domains.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Domains that readers of this site link as a matter of course.
    pub known: Vec<String>,
    /// A domain becomes one of them by so many published comments; 0: never.
    pub published_min: u32,
}

/// Domains of one comment that are looked up; what links more is no stranger's reference, and the rest count as new.
const DOMAINS_MAX: usize = 8;

/// One friend is not enough to make a domain known.
const PUBLISHERS_MIN: u32 = 2;

/// Of nine published comments one ruled spam: a reference that spammers borrow now and then is still one.
const PUBLISHED_PER_SPAM_MIN: u32 = 9;

/// A domain nudges less than its author's record does: e^1.
const DOMAIN_LOG_ODDS_MAX: f64 = 1.0;

/// The domains that a comment, read before, links to and its author's website, each once, in the order they stand.
pub fn domains_of(comment: &Comment, reading: &Reading) -> Vec<String> {
    let mut found = Vec::new();
    let website = comment.author.url.as_deref().map(Link::parse);
    for link in website.iter().chain(&reading.links) {
        let domain = link.domain();
        if !domain.is_empty() && !found.iter().any(|known| known == domain) && found.len() < DOMAINS_MAX {
            found.push(domain.to_owned());
        }
    }
    found
}

/// More links than the site finds usual.
pub fn many(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let links = case.reading.links.len();
    if links > case.settings.links_max {
        findings.push(Finding::new("many_links", Effect::Evidence, format!("{links} links")));
    }
}

/// A link, or a website behind the name, that this author has not had published here and the site does not know: a person looks once. The
/// address alone opens nothing: whoever claims another's still brings a new link.
pub fn first(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let author = &case.comment.author;
    if !case.settings.hold_first_link || is_staff(case.comment) {
        return;
    }
    let is_new = |link: &Link| !fits(case, link);
    let author_is_new = case.facts.author_published == 0;
    let reason = match (case.reading.links.iter().any(is_new), author.url.as_deref().map(Link::parse).as_ref().is_some_and(is_new)) {
        (true, _) if author_is_new => "first comment of this author, with a link",
        (true, _) => "a link that this author has not had published before",
        (false, true) if author_is_new => "first comment of this author, with a website",
        (false, true) => "a website that this author has not had published before",
        (false, false) => return,
    };
    findings.push(Finding::new("first_link", Effect::Hold, reason));
}

/// A link to where the page is, to a domain the site knows, or to one that was published of the same author.
fn fits(case: &Case<'_>, link: &Link) -> bool {
    let domain = link.domain();
    if link.is_shortened() || domain.is_empty() {
        return false;
    }
    is_own(case, &link.host)
        || case.facts.domains.iter().any(|record| record.domain == domain && (record.by_author || is_known(case, record)))
}

/// A host of the page's domain, or one that the admin knows: the very host, or one below it.
fn is_own(case: &Case<'_>, host: &str) -> bool {
    let is_below = |known: &String| host.strip_suffix(known.as_str()).is_some_and(|sub| sub.is_empty() || sub.ends_with('.'));
    let page = case.comment.page.url.as_deref().map(Link::parse);
    case.settings.domains.known.iter().any(is_below) || page.is_some_and(|page| page.domain() == domains::registrable(host))
}

fn is_known(case: &Case<'_>, record: &DomainRecord) -> bool {
    let min = case.settings.domains.published_min;
    let is_clean = record.spam.saturating_mul(PUBLISHED_PER_SPAM_MIN) <= record.published;
    min > 0 && record.published >= min && record.publishers >= PUBLISHERS_MIN && is_clean
}

/// Of the comments that linked to a domain people ruled more spam than they published.
pub fn ruled_spam(case: &Case<'_>, findings: &mut Vec<Finding>) {
    // One spammer's video says nothing of the next person's.
    let tells = |domain: &str| !domains::is_everybodys(domain) && !is_own(case, domain);
    let suspects = case.facts.domains.iter().filter(|record| record.spam > record.published && tells(&record.domain));
    let Some(worst) = suspects.max_by_key(|record| record.spam - record.published) else { return };
    let log_odds = (f64::from(worst.spam + 1) / f64::from(worst.published + 1)).ln().min(DOMAIN_LOG_ODDS_MAX);
    let shown = worst.domain.replace('.', "[.]");
    let comments = if worst.spam == 1 { "comment" } else { "comments" };
    let reason = format!("{shown} stood in {} {comments} ruled spam, in {} published", worst.spam, worst.published);
    findings.push(Finding { log_odds, ..Finding::new("domain_ruled_spam", Effect::Hold, reason) });
}

#[cfg(test)]
mod tests {
    use super::super::tests::{expect, nobody, submission};
    use super::*;
    use crate::comment::{Facts, Submission};

    fn check(comment: Submission, facts: &Facts, expected: &[(&str, Effect)]) {
        let domains = Settings { known: vec!["wiki.example".into()], published_min: 3 };
        let settings = super::super::Settings { links_max: 9, hold_first_link: true, domains, ..Default::default() };
        expect(comment, facts, &settings, |comment| comment, expected);
    }

    fn record(domain: &str, published: u32, publishers: u32, spam: u32) -> DomainRecord {
        DomainRecord { domain: domain.into(), published, publishers, spam, by_author: false }
    }

    fn linked(records: &[DomainRecord]) -> Facts {
        Facts { domains: records.to_vec(), ..nobody() }
    }

    const HELD: [(&str, Effect); 1] = [("first_link", Effect::Hold)];

    #[test]
    fn links_to_the_page_s_own_site_and_to_known_references_are_no_stranger_s() {
        let on_page = |body: &str| Submission { page_url: Some("https://blog.coffee.example/kettle".into()), ..submission(body) };
        check(on_page("see http://www.coffee.example/other"), &nobody(), &[]);
        check(on_page("see http://tea.example/other"), &nobody(), &HELD);
        check(on_page("see http://coffee.example and http://tea.example"), &nobody(), &HELD);
        check(submission("see https://en.wiki.example/kettle"), &nobody(), &[]);
        check(submission("see https://notwiki.example/kettle"), &nobody(), &HELD);
    }

    #[test]
    fn a_domain_becomes_known_by_what_people_published_of_several_authors() {
        let comment = || submission("see http://tea.example/x");
        check(comment(), &linked(&[record("tea.example", 3, 2, 0)]), &[]);
        check(comment(), &linked(&[record("tea.example", 2, 2, 0)]), &HELD);
        check(comment(), &linked(&[record("tea.example", 30, 1, 0)]), &HELD);
        check(comment(), &linked(&[record("tea.example", 9, 5, 1)]), &[]);
        check(comment(), &linked(&[record("tea.example", 8, 5, 1)]), &HELD);
        let shortened = [("sign:shortened_link", Effect::Evidence), HELD[0]];
        check(submission("see http://bit.ly/x"), &linked(&[record("bit.ly", 30, 9, 0)]), &shortened);
    }

    #[test]
    fn whoever_claims_an_author_s_address_gains_no_link_by_it() {
        let known = |by_author| Facts { author_published: 9, ..linked(&[DomainRecord { by_author, ..record("ana.example", 1, 1, 0) }]) };
        let record = ("author_record", Effect::Evidence);
        check(submission("see http://ana.example/x"), &known(true), &[record]);
        check(submission("see http://pills.example/x"), &known(true), &[HELD[0], record]);
        check(Submission { url: Some("ana.example".into()), ..submission("hi") }, &known(true), &[record]);
        check(Submission { url: Some("ana.example".into()), ..submission("hi") }, &known(false), &[HELD[0], record]);
        check(Submission { role: Some("subscriber".into()), ..submission("see http://pills.example/x") }, &nobody(), &HELD);
    }

    #[test]
    fn a_domain_that_was_ruled_spam_holds_and_never_rejects() {
        let ruled = ("domain_ruled_spam", Effect::Hold);
        check(submission("see http://pills.example/x"), &linked(&[record("pills.example", 0, 0, 9)]), &[HELD[0], ruled]);
        check(submission("see http://shop.example/x"), &linked(&[record("shop.example", 3, 3, 3)]), &HELD);
        check(submission("see http://wiki.example/x"), &linked(&[record("wiki.example", 0, 0, 9)]), &[]);
    }

    #[test]
    fn where_everybody_has_pages_one_spammer_s_is_held_against_nobody() {
        let video = submission("my own talk: https://www.youtube.com/watch?v=abc");
        check(video, &linked(&[record("youtube.com", 0, 0, 9)]), &HELD);
        let blog = submission("as I wrote: https://ann.github.io/kettles");
        check(blog, &linked(&[record("ann.github.io", 0, 0, 1)]), &[HELD[0], ("domain_ruled_spam", Effect::Hold)]);
    }

    #[test]
    fn a_part_of_a_domain_may_be_known_alone() {
        let domains = Settings { known: vec!["en.wiki.example".into()], published_min: 3 };
        let settings = super::super::Settings { links_max: 9, hold_first_link: true, domains, ..Default::default() };
        let check = |body, expected: &[_]| expect(submission(body), &nobody(), &settings, |comment| comment, expected);
        check("see https://www.en.wiki.example/kettle", &[]);
        check("see https://m.en.wiki.example/kettle", &[]);
        check("see https://token.wiki.example/kettle", &HELD);
    }

    #[test]
    fn domains_are_read_once_each_and_not_without_end() {
        let of = |comment: Submission| {
            let comment = super::super::tests::parsed(comment);
            domains_of(&comment, &Reading::of(&comment.body))
        };
        assert_eq!(of(submission("a http://x.one.example/a http://y.one.example b.two.com")), ["one.example", "two.com"]);
        let site = Submission { url: Some("https://www.ana.example/".into()), ..submission("nothing else") };
        assert_eq!(of(site), ["ana.example"]);
        let many: String = (0..100).map(|number| format!("http://a{number}.example ")).collect();
        assert_eq!(of(submission(&many)).len(), DOMAINS_MAX);
    }
}
