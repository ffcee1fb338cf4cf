//! What Akismet's clients say of a comment, as a submission of ours. Their names for things end here.

use super::form::Form;
use crate::clock::Timestamp;
use crate::comment::Submission;
use crate::id::CommentId;
use std::net::IpAddr;

/// A call about a comment, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub submission: Submission,
    /// Ours, from an earlier `X-akismet-guid`.
    pub id: Option<CommentId>,
    pub purpose: Purpose,
    /// Who reports, as the site names them.
    pub reporter: Option<String>,
}

/// What a call about a comment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A comment that came, or a report of one.
    Traffic,
    /// One that came before and is asked about again.
    Recheck,
    /// A test: nothing is learnt or counted.
    Test,
    /// A test by the words that are always spam.
    GuaranteedSpam,
}

/// A required field that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing(pub &'static str);

/// Akismet's documented test words, and the one before them.
const SPAM_NAMES: [&str; 2] = ["akismet-guaranteed-spam", "viagra-test-123"];
const SPAM_EMAIL: &str = "akismet-guaranteed-spam@example.com";

impl Sent {
    /// Reads the fields of a call. `user_agent` is the client's own.
    ///
    /// # Errors
    /// [`Missing`], the first of the fields without which a verdict would be wrong.
    pub fn read(form: &Form, user_agent: &str) -> Result<Self, Missing> {
        for required in ["blog", "user_ip"] {
            form.get(required).ok_or(Missing(required))?;
        }
        let purpose = Purpose::of(form);
        // WordPress hands a new comment to its plugins with quotes escaped, and keeps and reports it without: only then are they one text.
        let is_escaped = user_agent.starts_with("WordPress/") && purpose != Purpose::Recheck && form.get("comment_ID").is_none();
        let text = |name: &str| form.get(name).map(|text| if is_escaped { unescaped(text) } else { text.to_owned() });
        let field = |name: &str| form.get(name).map(str::to_owned);
        let context = form.list("comment_context").collect::<Vec<_>>().join(", ");
        let name = text("comment_author");
        let submission = Submission {
            // A sign-up has no text; the name is what its author wrote. An empty text is one, and lacks its words.
            body: form.written("comment_content").map_or_else(|| name.clone(), |_| text("comment_content")).or_else(|| Some(String::new())),
            name,
            email: text("comment_author_email"),
            url: text("comment_author_url"),
            ip: form.get("user_ip").and_then(address),
            user_agent: text("user_agent"),
            page_url: field("permalink"),
            page_title: None,
            page_excerpt: Some(context).filter(|context| !context.is_empty()),
            page_published_at: form.get("comment_post_modified_gmt").and_then(time),
            parent_id: field("comment_parent").filter(|parent| parent != "0"),
            parent_body: None,
            kind: field("comment_type").or_else(|| field("content_type")),
            role: form.get("user_role").map(role),
            submitted_at: form.get("comment_date_gmt").and_then(time),
            form_token: None,
            honeypot: form.get("honeypot_field_name").and_then(|name| honeypot(form, name)),
            // What is no address to call is left out: the comment can be judged without it.
            callback: field("callback").filter(|url| url.starts_with("https://") || url.starts_with("http://")),
        };
        let id = form.get("guid").or_else(|| form.get("akismet_guid")).and_then(|id| id.parse().ok());
        Ok(Self { submission, id, purpose, reporter: field("reporter") })
    }
}

impl Purpose {
    fn of(form: &Form) -> Self {
        let is = |name: &str, words: &[&str]| form.get(name).is_some_and(|value| words.contains(&value));
        let is_test = form.get("is_test").is_some_and(|value| !["0", "false"].contains(&value));
        if is("comment_author", &SPAM_NAMES) || is("comment_author_email", &[SPAM_EMAIL]) {
            Self::GuaranteedSpam
        } else if is_test {
            Self::Test
        } else if form.get("recheck_reason").is_some() {
            Self::Recheck
        } else {
            Self::Traffic
        }
    }
}

