//! A comment, from the raw submission to the parsed thing that everybody else reads.
//! Parsing trims, bounds and types; it never judges: what a site requires is the rules' matter.

use crate::clock::Timestamp;
use crate::id::{CampaignId, CommentId, SiteId};
use crate::text;
use std::net::IpAddr;
use std::time::Duration;

/// What a site sent: raw, untrusted. A field is absent, or whatever the sender wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Submission {
    pub name: Option<String>,
    pub email: Option<String>,
    pub url: Option<String>,
    pub body: Option<String>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub page_url: Option<String>,
    pub page_title: Option<String>,
    /// What the page is about: its beginning, its tags, or all of it.
    pub page_excerpt: Option<String>,
    pub page_published_at: Option<String>,
    pub parent_id: Option<String>,
    pub parent_body: Option<String>,
    pub kind: Option<String>,
    pub role: Option<String>,
    pub submitted_at: Option<String>,
    pub form_token: Option<String>,
    /// What stood in a field that no person sees.
    pub honeypot: Option<String>,
    /// Where an Akismet client wants to hear if the word on it changes.
    pub callback: Option<String>,
}

/// A submission that was parsed: bounded, trimmed, typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    pub id: CommentId,
    pub site: SiteId,
    pub received_at: Timestamp,
    pub submitted_at: Option<Timestamp>,
    pub kind: Kind,
    pub author: Author,
    /// As it was sent; people must see what was written, so nothing is folded here.
    pub body: String,
    pub page: Page,
    pub parent_id: Option<String>,
    /// The beginning of the comment that it answers, where the site sent it.
    pub parent_body: Option<String>,
    pub form: Form,
    /// Where an Akismet client wants to hear if the word on it changes.
    pub callback: Option<String>,
}

/// Who says to have written it. Everything here is a claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Author {
    pub name: Option<String>,
    pub email: Option<String>,
    pub url: Option<String>,
    pub ip: Option<IpAddr>,
    pub user_agent: Option<String>,
    /// The role that the *site* vouches for (`administrator`, `member`); absent for strangers.
    pub role: Option<String>,
}

/// Where it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub url: Option<String>,
    pub title: Option<String>,
    /// The beginning of what it says.
    pub excerpt: Option<String>,
    pub published_at: Option<Timestamp>,
}

/// How the form it was written in was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Form {
    pub token: FormToken,
    /// Something stood in the field that no person sees. What it was is nobody's matter.
    pub honeypot_filled: bool,
}

/// What the form's token told; reading it takes a key, so the flow does it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FormToken {
    #[default]
    Absent,
    /// Not one of ours, or another site's.
    Forged,
    /// The form was shown then.
    Shown(Timestamp),
}

/// What was sent. Machines send trackbacks and pingbacks: no name or email can be asked of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Comment,
    Trackback,
    Pingback,
}

impl Kind {
    /// An unknown kind is a comment: forums and forms have names of their own for it.
    pub fn parse(kind: Option<&str>) -> Self {
        match kind.map(str::to_ascii_lowercase).as_deref() {
            Some("trackback") => Self::Trackback,
            Some("pingback") => Self::Pingback,
            _ => Self::Comment,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Trackback => "trackback",
            Self::Pingback => "pingback",
        }
    }
}

/// What the past says of a comment, and the present time. One read of the store gives it for a whole batch; of recent comments it is
/// remembered (see `traffic` and `campaign`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub now: Timestamp,
    /// Comments under this email address on this site that stand published.
    pub author_published: u32,
    /// Comments under this email address on this site that people ruled spam.
    pub author_spam: u32,
    /// Comments under this email address on this site that people removed for another reason.
    pub author_removed: u32,
    /// What the site's member has written before; only asked where the site vouches for a role.
    pub member: Option<MemberRecord>,
    /// Each domain that the comment links to, and its author's website.
    pub domains: Vec<DomainRecord>,
    /// Nothing was published on the page since this long before the comment; none where that was not asked.
    pub page_quiet: Option<Duration>,
    /// The comment that it answers, where that is one of ours.
    pub parent_body: Option<String>,
    /// DNS lists that it is on, by the names that the settings give them.
    pub dns_lists: Vec<String>,
    pub lately: Lately,
    pub alike: Alike,
}

/// Earlier comments under one address that came while the site vouched for their author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberRecord {
    /// Since the first of them.
    pub known_for: Duration,
    /// Of the latest, those that stand published,
    pub published: u32,
    /// and those that people ruled spam or removed.
    pub unwanted: u32,
}

/// What became of the latest comments of the site that link to one domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DomainRecord {
    pub domain: String,
    /// Published by a person's ruling, or of an author the site vouches for: what the filter let through by itself proves nothing.
    pub published: u32,
    /// Authors of these.
    pub publishers: u32,
    pub spam: u32,
    /// A comment under the same email address with this domain stands published.
    pub by_author: bool,
}

