//! Rules: what can be said of a comment without counting words. A closed table of small pure functions, in the order people read
//! their findings. A rule finds and explains; it never decides (see `decision`), and what it needs of the past comes in as `Facts`.

mod alike;
mod author;
mod dns;
mod fields;
mod flood;
mod form;
mod links;
pub mod lists;
mod name;
mod page;
mod signs;

pub use alike::{DISCARD, span};
pub use author::Settings as Member;
pub use dns::{DnsList, dns_lists_of};
pub use fields::{EmailProblem, Field, check_email};
pub use form::{Honeypot, Settings as Form};
pub use links::{Settings as Domains, domains_of};
pub use page::Settings as Page;

use crate::comment::{Comment, Facts};
use crate::text::Reading;
use lists::List;
use std::sync::Arc;

/// What a finding does to the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Decides: rejected, whatever the score.
    Reject,
    /// Cannot be published without a person.
    Hold,
    /// Weighs: what the comment alone shows is an input of the classifier, what facts show adds `log_odds` after it.
    Evidence,
    /// The site vouches for it: published unless something rejects.
    Trust,
}

impl Effect {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Hold => "hold",
            Self::Evidence => "evidence",
            Self::Trust => "trust",
        }
    }
}

/// One rule's result.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule, and after a colon what it is about: `field_missing:name`.
    pub code: String,
    pub effect: Effect,
    /// A short reason for a person. It quotes the comment only where it must, and never an address.
    pub text: String,
    /// Weight after the stack, in log-odds of spam; within ±[`LOG_ODDS_MAX`], or ±[`CAMPAIGN_LOG_ODDS_MAX`], 0 where the classifier already weighs it.
    pub log_odds: f64,
    /// What of a list was found: counted in the store and shown to admins only, since it may be an address.
    pub entries: Vec<String>,
}

/// Facts nudge, they do not rule: all of them together move the odds by at most e^2, about sevenfold, like the prior tracker's cap.
pub const LOG_ODDS_MAX: f64 = 2.0;

/// What people said of the same text or of near-copies is no nudge: all of it together moves the odds by at most e^4, about fiftyfold. It
/// takes a comment that the model thinks fine to the moderators, and one in doubt past them.
pub const CAMPAIGN_LOG_ODDS_MAX: f64 = 4.0;

/// What a site's admin sets.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub require_name: bool,
    pub require_email: bool,
    /// What else must be there.
    pub require: Vec<Field>,
    /// A comment with more links than this gets a finding.
    pub links_max: usize,
    /// Hold a comment with a link or an author url that is new of this author, unless the site knows where it leads.
    pub hold_first_link: bool,
    pub domains: Domains,
    pub form: Form,
    pub member: Member,
    pub page: Page,
    pub recent: Recent,
    pub lists: Vec<Arc<List>>,
    pub dns_lists: Vec<DnsList>,
}

impl Settings {
    /// Takes another state of a list, where these have one of its name.
    pub fn retake(&mut self, list: &Arc<List>) {
        let known = self.lists.iter_mut().filter(|known| known.spec.name == list.spec.name);
        known.for_each(|known| *known = Arc::clone(list));
    }
}

/// How many comments of the recent past are too many; see `config/default.toml`.
#[derive(Debug, Clone, Copy)]
pub struct Recent {
    pub flood_address_hold: u32,
    pub flood_address_reject: u32,
    pub flood_network_hold: u32,
    pub flood_email_hold: u32,
    pub busy_page_comments: u32,
    pub repeats_hold: u32,
    pub campaign_hold: u32,
}

impl Default for Recent {
    /// Below every layer: nothing is too many.
    fn default() -> Self {
        let never = u32::MAX;
        Self {
            flood_address_hold: never,
            flood_address_reject: never,
            flood_network_hold: never,
            flood_email_hold: never,
            busy_page_comments: never,
            repeats_hold: never,
            campaign_hold: never,
        }
    }
}

/// What a rule may look at.
pub struct Case<'a> {
    pub comment: &'a Comment,
    pub reading: &'a Reading,
    pub facts: &'a Facts,
    pub settings: &'a Settings,
}

type Rule = fn(&Case<'_>, &mut Vec<Finding>);

/// The table. A rule is one file and one line here.
const RULES: [(&str, Rule); 22] = [
    ("field_missing", fields::missing),
    ("field_invalid", fields::invalid),
    ("email_placeholder", fields::placeholder),
    ("name", name::shown),
    ("honeypot", form::honeypot),
    ("form_token", form::token),
    ("sign", signs::seen),
    ("flood", flood::flood),
    ("busy_page", flood::busy_page),
    ("repeated", alike::repeated),
    ("ruled_text", alike::ruled_text),
    ("campaign", alike::campaign),
    ("many_links", links::many),
    ("first_link", links::first),
    // After what a list of trust may take back.
    ("list", lists::listed),
    ("domain_ruled_spam", links::ruled_spam),
    ("page_asleep", page::asleep),
    ("off_topic", page::off_topic),
    ("site_role", author::role),
    ("site_member", author::member),
    ("author_record", author::record),
    ("dns_list", dns::listed),
];

/// Every finding, in the order of the table.
pub fn apply(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, rule) in RULES {
        rule(case, &mut findings);
    }
    findings
}

impl Finding {
    /// Tells of rulings on the same text or on near-copies: weighs within [`CAMPAIGN_LOG_ODDS_MAX`].
    pub fn is_of_campaign(&self) -> bool {
        alike::OF_CAMPAIGN.contains(&self.code.as_str())
    }

