//! Fields: what a site requires of a comment, and whether the address could be one. On by default; machines' trackbacks and
//! pingbacks are exempt from name and email; of the site's own people nothing is asked: it knows them, and what they send is trusted.

use super::{Case, Effect, Finding, author};
use crate::comment::Kind;
use crate::text::{is_invisible, trim_blank};
use email_address::{EmailAddress, Options};

/// Whether its author can be asked who they are.
fn is_asked(case: &Case<'_>) -> bool {
    case.comment.kind == Kind::Comment && !author::is_staff(case.comment)
}

/// A required field is absent, blank or invisible.
pub fn missing(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let by_person = is_asked(case);
    let author = &case.comment.author;
    if by_person && case.settings.require_name && author.name.is_none() {
        findings.push(Finding::new("field_missing:name", Effect::Reject, "no name"));
    }
    if by_person && case.settings.require_email && author.email.is_none() {
        findings.push(Finding::new("field_missing:email", Effect::Reject, "no email address"));
    }
    if trim_blank(&case.comment.body).is_empty() && !author::is_staff(case.comment) {
        findings.push(Finding::new("field_missing:body", Effect::Reject, "no text"));
    }
}

/// Where an address is required, what is given must be one.
pub fn invalid(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let required = is_asked(case) && case.settings.require_email;
    let Some(email) = &case.comment.author.email else { return };
    if let (true, Err(problem)) = (required, check_email(email)) {
        findings.push(Finding::new("field_invalid:email", Effect::Reject, format!("the email address {problem}")));
    }
}

/// Why a text is no bare address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailProblem {
    #[error("is longer than 254 characters")]
    TooLong,
    #[error("has no @ between a name and a domain")]
    NoAt,
    #[error("has more than 64 characters before the @")]
    LocalTooLong,
    #[error("has a domain label that is empty, too long or not a label")]
    BadLabel,
    #[error("is not a bare address like ana@example.org")]
    NotBare,
}

/// A bare address by RFC 5321 and 5322 as people use them, internationalised (RFC 6531) included: at most 254 characters, 64 before
/// the @, labels of 1 to 63, a domain with a dot. Display names, brackets, comments, quoted local parts and address literals are refused.
///
/// # Errors
/// [`EmailProblem`], the first found.
pub fn check_email(address: &str) -> Result<(), EmailProblem> {
    if address.chars().count() > 254 {
        return Err(EmailProblem::TooLong);
    }
    let (local, domain) = address.rsplit_once('@').ok_or(EmailProblem::NoAt)?;
    if local.is_empty() || domain.is_empty() {
        return Err(EmailProblem::NoAt);
    }
    if local.chars().count() > 64 {
        return Err(EmailProblem::LocalTooLong);
    }
    if !domain.split('.').all(is_label) {
        return Err(EmailProblem::BadLabel);
    }
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    let is_quoted = local.contains('"') || address.chars().any(|c| c.is_whitespace() || c.is_control() || is_invisible(c));
    if is_quoted || EmailAddress::parse_with_options(address, options).is_err() {
        return Err(EmailProblem::NotBare);
    }
    Ok(())
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.chars().count()) && !label.starts_with('-') && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_use_them_pass() {
        for good in ["ana@example.org", "a.b+tag@mail.example.co.uk", "o'brien@example.ie", "юля@почта.рф", "x@xn--80a.example", "1@a.io"]
        {
            assert_eq!(check_email(good), Ok(()), "{good}");
        }
        assert_eq!(check_email(&format!("{}@example.org", "a".repeat(64))), Ok(()));
        assert_eq!(check_email(&format!("a@{}.org", "b".repeat(63))), Ok(()));
    }

    #[test]
    fn what_is_no_bare_address_does_not() {
        use EmailProblem::*;
        for (bad, problem) in [
            ("ana", NoAt),
            ("@example.org", NoAt),
            ("ana@", NoAt),
            ("Ana <ana@example.org>", BadLabel),
            ("<ana@example.org>", NotBare),
            ("ana@localhost", NotBare),
            ("ana@[127.0.0.1]", BadLabel),
            ("ana@example..org", BadLabel),
            ("ana@-example.org", BadLabel),
            (".ana@example.org", NotBare),
            ("a na@example.org", NotBare),
            ("a\u{200b}na@example.org", NotBare),
            ("ana@example.org,bob@example.org", NotBare),
            ("\"ana\"@example.org", NotBare),
            ("a@b@example.org", NotBare),
            ("ana@example.org\r\nBcc: x@y.example", NotBare),
        ] {
            let found = check_email(bad).unwrap_err();
            assert!(found == problem || matches!((found, problem), (NotBare, BadLabel) | (BadLabel, NotBare)), "{bad}: {found:?}");
        }
        assert_eq!(check_email(&format!("{}@example.org", "a".repeat(65))), Err(LocalTooLong));
        assert_eq!(check_email(&format!("a@{}.org", "b".repeat(64))), Err(BadLabel));
        assert_eq!(check_email(&format!("a@{}", "b.".repeat(130) + "org")), Err(TooLong));
    }
}