impl Facts {
    /// Nothing is known: a first comment, or a score made away from any store.
    pub fn none(now: Timestamp) -> Self {
        Self {
            now,
            author_published: 0,
            author_spam: 0,
            author_removed: 0,
            member: None,
            domains: Vec::new(),
            page_quiet: None,
            parent_body: None,
            dns_lists: Vec::new(),
            lately: Lately::default(),
            alike: Alike::default(),
        }
    }
}

/// How many comments came to the site just before this one. Zero where the comment does not say what is counted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lately {
    pub from_address: u32,
    pub from_network: u32,
    pub under_email: u32,
    pub on_page: u32,
    /// The same text under the same email address; of a text that is not a mere phrase also from the same address.
    pub repeats: u32,
}

impl Lately {
    /// What floods are counted in. People who talk to one another write one comment a minute at most; machines do not wait.
    pub const FLOOD_WINDOW: Duration = Duration::from_mins(10);

    /// What repeats are counted in: who sends a text again after a day may have meant to.
    pub const REPEAT_WINDOW: Duration = Duration::from_hours(24);
}

/// What is known of comments that are like this one, on its site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Alike {
    /// Rulings on the very same text; none on a mere phrase, which many people write.
    pub same_text: Rulings,
    /// The campaign of near-copies of its text.
    pub text: Option<Campaign>,
    /// Of the campaigns that share a link or a contact with it, the one most ruled spam, else the largest.
    pub mark: Option<Campaign>,
}

/// A campaign as it stood before the comment at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Campaign {
    pub id: CampaignId,
    pub shared: Shared,
    pub size: u32,
    /// How many of them the machine published.
    pub published: u32,
    /// Different addresses, or email addresses where those are more; estimated.
    pub sources: u32,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub rulings: Rulings,
}

/// What the members of a campaign have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// Near-copies of one text.
    Text,
    Link,
    Phone,
    Mail,
    Name,
    Code,
}

impl Shared {
    pub const ALL: [Self; 6] = [Self::Text, Self::Link, Self::Phone, Self::Mail, Self::Name, Self::Code];

    /// One word of a finding's code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Link => "link",
            Self::Phone => "phone",
            Self::Mail => "mail",
            Self::Name => "name",
            Self::Code => "code",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shared| shared.as_str() == word)
    }

    /// As people call it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Link => "link",
            Self::Phone => "telephone number",
            Self::Mail => "mail address",
            Self::Name => "messenger name",
            Self::Code => "wallet or code",
        }
    }
}

/// How people ruled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rulings {
    pub spam: u32,
    pub publish: u32,
    /// The last of them said spam.
    pub is_last_spam: bool,
}

/// What a submission may weigh, in bytes of UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub body_bytes_max: usize,
    pub field_bytes_max: usize,
    /// What is kept of the page's and the parent's text; the rest is dropped.
    pub excerpt_bytes_max: usize,
}

/// Why a submission is no comment. The shell turns it into an answer that names field, limit and value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubmission {
    #[error("`body` is missing; send the comment's text as a string")]
    BodyMissing,
    #[error("`{field}` has {got} bytes, the limit is {limit}")]
    TooLong { field: &'static str, limit: usize, got: usize },
    #[error("`{field}` is {got:?}, which is no {expected}")]
    Malformed { field: &'static str, got: String, expected: &'static str },
}

/// How much of a malformed value an error repeats, in characters: enough to find it, too little to flood a log.
const QUOTE_CHARS_MAX: usize = 60;

impl Comment {
    /// Bounds, trims and types a submission. Its form token is not read here.
    ///
    /// # Errors
    /// [`InvalidSubmission`]: no body, a field over its limit, or an `ip` or a time that cannot be read.
    pub fn parse(
        submission: Submission,
        id: CommentId,
        site: SiteId,
        received_at: Timestamp,
        limits: Limits,
    ) -> Result<Self, InvalidSubmission> {
        let body = submission.body.ok_or(InvalidSubmission::BodyMissing)?;
        bounded("body", &body, limits.body_bytes_max)?;
        let field = |name, value| trimmed(name, value, limits.field_bytes_max);
        let ip = field("ip", submission.ip)?;
        let time = |name, value| typed(name, field(name, value)?, "RFC 3339 time", |text| Timestamp::parse(text).ok());
        let beginning = |name, value| -> Result<Option<String>, InvalidSubmission> {
            let text = trimmed(name, value, limits.body_bytes_max)?;
            Ok(text.map(|text| text::cut(&text, limits.excerpt_bytes_max).to_owned()))
        };
        Ok(Self {
            id,
            site,
            received_at,
            submitted_at: time("submitted_at", submission.submitted_at)?,
            kind: Kind::parse(field("type", submission.kind)?.as_deref()),
            author: Author {
                name: field("name", submission.name)?,
                email: field("email", submission.email)?,
                url: field("url", submission.url)?,
                ip: typed("ip", ip, "IP address", |text| text.parse().ok())?,
                user_agent: field("user_agent", submission.user_agent)?,
                role: field("role", submission.role)?,
            },
            body,
            page: Page {
                url: field("page_url", submission.page_url)?,
                title: field("page_title", submission.page_title)?,
                excerpt: beginning("page_excerpt", submission.page_excerpt)?,
                published_at: time("page_published_at", submission.page_published_at)?,
            },
            parent_id: field("parent_id", submission.parent_id)?,
            parent_body: beginning("parent_body", submission.parent_body)?,
            form: Form {
                token: FormToken::Absent,
                honeypot_filled: submission.honeypot.is_some_and(|value| !text::trim_blank(&value).is_empty()),
            },
            callback: field("callback", submission.callback)?,
        })
    }
}

