//! The demo blog: an article, its replies and a form. A blog like any other: it submits to the daemon over HTTP with its key, shows what
//! was published, and follows the signed webhooks. Its thread is a small file of its own, so a restart forgets nothing.

mod thread;

use crate::action::{hmac_sha256, same};
use crate::clock::Clock;
use crate::config::Secret;
use crate::view::{DemoPage, Field, FormValues, Outcome};
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Form, Query, State};
use axum::http::header::{CACHE_CONTROL, LOCATION, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thread::{Standing, Thread};

/// The article that replies are about.
const PAGE_TITLE: &str = "How we brew coffee";
const PAGE_PUBLISHED_AT: &str = "2026-11-19T08:00:00Z";

/// Its words, as they stand in the page's template.
const PAGE_EXCERPT: &str = "For eleven years I made bad coffee with great care. I weighed the beans and timed the pour, and I owned a thermometer \
    that I trusted more than my own mouth. The cups came out thin in winter and bitter in summer, and I blamed the beans. Then my neighbour, \
    who repairs outboard motors and has no thermometer, gave me a cup across the fence. It was better than any of mine. A kettle tells you \
    nearly everything. First it ticks, while the metal stretches. Then it hisses like rain on a far roof: small bubbles dying before they \
    reach the top. When the hiss drops and turns round, the water is near ninety degrees, and that is the moment. I grind a little coarser \
    than I think is right. I pour when the rain stops.";

/// A reader waits no longer than this for an answer.
const SUBMIT_TIMEOUT: Duration = Duration::from_secs(10);

/// How far a webhook's time may be off (Standard Webhooks suggest five minutes).
const WEBHOOK_SKEW_SECONDS: u64 = 300;

/// What the blog is told when it is set up.
#[derive(Debug)]
pub struct Setup {
    /// The daemon, without a slash at the end.
    pub daemon_url: String,
    pub api_key: String,
    pub webhook_secret: Secret,
    /// Its database, as it were.
    pub file: PathBuf,
    /// Shown to the visitor: where the moderator's mail lands.
    pub mail_folder: PathBuf,
    pub clock: Clock,
}

#[derive(Debug)]
struct Blog {
    setup: Setup,
    client: reqwest::Client,
    thread: Mutex<Thread>,
}

/// The blog cannot open.
#[derive(Debug, thiserror::Error)]
pub enum NoBlog {
    #[error("the demo blog cannot speak HTTP")]
    Client(#[from] reqwest::Error),
    #[error(transparent)]
    Thread(#[from] thread::Unreadable),
}

/// Its routes: `/demo/` and `/demo/webhook`; the root leads there.
///
/// # Errors
/// [`NoBlog`].
pub fn router(setup: Setup) -> Result<Router, NoBlog> {
    // It speaks to the daemon beside it alone, and that by plain HTTP.
    let client = reqwest::Client::builder().timeout(SUBMIT_TIMEOUT).no_proxy().tls_certs_only([]).build()?;
    let thread = Mutex::new(Thread::open(setup.file.clone())?);
    let blog = Arc::new(Blog { setup, client, thread });
    Ok(Router::new()
        .route("/", get(|| async { Redirect::temporary("/demo/") }))
        .route("/demo", get(|| async { Redirect::permanent("/demo/") }))
        .route("/demo/", get(show).post(take))
        .route("/demo/webhook", post(hear))
        .layer(DefaultBodyLimit::max(8 * 1024 * 1024))
        .with_state(blog))
}

#[derive(Deserialize)]
struct Said {
    said: Option<String>,
}

async fn show(State(blog): State<Arc<Blog>>, Query(said): Query<Said>) -> Response {
    let outcome = match said.said.as_deref() {
        Some("published") => Some(Outcome::Published),
        Some("held") => Some(Outcome::Held),
        Some("rejected") => Some(Outcome::Rejected),
        _ => None,
    };
    let form_token = form_token(&blog).await.unwrap_or_default();
    page(&blog, StatusCode::OK, outcome, FormValues { form_token: &form_token, ..FormValues::default() })
}

#[derive(Deserialize)]
struct FormToken {
    token: String,
}

/// Says that the form is shown now; a form without it is a form all the same.
async fn form_token(blog: &Blog) -> Option<String> {
    let request = blog.client.get(format!("{}/v1/form-token", blog.setup.daemon_url)).bearer_auth(&blog.setup.api_key);
    let response = request.send().await.ok()?.error_for_status().ok()?;
    Some(serde_json::from_slice::<FormToken>(&response.bytes().await.ok()?).ok()?.token)
}

fn page(blog: &Blog, status: StatusCode, outcome: Option<Outcome>, form: FormValues<'_>) -> Response {
    let published = blog.thread.lock().unwrap_or_else(PoisonError::into_inner).published();
    let replies: Vec<_> = published.iter().map(thread::Published::shown).collect();
    let mail_place = blog.setup.mail_folder.display().to_string();
    let html = DemoPage { replies: &replies, outcome, form, mail_place: &mail_place }.render();
    (status, [(CACHE_CONTROL, "no-store")], Html(html)).into_response()
}

/// What the form sends.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Reply {
    name: String,
    email: String,
    url: String,
    body: String,
    form_token: String,
    /// No person sees this field.
    subject: String,
}

async fn take(
    State(blog): State<Arc<Blog>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Result<Form<Reply>, FormRejection>,
) -> Response {
    // The blog's key is for this machine only, and the blog must not lend it to others.
    if !peer.ip().to_canonical().is_loopback() {
        return page(&blog, StatusCode::FORBIDDEN, Some(Outcome::Unavailable), FormValues::default());
    }
    let Ok(Form(reply)) = form else {
        return page(&blog, StatusCode::BAD_REQUEST, Some(Outcome::Unavailable), FormValues::default());
    };
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    let answer = submit(&blog, &reply, peer, agent).await;
    let form = FormValues { name: &reply.name, email: &reply.email, url: &reply.url, body: &reply.body, form_token: &reply.form_token };
    let Some(answer) = answer else {
        return page(&blog, StatusCode::SERVICE_UNAVAILABLE, Some(Outcome::Unavailable), form);
    };
    if let Some(missing) = answer.reasons.iter().find_map(|reason| missing_field(&reason.code)) {
        return page(&blog, StatusCode::UNPROCESSABLE_ENTITY, Some(missing), form);
    }
    let standing = Standing::parse(&answer.status);
    blog.thread.lock().unwrap_or_else(PoisonError::into_inner).answered(
        &answer.id,
        &reply.name,
        &reply.body,
        blog.setup.clock.now(),
        standing,
    );
    let said = match standing {
        Standing::Published => "/demo/?said=published#thanks",
        Standing::Held => "/demo/?said=held#waits",
        Standing::Rejected => "/demo/?said=rejected#reply",
    };
    (StatusCode::SEE_OTHER, [(LOCATION, said)]).into_response()
}

fn missing_field(code: &str) -> Option<Outcome> {
    match code {
        "field_missing:name" => Some(Outcome::Missing(Field::Name)),
        "field_missing:email" => Some(Outcome::Missing(Field::Email)),
        "field_invalid:email" => Some(Outcome::InvalidEmail),
        "field_missing:body" => Some(Outcome::Missing(Field::Body)),
        _ => None,
    }
}

/// The part of the daemon's answer that a blog needs.
#[derive(Deserialize)]
struct Answer {
    id: String,
    status: String,
    #[serde(default)]
    reasons: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    code: String,
}

#[derive(Serialize)]
struct Submission<'a> {
    name: &'a str,
    email: &'a str,
    url: &'a str,
    body: &'a str,
    ip: String,
    user_agent: Option<&'a str>,
    page_url: String,
    page_title: &'static str,
    page_excerpt: &'static str,
    page_published_at: &'static str,
    form_token: &'a str,
    honeypot: &'a str,
}

/// The daemon's answer; none when it does not take the comment now.
async fn submit(blog: &Blog, reply: &Reply, peer: SocketAddr, agent: Option<&str>) -> Option<Answer> {
    let submission = Submission {
        name: &reply.name,
        email: &reply.email,
        url: &reply.url,
        body: &reply.body,
        ip: peer.ip().to_string(),
        user_agent: agent,
        page_url: format!("{}/demo/", blog.setup.daemon_url),
        page_title: PAGE_TITLE,
        page_excerpt: PAGE_EXCERPT,
        page_published_at: PAGE_PUBLISHED_AT,
        form_token: &reply.form_token,
        honeypot: &reply.subject,
    };
    let request = blog.client.post(format!("{}/v1/comments", blog.setup.daemon_url)).bearer_auth(&blog.setup.api_key);
    let body = serde_json::to_vec(&submission).ok()?;
    let response = request.header("content-type", "application/json").body(body).send().await.ok()?.error_for_status().ok()?;
    serde_json::from_slice(&response.bytes().await.ok()?).ok()
}

#[derive(Deserialize)]
struct Event {
    data: Answer,
}

/// A webhook: believed only when signed with our secret, lately.
async fn hear(State(blog): State<Arc<Blog>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !is_signed(&blog.setup, &headers, &body) {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(event) = serde_json::from_slice::<Event>(&body) else { return StatusCode::BAD_REQUEST };
    let mut thread = blog.thread.lock().unwrap_or_else(PoisonError::into_inner);
    thread.heard(&event.data.id, Standing::parse(&event.data.status), blog.setup.clock.now());
    StatusCode::NO_CONTENT
}

fn is_signed(setup: &Setup, headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let now = setup.clock.now().seconds();
    let is_recent = timestamp.parse::<i64>().is_ok_and(|sent| now.abs_diff(sent) <= WEBHOOK_SKEW_SECONDS);
    let mac = hmac_sha256(setup.webhook_secret.bytes(), &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
    let expected = format!("v1,{}", STANDARD.encode(mac));
    is_recent && header("webhook-signature").split(' ').any(|signature| same(signature.as_bytes(), expected.as_bytes()))
}
