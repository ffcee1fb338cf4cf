//! Fields: what a site requires of a comment, and whether the address could be one. On by default; machines' trackbacks and
//! pingbacks are exempt from all but the text; of the site's own people nothing is asked: it knows them, and what they send is trusted.

use super::{Case, Effect, Finding, author};
use crate::comment::{Comment, Kind};
use crate::text::{is_invisible, trim_blank};
use email_address::{EmailAddress, Options};

/// A field that a site may require beside name, address and text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Url,
    Ip,
    UserAgent,
    PageUrl,
    PageTitle,
}

impl Field {
    pub const ALL: [Self; 5] = [Self::Url, Self::Ip, Self::UserAgent, Self::PageUrl, Self::PageTitle];

    /// As a submission calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Ip => "ip",
            Self::UserAgent => "user_agent",
            Self::PageUrl => "page_url",
            Self::PageTitle => "page_title",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    fn is_in(self, comment: &Comment) -> bool {
        match self {
            Self::Url => comment.author.url.is_some(),
            Self::Ip => comment.author.ip.is_some(),
            Self::UserAgent => comment.author.user_agent.is_some(),
            Self::PageUrl => comment.page.url.is_some(),
            Self::PageTitle => comment.page.title.is_some(),
        }
    }

    fn is_missing(self) -> &'static str {
        match self {
            Self::Url => "no website",
            Self::Ip => "no IP address",
            Self::UserAgent => "no user agent",
            Self::PageUrl => "no address of the page",
            Self::PageTitle => "no title of the page",
        }
    }
}

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
    for field in case.settings.require.iter().filter(|field| by_person && !field.is_in(case.comment)) {
        findings.push(Finding::new(format!("field_missing:{}", field.name()), Effect::Reject, field.is_missing()));
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

/// People who would rather not give their address type one like these too, so it weighs little: one of 1,189 addresses that blogs' readers gave
/// was of such a domain. Local parts are no more than their hashes in that set, and no public spam has addresses.
const PLACEHOLDER_LOG_ODDS: f64 = 0.3;

/// An address that was typed because one was asked for. The domains reserved for examples are none: people test with them.
pub fn placeholder(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if case.comment.author.email.as_deref().is_some_and(is_placeholder) {
        let finding = Finding::new("email_placeholder", Effect::Evidence, "the email address looks made up");
        findings.push(Finding { log_odds: PLACEHOLDER_LOG_ODDS, ..finding });
    }
}

fn is_placeholder(email: &str) -> bool {
    const NO_ONE: [&str; 10] = ["noreply", "no-reply", "donotreply", "nobody", "noone", "none", "asdf", "asdfasdf", "qwerty", "no"];
    const NO_PLACE: [&str; 9] = ["test", "asdf", "none", "no", "nope", "nowhere", "fake", "noreply", "asd"];
    let email = email.to_lowercase();
    let Some((local, domain)) = email.rsplit_once('@') else { return false };
    let (place, ending) = domain.split_once('.').unwrap_or((domain, ""));
    let is_reserved = ["example", "test"].contains(&ending) || place == "example";
    // `test@test.com`, `a@a.com`, `no@no.no`: the same again because something had to stand there.
    !is_reserved && !ending.contains('.') && (local == place && local.len() < 6 || NO_ONE.contains(&local) || NO_PLACE.contains(&place))
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
    fn placeholders_are_told_from_addresses() {
        for made_up in ["test@test.com", "asdf@asdf.com", "no@no.no", "noreply@blog.org", "a@a.com", "me@nowhere.net", "Nobody@gmail.com"] {
            assert!(is_placeholder(made_up), "{made_up}");
        }
        for honest in
            ["ana@example.org", "example@example.com", "test@mail.example", "info@ana.org", "nora@nora-miller.org", "o.no@uni.ac.uk", "x"]
        {
            assert!(!is_placeholder(honest), "{honest}");
        }
    }

    #[test]
    fn a_site_may_ask_for_more() {
        use super::super::Settings;
        use super::super::tests::{expect, nobody, submission};
        use crate::comment::Submission;
        let settings = Settings { require: vec![Field::Url, Field::Ip], links_max: 9, ..Settings::default() };
        let check = |comment, expected: &[(&str, Effect)]| expect(comment, &nobody(), &settings, |comment| comment, expected);
        check(submission("hi"), &[("field_missing:url", Effect::Reject), ("field_missing:ip", Effect::Reject)]);
        check(
            Submission { url: Some(" ".into()), ip: Some("192.0.2.7".into()), ..submission("hi") },
            &[("field_missing:url", Effect::Reject)],
        );
        check(Submission { kind: Some("trackback".into()), ..submission("hi") }, &[]);
        assert!(Field::ALL.iter().all(|field| Field::parse(field.name()) == Some(*field)) && Field::parse("email").is_none());
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
