//! Form: how the comment form was used. A site may sign when it showed the form and put a field into it that no person sees; what neither
//! tells is never held against a comment. Signing is `action`'s.

use super::{Case, Effect, Finding, author};
use crate::comment::{FormToken, Kind};
use std::time::Duration;

/// What a site's admin sets of its form.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// A comment without a good token waits for a person.
    pub require_token: bool,
    /// A form that was sent sooner waits for a person.
    pub age_min: Duration,
    /// A token that is older tells nothing any more.
    pub age_max: Duration,
    pub honeypot: Honeypot,
}

/// What happens to a comment whose hidden field was filled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Honeypot {
    Reject,
    Hold,
    #[default]
    Ignore,
}

impl Honeypot {
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "reject" => Some(Self::Reject),
            "hold" => Some(Self::Hold),
            "ignore" => Some(Self::Ignore),
            _ => None,
        }
    }
}

/// A token that says nothing true speaks for a script more than for a person, who may have left a page open over night or met a cache. The
/// weights are chosen, not measured: no public set has forms. e^1 makes of an even doubt a likely spam and never rejects by itself.
const FORGED_LOG_ODDS: f64 = 1.0;
const STALE_LOG_ODDS: f64 = 0.5;

/// A field that no person sees was filled. The site's own people are exempt: what fills it for them is their browser.
pub fn honeypot(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let effect = match case.settings.form.honeypot {
        Honeypot::Reject => Effect::Reject,
        Honeypot::Hold => Effect::Hold,
        Honeypot::Ignore => return,
    };
    if case.comment.form.honeypot_filled && !author::is_staff(case.comment) {
        findings.push(Finding::new("honeypot", effect, "a field was filled that people cannot see"));
    }
}

/// The form was sent at once, its token is bad, or there is none where there must be one.
pub fn token(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let form = &case.settings.form;
    match case.comment.form.token {
        FormToken::Absent if form.require_token && case.comment.kind == Kind::Comment => {
            findings.push(Finding::new("form_token_missing", Effect::Hold, "not sent by the site's form"));
        }
        FormToken::Absent => {}
        FormToken::Forged => findings.push(bad(case, FORGED_LOG_ODDS, "the form's token is not one of ours".to_owned())),
        FormToken::Shown(at) => {
            let age = case.comment.received_at.since(at);
            if age > form.age_max {
                findings.push(bad(case, STALE_LOG_ODDS, format!("the form was shown {} hours before", age.as_secs() / 3600)));
            } else if age < form.age_min {
                // Held and not rejected: somebody may paste what they wrote elsewhere, and a site may show a form anew with a fresh token.
                findings.push(Finding::new("form_too_fast", Effect::Hold, format!("sent {} s after the form was shown", age.as_secs())));
            }
        }
    }
}

/// Where a token is required a bad one is no better than none.
fn bad(case: &Case<'_>, log_odds: f64, reason: String) -> Finding {
    let effect = if case.settings.form.require_token { Effect::Hold } else { Effect::Evidence };
    Finding { log_odds, ..Finding::new("form_token_bad", effect, reason) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{expect, nobody, submission};
    use super::*;
    use crate::clock::Timestamp;
    use crate::comment::{Comment, Form, Submission};

    const HOUR_MS: i64 = 3_600_000;

    fn check(settings: Settings, token: FormToken, expected: &[(&str, Effect)]) {
        let settings = super::super::Settings { form: settings, ..Default::default() };
        let received_at = Timestamp::from_ms(100 * HOUR_MS);
        let with = |comment: Comment| Comment { received_at, form: Form { token, honeypot_filled: false }, ..comment };
        expect(submission("Thank you."), &nobody(), &settings, with, expected);
    }

    fn shown(ms_ago: i64) -> FormToken {
        FormToken::Shown(Timestamp::from_ms(100 * HOUR_MS - ms_ago))
    }

    #[test]
    fn a_form_takes_a_person_some_seconds_and_not_days() {
        let settings = Settings { age_min: Duration::from_secs(3), age_max: Duration::from_hours(48), ..Settings::default() };
        check(settings, FormToken::Absent, &[]);
        check(settings, shown(3_000), &[]);
        check(settings, shown(48 * HOUR_MS), &[]);
        check(settings, shown(2_999), &[("form_too_fast", Effect::Hold)]);
        check(settings, shown(-5_000), &[("form_too_fast", Effect::Hold)]);
        check(settings, shown(48 * HOUR_MS + 1), &[("form_token_bad", Effect::Evidence)]);
        check(settings, FormToken::Forged, &[("form_token_bad", Effect::Evidence)]);
    }

    #[test]
    fn a_site_may_require_its_form() {
        let settings = Settings { require_token: true, age_max: Duration::from_hours(48), ..Settings::default() };
        check(settings, FormToken::Absent, &[("form_token_missing", Effect::Hold)]);
        check(settings, FormToken::Forged, &[("form_token_bad", Effect::Hold)]);
        check(settings, shown(0), &[]);
        let all = super::super::Settings { form: settings, ..Default::default() };
        let pingback = Submission { kind: Some("pingback".into()), ..submission("They wrote of us.") };
        expect(pingback, &nobody(), &all, |comment| comment, &[]);
    }

    #[test]
    fn a_filled_honeypot_does_what_the_site_says() {
        let filled = Submission { honeypot: Some("x".into()), ..submission("Thank you.") };
        for (honeypot, expected) in [
            (Honeypot::Reject, vec![("honeypot", Effect::Reject)]),
            (Honeypot::Hold, vec![("honeypot", Effect::Hold)]),
            (Honeypot::Ignore, vec![]),
        ] {
            let settings = super::super::Settings { form: Settings { honeypot, ..Settings::default() }, ..Default::default() };
            expect(filled.clone(), &nobody(), &settings, |comment| comment, &expected);
            let editor = Submission { role: Some("Editor".into()), ..filled.clone() };
            expect(editor, &nobody(), &settings, |comment| comment, &[("site_role", Effect::Trust)]);
        }
    }
}
