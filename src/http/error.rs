//! Errors on the wire: one mapping, from what went wrong to `application/problem+json` (RFC 9457). What the sender can mend is 4xx and names
//! the field, the limit and what was got; what only waiting mends is 503 with `Retry-After`, and then the sender still has the comment.

use crate::access::{Scope, Scopes};
use crate::comment::InvalidSubmission;
use crate::flow::intake::Refusal;
use crate::store::StoreError;
use axum::Json;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// How long a sender should wait when a bound was reached: long enough for a batch, short enough for a reader who waits.
pub const RETRY_SECONDS: &str = "2";

#[derive(Debug, Serialize)]
pub struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    got: Option<String>,
}

impl Problem {
    pub fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self { r#type: "about:blank", title, status: status.as_u16(), detail: detail.into(), field: None, limit: None, got: None }
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub fn detail(&self) -> &str {
        &self.detail
    }

    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unknown key",
            "send `Authorization: Bearer KEY` with the API key of one of this daemon's sites",
        )
    }

    /// The key is good, but not for this.
    pub fn lacks(scope: Scope, scopes: Scopes) -> Self {
        let (scope, detail) = (scope.as_str(), format!("this key may {scopes}; this call needs a key with the scope {:?}", scope.as_str()));
        Self { got: Some(scopes.to_string()), ..Self::new(StatusCode::FORBIDDEN, "scope missing", detail).about(scope) }
    }

    pub fn unknown_comment() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown comment", "this site has no comment with this id")
    }

    #[must_use]
    pub fn about(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    #[must_use]
    pub fn limited(mut self, limit: usize, got: impl Into<String>) -> Self {
        self.limit = Some(limit);
        self.got = Some(got.into());
        self
    }

    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "try again later", detail)
    }
}

impl From<InvalidSubmission> for Problem {
    fn from(invalid: InvalidSubmission) -> Self {
        let detail = invalid.to_string();
        match invalid {
            InvalidSubmission::BodyMissing => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "field missing", detail).about("body"),
            InvalidSubmission::TooLong { field, limit, got } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "field too long", detail).about(field).limited(limit, got.to_string())
            }
            InvalidSubmission::Malformed { field, got, .. } => {
                let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "field malformed", detail).about(field);
                Self { got: Some(got), ..problem }
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(invalid) => invalid.into(),
            Refusal::Conflict => Self::new(
                StatusCode::CONFLICT,
                "idempotency key used before",
                "another submission came before under this Idempotency-Key; use a new key for a new submission",
            )
            .about("Idempotency-Key"),
            Refusal::Full(full) => Self::unavailable(format!("{full}; nothing was taken")),
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    /// The caller learns that nothing was taken; what ails the store is in the log, for the admin.
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, "http.store_unavailable");
        Self::unavailable("the store cannot take it now; nothing was taken")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

pub async fn no_route(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no such address", format!("nothing answers at {}", uri.path()))
}

pub async fn no_method(method: Method, uri: Uri) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "not this way", format!("{} does not answer {method}", uri.path()))
}