/// Of a chain of proxies the first is who wrote. What is no address is left out: the comment can be judged without it.
fn address(text: &str) -> Option<String> {
    let first = text.split(',').next().unwrap_or_default().trim();
    first.parse::<IpAddr>().ok().map(|ip| ip.to_string())
}

/// What stood in the field of this name; WordPress sends the fields of its form with a name in front.
fn honeypot(form: &Form, name: &str) -> Option<String> {
    form.get(name).or_else(|| form.get(&format!("POST_{name}"))).map(str::to_owned)
}

/// WordPress lists all roles of a person; the one that decides must not hide behind another.
fn role(roles: &str) -> String {
    let mut all = roles.split(',').map(str::trim);
    let first = all.clone().next().unwrap_or_default();
    all.find(|role| role.eq_ignore_ascii_case("administrator")).unwrap_or(first).to_owned()
}

/// ISO 8601 with or without an offset (then it is UTC, as the field's name says), or seconds since 1970. What is no time is left out.
fn time(text: &str) -> Option<String> {
    let seconds = text.parse::<i64>().ok().map(|seconds| Timestamp::from_ms(seconds.saturating_mul(1_000)));
    let iso = || Timestamp::parse(text).or_else(|_| Timestamp::parse(&format!("{}Z", text.trim().replacen(' ', "T", 1)))).ok();
    seconds.or_else(iso).map(|time| time.to_string())
}