fn bounded(field: &'static str, value: &str, limit: usize) -> Result<(), InvalidSubmission> {
    if value.len() > limit {
        return Err(InvalidSubmission::TooLong { field, limit, got: value.len() });
    }
    Ok(())
}

/// Blank after trimming is absent: an invisible name is no name.
fn trimmed(field: &'static str, value: Option<String>, limit: usize) -> Result<Option<String>, InvalidSubmission> {
    let Some(value) = value else { return Ok(None) };
    bounded(field, &value, limit)?;
    let trimmed = text::trim_blank(&value);
    Ok((!trimmed.is_empty()).then(|| trimmed.to_owned()))
}

fn typed<T>(
    field: &'static str,
    value: Option<String>,
    expected: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, InvalidSubmission> {
    let Some(value) = value else { return Ok(None) };
    let typed = read(&value);
    if typed.is_none() {
        let got = value.chars().take(QUOTE_CHARS_MAX).collect();
        return Err(InvalidSubmission::Malformed { field, got, expected });
    }
    Ok(typed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    const LIMITS: Limits = Limits { body_bytes_max: 100, field_bytes_max: 50, excerpt_bytes_max: 20 };

    fn parse(submission: Submission) -> Result<Comment, InvalidSubmission> {
        let now = Timestamp::from_ms(0);
        Comment::parse(submission, CommentId::new(now, &Dice::seeded(1)), SiteId::new("s"), now, LIMITS)
    }

    fn with_body() -> Submission {
        Submission { body: Some("hi".into()), ..Submission::default() }
    }

    #[test]
    fn blank_fields_are_absent_whatever_the_blank_is_made_of() {
        for blank in ["", "   ", "\u{a0}\u{2003}\t", "\u{200b}\u{200d}\u{feff}", "\u{3164}", "\u{2800}", "\u{ad}\u{180e}"] {
            let parsed = parse(Submission { name: Some(blank.into()), ..with_body() }).unwrap();
            assert_eq!(parsed.author.name, None, "{blank:?}");
        }
        let parsed = parse(Submission { name: Some("\u{200b} Ana \u{3000}".into()), ..with_body() }).unwrap();
        assert_eq!(parsed.author.name.as_deref(), Some("Ana"));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(parse(Submission::default()), Err(InvalidSubmission::BodyMissing));
        let long = Submission { body: Some("x".repeat(101)), ..Submission::default() };
        assert_eq!(parse(long), Err(InvalidSubmission::TooLong { field: "body", limit: 100, got: 101 }));
        let ip = parse(Submission { ip: Some("256.1.1.1".into()), ..with_body() }).unwrap_err();
        assert_eq!(ip.to_string(), "`ip` is \"256.1.1.1\", which is no IP address");
        let time = parse(Submission { submitted_at: Some("soon".into()), ..with_body() }).unwrap_err();
        assert_eq!(time.to_string(), "`submitted_at` is \"soon\", which is no RFC 3339 time");
    }

    #[test]
    fn of_a_page_and_a_parent_the_beginning_is_kept() {
        let text = |text: &str| Some(text.to_owned());
        let parsed =
            parse(Submission {
                page_excerpt: text(" How we brew coffee, and why "), parent_body: text("ééééééééééééé"), ..with_body()
            });
        let parsed = parsed.unwrap();
        assert_eq!(parsed.page.excerpt.as_deref(), Some("How we brew coffee, "));
        assert_eq!(parsed.parent_body.as_deref(), Some("éééééééééé"));
        let long = parse(Submission { page_excerpt: Some("x".repeat(101)), ..with_body() });
        assert_eq!(long, Err(InvalidSubmission::TooLong { field: "page_excerpt", limit: 100, got: 101 }));
        let time = parse(Submission { page_published_at: text("2026"), ..with_body() }).unwrap_err();
        assert_eq!(time.to_string(), "`page_published_at` is \"2026\", which is no RFC 3339 time");
    }

    #[test]
    fn of_a_honeypot_only_is_known_whether_it_was_filled() {
        for (value, filled) in [(None, false), (Some(" \u{200b}\n"), false), (Some("x"), true), (Some(&*"x".repeat(1000)), true)] {
            let parsed = parse(Submission { honeypot: value.map(str::to_owned), ..with_body() }).unwrap();
            assert_eq!(parsed.form, Form { token: FormToken::Absent, honeypot_filled: filled }, "{value:?}");
        }
    }

    #[test]
    fn an_unknown_kind_is_a_comment() {
        assert_eq!(Kind::parse(Some("forum-post")), Kind::Comment);
        assert_eq!(Kind::parse(Some("Trackback")), Kind::Trackback);
        assert_eq!(Kind::parse(None), Kind::Comment);
    }
}
