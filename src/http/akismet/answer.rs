//! Answers in Akismet's words. Clients compare bodies byte by byte, so nothing is added to one; what more there is to say stands in
//! headers. An error never reads like a verdict: its body is none of their words, and `X-akismet-debug-help` comes with errors only.

use super::comment::Missing;
use super::form::Unreadable;
use crate::comment::InvalidSubmission;
use crate::config::{Akismet, HoldAs};
use crate::decision::Status;
use crate::flow::intake::Refusal;
use crate::http::error::{Problem, RETRY_SECONDS};
use crate::id::CommentId;
use crate::store::StoreError;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

const PRO_TIP: HeaderName = HeaderName::from_static("x-akismet-pro-tip");
const GUID: HeaderName = HeaderName::from_static("x-akismet-guid");
const RECHECK_AFTER: HeaderName = HeaderName::from_static("x-akismet-recheck-after");
const DEBUG_HELP: HeaderName = HeaderName::from_static("x-akismet-debug-help");
const ERROR: HeaderName = HeaderName::from_static("x-akismet-error");

/// What Akismet itself says: seconds after which a provisional answer may have become a final one.
const RECHECK_SECONDS: &str = "120";

/// The one answer to a report that clients take.
pub const THANKS: &str = "Thanks for making the web a better place.";

/// What a client hears of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Ham,
    /// Ham for now: people have yet to look.
    Provisional,
    Spam,
    /// Spam that the client may drop unseen.
    Discard,
}

impl Word {
    /// What is told of a comment that stands so; `is_blatant` is the machine's word on it.
    pub fn of(status: Status, is_blatant: bool, akismet: Akismet) -> Self {
        match status {
            Status::Published => Self::Ham,
            Status::Held | Status::Queued if akismet.hold == HoldAs::Ham => Self::Provisional,
            Status::Rejected if is_blatant && akismet.discard => Self::Discard,
            Status::Held | Status::Queued | Status::Rejected => Self::Spam,
        }
    }

    /// The answer about the comment with this id.
    pub fn answer(self, id: CommentId) -> Response {
        let body = match self {
            Self::Ham | Self::Provisional => "false",
            Self::Spam | Self::Discard => "true",
        };
        let mut response = text(body);
        let headers = response.headers_mut();
        headers.extend(HeaderValue::from_str(&id.to_string()).ok().map(|id| (GUID, id)));
        match self {
            Self::Ham | Self::Spam => {}
            Self::Provisional => drop(headers.insert(RECHECK_AFTER, HeaderValue::from_static(RECHECK_SECONDS))),
            Self::Discard => drop(headers.insert(PRO_TIP, HeaderValue::from_static("discard"))),
        }
        response
    }
}

/// An answer that is a word.
pub fn text(body: &'static str) -> Response {
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}

pub fn json(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// Why a call was not answered, in the form that clients take for an error.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    status: StatusCode,
    body: String,
    help: String,
}

impl Refused {
    /// 200, since clients take any other status for a broken network.
    pub fn invalid(help: &str) -> Self {
        Self { status: StatusCode::OK, body: "invalid".to_owned(), help: help.to_owned() }
    }

    pub fn new(status: StatusCode, help: impl Into<String>) -> Self {
        let help = help.into();
        Self { status, body: help.clone(), help }
    }
}

impl From<Missing> for Refused {
    fn from(Missing(field): Missing) -> Self {
        Self::new(StatusCode::OK, format!("Missing required field: {field}."))
    }
}

impl From<Unreadable> for Refused {
    fn from(unreadable: Unreadable) -> Self {
        let status = match unreadable {
            Unreadable::NoForm | Unreadable::Charset => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Unreadable::TooManyFields => StatusCode::PAYLOAD_TOO_LARGE,
            Unreadable::Boundary | Unreadable::Encoded | Unreadable::CutOff => StatusCode::BAD_REQUEST,
        };
        Self::new(status, unreadable.to_string())
    }
}

impl From<InvalidSubmission> for Refused {
    fn from(invalid: InvalidSubmission) -> Self {
        Problem::from(invalid).into()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Problem::from(refusal).into()
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::new(problem.status(), problem.detail())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], self.body).into_response();
        let headers = response.headers_mut();
        // A header is one line of ASCII, and the words may repeat what was sent.
        let line: String = self.help.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect();
        let line = HeaderValue::from_str(&line).unwrap_or_else(|_| HeaderValue::from_static("error"));
        headers.insert(ERROR, line.clone());
        headers.insert(DEBUG_HELP, line);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_its_word() {
        use HoldAs::{Ham, Spam};
        let check = |status, is_blatant, hold, discard, expected| {
            assert_eq!(
                Word::of(status, is_blatant, Akismet { key: None, hold, discard }),
                expected,
                "{status:?} {is_blatant} {hold:?} {discard}"
            );
        };
        for hold in [Spam, Ham] {
            check(Status::Published, false, hold, true, Word::Ham);
            check(Status::Published, true, hold, true, Word::Ham);
            check(Status::Rejected, false, hold, true, Word::Spam);
            check(Status::Rejected, true, hold, false, Word::Spam);
            check(Status::Rejected, true, hold, true, Word::Discard);
        }
        check(Status::Held, true, Spam, true, Word::Spam);
        check(Status::Held, false, Ham, true, Word::Provisional);
    }

    #[test]
    fn no_error_reads_like_a_verdict() {
        let errors = [
            Refused::invalid("no such key"),
            Missing("blog").into(),
            Unreadable::CutOff.into(),
            Refused::new(StatusCode::BAD_REQUEST, "sent \"caf\u{e9}\"\r\nX-Evil: 1"),
        ];
        for error in errors {
            assert!(!["true", "false", "valid", THANKS].contains(&error.body.as_str()));
            let response = error.into_response();
            let help = response.headers().get(DEBUG_HELP).unwrap().to_str().unwrap();
            assert!(!help.is_empty() && !help.contains('\n'));
            assert!(!response.headers().contains_key(PRO_TIP) && !response.headers().contains_key(GUID));
        }
    }
}