/// Takes out the backslashes before quotes and backslashes.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let escaped = characters.next_if(|next| c == '\\' && ['\'', '"', '\\'].contains(next));
        plain.push(escaped.unwrap_or(c));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &str, user_agent: &str) -> Result<Sent, Missing> {
        Sent::read(&Form::parse(None, format!("blog=https://a.example&{fields}").as_bytes()).unwrap(), user_agent)
    }

    fn sent(fields: &str) -> Sent {
        read(&format!("user_ip=192.0.2.7&{fields}"), "").unwrap()
    }

    fn check<T: PartialEq + std::fmt::Debug>(fields: &str, of: impl Fn(&Submission) -> T, expected: &T) {
        assert_eq!(of(&sent(fields).submission), *expected, "{fields}");
    }

    #[test]
    fn their_fields_are_ours() {
        let fields = "comment_author=Ana&comment_author_email=ana@a.example&comment_author_url=http://a.example&comment_content=Hi%0Ayou\
                      &permalink=https://a.example/1&user_agent=Lynx&comment_type=trackback&comment_parent=7&comment_context[]=tea&comment_context[]=pots\
                      &comment_date_gmt=2026-11-23T00:33:01Z&comment_post_modified_gmt=2026-11-22+00:00:00&user_role=editor&reporter=bob&HTTP_ACCEPT=x\
                      &honeypot_field_name=hp&hp=x&callback=https://a.example/wp-json/akismet/v1/webhook";
        let text = |text: &str| Some(text.to_owned());
        let expected = Submission {
            name: text("Ana"),
            email: text("ana@a.example"),
            url: text("http://a.example"),
            body: text("Hi\nyou"),
            ip: text("192.0.2.7"),
            user_agent: text("Lynx"),
            page_url: text("https://a.example/1"),
            page_excerpt: text("tea, pots"),
            page_published_at: text("2026-11-22T00:00:00Z"),
            parent_id: text("7"),
            kind: text("trackback"),
            role: text("editor"),
            submitted_at: text("2026-11-23T00:33:01Z"),
            honeypot: text("x"),
            callback: text("https://a.example/wp-json/akismet/v1/webhook"),
            ..Submission::default()
        };
        assert_eq!(sent(fields), Sent { submission: expected, id: None, purpose: Purpose::Traffic, reporter: text("bob") });
        check("content_type=pingback", |sent| sent.kind.clone(), &text("pingback"));
        check("comment_parent=0", |sent| sent.parent_id.clone(), &None);
        check("honeypot_field_name=hp&POST_hp=x", |sent| sent.honeypot.clone(), &text("x"));
        check("honeypot_field_name=hp&hp=", |sent| sent.honeypot.clone(), &None);
        check("callback=file:///etc/passwd", |sent| sent.callback.clone(), &None);
    }

    #[test]
    fn a_missing_text_is_the_name_and_an_empty_one_is_empty() {
        let body = |sent: &Submission| sent.body.clone().unwrap();
        check("comment_author=Ana&comment_type=signup", body, &"Ana".into());
        check("comment_author=Ana&comment_content=", body, &String::new());
        check("", body, &String::new());
    }

    #[test]
    fn addresses_and_times_come_as_clients_write_them_or_are_left_out() {
        let ip = |ip: &str| read(&format!("user_ip={ip}"), "").unwrap().submission.ip;
        assert_eq!(ip("%20192.0.2.7,%2010.0.0.1").as_deref(), Some("192.0.2.7"));
        assert_eq!(ip("2001:DB8::1").as_deref(), Some("2001:db8::1"));
        assert_eq!((ip("unknown"), ip("1.2.3")), (None, None));
        let at = |sent: &Submission| sent.submitted_at.clone();
        for written in ["2026-11-23T00:33:01Z", "2026-11-23T01:33:01%2B01:00", "2026-11-23+00:33:01", "2026-11-23T00:33:01", "1795393981"] {
            check(&format!("comment_date_gmt={written}"), at, &Some("2026-11-23T00:33:01Z".into()));
        }
        for nonsense in ["0000-00-00+00:00:00", "soon", "", "99999999999999999999"] {
            check(&format!("comment_date_gmt={nonsense}"), at, &None);
        }
        assert!(sent("comment_date_gmt=9223372036854775807").submission.submitted_at.is_some_and(|time| Timestamp::parse(&time).is_ok()));
    }

    #[test]
    fn an_administrator_does_not_hide_behind_another_role() {
        let role = |sent: &Submission| sent.role.clone().unwrap_or_default();
        check("user_role=bbp_keymaster,Administrator", role, &"Administrator".into());
        check("user_role=subscriber,+editor", role, &"subscriber".into());
        check("user_role=", role, &String::new());
    }

    #[test]
    fn tests_are_told_from_traffic() {
        let purpose = |fields| sent(fields).purpose;
        for test in ["is_test=1", "is_test=true", "is_test=True", "is_test=1&recheck_reason=edit"] {
            assert_eq!(purpose(test), Purpose::Test, "{test}");
        }
        for spam in [
            "comment_author=akismet-guaranteed-spam",
            "comment_author=viagra-test-123&is_test=1",
            "comment_author_email=akismet-guaranteed-spam@example.com",
        ] {
            assert_eq!(purpose(spam), Purpose::GuaranteedSpam, "{spam}");
        }
        assert_eq!(purpose("recheck_reason=recheck_queue"), Purpose::Recheck);
        for traffic in ["is_test=0", "is_test=false", "is_test=", "recheck_reason="] {
            assert_eq!(purpose(traffic), Purpose::Traffic, "{traffic}");
        }
    }

    #[test]
    fn quotes_that_wordpress_escaped_come_out_as_written() {
        let body = |fields: &str, agent: &str| read(&format!("user_ip=192.0.2.7&{fields}"), agent).unwrap().submission.body.unwrap();
        let (escaped, wordpress) = (r#"comment_content=It\'s+\"C:\\tea\"\n"#, "WordPress/6.1 | Akismet/5.0.2");
        assert_eq!(body(escaped, wordpress), r#"It's "C:\tea"\n"#);
        assert_eq!(body(escaped, "akismet.py"), r#"It\'s \"C:\\tea\"\n"#);
        assert_eq!(body(&format!("{escaped}&comment_ID=7&recheck_reason=x"), wordpress), r#"It\'s \"C:\\tea\"\n"#);
        assert_eq!(body("comment_content=It's&comment_ID=7", wordpress), "It's");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(read("user_ip=", ""), Err(Missing("user_ip")));
        assert_eq!(Sent::read(&Form::parse(None, b"user_ip=192.0.2.7").unwrap(), ""), Err(Missing("blog")));
        let id = "019ab3c0-7a51-7c1e-8f00-2b6f0f6a9d11";
        assert_eq!(sent(&format!("guid={id}")).id.unwrap().to_string(), id);
        assert_eq!((sent("guid=7").id, sent("").id), (None, None));
    }
}
