//! Signs of the text as findings (see `text::signs`): one line of evidence each, so that people read what was seen. The classifier already
//! weighs them, so they add nothing to its score; the rates at which each is met are in `models/README.md`.

use super::{Case, Effect, Finding};
use crate::text::Sign;

/// Nothing but links is held: there is nothing that a reader could judge without following them.
pub fn seen(case: &Case<'_>, findings: &mut Vec<Finding>) {
    findings.extend(case.reading.signs.iter().map(|sign| {
        let effect = if sign == Sign::OnlyLinks { Effect::Hold } else { Effect::Evidence };
        Finding::new(format!("sign:{}", sign.code()), effect, sign.reason())
    }));
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::super::tests::{expect, nobody, submission};
    use super::*;
    use crate::comment::Submission;

    fn check(comment: Submission, expected: &[(&str, Effect)]) {
        expect(comment, &nobody(), &Settings { links_max: 9, ..Settings::default() }, |comment| comment, expected);
    }

    #[test]
    fn each_sign_is_one_finding() {
        check(submission("I agree with the second point."), &[]);
        let expected = [("sign:disguised_link", Effect::Evidence), ("sign:leet", Effect::Evidence)];
        check(submission("cheap v1agra at pills[.]example"), &expected);
    }

    #[test]
    fn nothing_but_links_waits_for_a_person_unless_the_site_trusts_its_author() {
        let held = ("sign:only_links", Effect::Hold);
        check(submission("http://a.example\n\u{200b} www.b.example !"), &[held]);
        check(submission("<a href=\"http://a.example\">look</a>"), &[held]);
        check(submission("look: http://a.example"), &[]);
        let staff = Submission { role: Some("editor".into()), ..submission("http://a.example") };
        check(staff, &[held, ("site_role", Effect::Trust)]);
    }
}