    pub fn new(code: impl Into<String>, effect: Effect, text: impl Into<String>) -> Self {
        Self { code: code.into(), effect, text: text.into(), log_odds: 0.0, entries: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::comment::{Limits, Submission};
    use crate::dice::Dice;
    use crate::id::{CommentId, SiteId};

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-29T15:00:00Z").unwrap()
    }

    /// A comment of these rooms' tests: a body and nothing else.
    pub fn submission(body: &str) -> Submission {
        Submission { body: Some(body.into()), ..Submission::default() }
    }

    pub fn nobody() -> Facts {
        Facts::none(now())
    }

    pub fn parsed(submission: Submission) -> Comment {
        let limits = Limits { body_bytes_max: 10_000, field_bytes_max: 1_000, excerpt_bytes_max: 4_000 };
        Comment::parse(submission, CommentId::new(now(), &Dice::seeded(1)), SiteId::new("s"), now(), limits).unwrap()
    }

    fn findings_of(comment: &Comment, facts: &Facts, settings: &Settings) -> Vec<Finding> {
        apply(&Case { comment, reading: &Reading::of(&comment.body), facts, settings })
    }

    pub fn findings(submission: Submission, facts: &Facts, settings: &Settings) -> Vec<Finding> {
        findings_of(&parsed(submission), facts, settings)
    }

    /// Exactly this is found of a comment, after `with` changed what parsing does not give.
    pub fn expect(
        submission: Submission,
        facts: &Facts,
        settings: &Settings,
        with: impl Fn(Comment) -> Comment,
        expected: &[(&str, Effect)],
    ) {
        let comment = with(parsed(submission));
        let findings = findings_of(&comment, facts, settings);
        let found: Vec<(&str, Effect)> = findings.iter().map(|finding| (finding.code.as_str(), finding.effect)).collect();
        assert_eq!(found, expected, "{comment:?} {facts:?}");
    }

    fn ana(body: &str) -> Submission {
        Submission { name: Some("Ana".into()), email: Some("ana@mail.example".into()), ..submission(body) }
    }

    fn check(submission: Submission, facts: &Facts, expected: &[(&str, Effect)]) {
        let spec = lists::Spec::new("blocklist", lists::Kind::DisallowedKeys, Effect::Reject);
        let settings = Settings {
            require_name: true,
            require_email: true,
            links_max: 2,
            hold_first_link: true,
            lists: vec![Arc::new(List::read(spec, b"cialis\ncheap loans\nspam.example"))],
            ..Settings::default()
        };
        expect(submission, facts, &settings, |comment| comment, expected);
    }

    #[test]
    fn an_ordinary_comment_has_no_findings() {
        check(ana("I agree with the second point."), &nobody(), &[]);
    }

    #[test]
    fn name_email_and_body_are_asked_for() {
        let bare = Submission { body: Some("hi".into()), ..Submission::default() };
        check(bare.clone(), &nobody(), &[("field_missing:name", Effect::Reject), ("field_missing:email", Effect::Reject)]);
        check(Submission { kind: Some("pingback".into()), ..bare.clone() }, &nobody(), &[]);
        check(Submission { role: Some("editor".into()), ..bare }, &nobody(), &[("site_role", Effect::Trust)]);
        check(Submission { role: Some("editor".into()), ..submission("") }, &nobody(), &[("site_role", Effect::Trust)]);
        check(Submission { name: Some("\u{200b}\u{2800}".into()), ..ana("hi") }, &nobody(), &[("field_missing:name", Effect::Reject)]);
        check(Submission { email: Some("ana at home".into()), ..ana("hi") }, &nobody(), &[("field_invalid:email", Effect::Reject)]);
        check(ana(" \u{200b} "), &nobody(), &[("field_missing:body", Effect::Reject)]);
    }

    #[test]
    fn blocklists_match_whole_words_and_whole_domains() {
        let hit = [("list:blocklist", Effect::Reject)];
        check(ana("Buy CIALIS today"), &nobody(), &hit);
        check(ana("buy сialis"), &nobody(), &[("sign:mixed_scripts", Effect::Evidence), hit[0]]);
        check(ana("buy c1alis"), &nobody(), &[("sign:leet", Effect::Evidence), hit[0]]);
        check(ana("buy c i a l i s"), &nobody(), &[("sign:spaced_letters", Effect::Evidence), hit[0]]);
        check(ana("go to spam dot example"), &nobody(), &[("sign:disguised_link", Effect::Evidence), ("first_link", Effect::Hold), hit[0]]);
        check(ana("A specialist told me about socialism"), &nobody(), &[]);
        check(ana("cheap   loans here"), &nobody(), &hit);
        check(ana("cheap loansharks"), &nobody(), &[]);
        let known = Facts { author_published: 1, ..nobody() };
        check(
            Submission { role: Some("editor".into()), ..ana("see http://shop.spam.example/x") },
            &known,
            &[("list:blocklist", Effect::Reject), ("site_role", Effect::Trust), ("author_record", Effect::Evidence)],
        );
        check(ana("see http://notspam.example/x"), &known, &[("first_link", Effect::Hold), ("author_record", Effect::Evidence)]);
        check(Submission { name: Some("Cialis".into()), ..ana("hi there") }, &nobody(), &hit);
    }

    #[test]
    fn links_of_strangers_wait_for_a_person() {
        let held = ("first_link", Effect::Hold);
        check(ana("see http://a.example"), &nobody(), &[held]);
        check(Submission { url: Some("http://a.example".into()), ..ana("hi") }, &nobody(), &[held]);
        check(ana("http://a.example http://b.example and http://c.example"), &nobody(), &[("many_links", Effect::Evidence), held]);
        check(ana("see http://a.example"), &Facts { author_published: 3, ..nobody() }, &[held, ("author_record", Effect::Evidence)]);
        check(Submission { role: Some("editor".into()), ..ana("see http://a.example") }, &nobody(), &[("site_role", Effect::Trust)]);
    }
}
