//! A submission as JSON says it: what our API, a file of lines and the control socket have in common.

use crate::comment::Submission;
use serde::{Deserialize, Serialize};

/// A submission on the wire. Unknown fields are ignored, `null` is absent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(expecting = "a JSON object")]
pub struct SubmissionBody {
    name: Option<String>,
    email: Option<String>,
    url: Option<String>,
    body: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
    page_url: Option<String>,
    page_title: Option<String>,
    page_excerpt: Option<String>,
    page_published_at: Option<String>,
    parent_id: Option<String>,
    parent_body: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    role: Option<String>,
    submitted_at: Option<String>,
    form_token: Option<String>,
    honeypot: Option<String>,
}

impl From<SubmissionBody> for Submission {
    fn from(sent: SubmissionBody) -> Self {
        Self {
            name: sent.name,
            email: sent.email,
            url: sent.url,
            body: sent.body,
            ip: sent.ip,
            user_agent: sent.user_agent,
            page_url: sent.page_url,
            page_title: sent.page_title,
            page_excerpt: sent.page_excerpt,
            page_published_at: sent.page_published_at,
            parent_id: sent.parent_id,
            parent_body: sent.parent_body,
            kind: sent.kind,
            role: sent.role,
            submitted_at: sent.submitted_at,
            form_token: sent.form_token,
            honeypot: sent.honeypot,
            callback: None,
        }
    }
}
