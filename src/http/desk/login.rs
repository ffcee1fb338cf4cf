//! Logging in and out. GET shows; only a pressed button asks for a link, uses one, or opens a session.

use super::asked::Sent;
use super::session::{AtDesk, DESK, from, login_page, next, see_other, with_cookie};
use crate::flow::App;
use crate::flow::accounts::{self, NotIn, Token};
use crate::http::page::{self, Script, safe_headers};
use crate::view::{LoginSay, OneTimePage};
use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{ConnectInfo, Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::Arc;

#[derive(Deserialize)]
pub struct Next {
    next: Option<String>,
}

#[derive(Deserialize)]
pub struct Credentials {
    email: String,
    #[serde(default)]
    password: String,
    next: Option<String>,
}

pub async fn show(query: Result<Query<Next>, QueryRejection>) -> Response {
    let asked = query.ok().and_then(|Query(query)| query.next);
    login_page(StatusCode::OK, LoginSay::Nothing, "", next(asked.as_deref()))
}

/// With a password that; without one, a link by mail.
pub async fn log_in(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Result<Form<Credentials>, FormRejection>,
) -> Response {
    if !page::is_ours(&headers, &app.config(), &app.public_url) {
        return login_page(StatusCode::FORBIDDEN, LoginSay::RefusedOrigin, "", DESK);
    }
    let Ok(Form(credentials)) = form else { return login_page(StatusCode::BAD_REQUEST, LoginSay::Nothing, "", DESK) };
    let (email, goes_to) = (credentials.email.as_str(), next(credentials.next.as_deref()));
    let from = from(&headers, peer);
    if credentials.password.is_empty() {
        return match accounts::ask_link(&app, email, &from).await {
            Ok(()) => login_page(StatusCode::OK, LoginSay::LinkSent, email, goes_to),
            Err(error) => refusal(&error, email, goes_to),
        };
    }
    match accounts::log_in(&app, email, credentials.password, &from).await {
        Ok(token) => with_cookie(&app, see_other(goes_to), Some(&token)),
        Err(error) => refusal(&error, email, goes_to),
    }
}

fn refusal(error: &NotIn, email: &str, goes_to: &str) -> Response {
    let (status, say) = match error {
        NotIn::Wrong => (StatusCode::UNAUTHORIZED, LoginSay::Wrong),
        NotIn::TooMany => (StatusCode::TOO_MANY_REQUESTS, LoginSay::TooMany),
        NotIn::Store(error) => {
            tracing::error!(error = %error, "http.store_unavailable");
            (StatusCode::SERVICE_UNAVAILABLE, LoginSay::Unavailable)
        }
    };
    login_page(status, say, email, goes_to)
}

/// The page behind a one-time link.
pub async fn show_link(State(app): State<Arc<App>>, token: Result<Path<String>, PathRejection>) -> Response {
    let Ok(Path(token)) = token else { return unknown_link() };
    let token = Token::of(&token);
    match app.store.read().is_link_open(token.hash(), app.clock.now()) {
        Ok(true) => {
            let path = format!("/desk/login/{}", token.text());
            (safe_headers(Script::None), Html(OneTimePage { path: &path }.render())).into_response()
        }
        Ok(false) => unknown_link(),
        Err(error) => refusal(&NotIn::Store(error), "", DESK),
    }
}

pub async fn use_link(State(app): State<Arc<App>>, token: Result<Path<String>, PathRejection>, headers: HeaderMap) -> Response {
    let Ok(Path(token)) = token else { return unknown_link() };
    if !page::is_ours(&headers, &app.config(), &app.public_url) {
        return login_page(StatusCode::FORBIDDEN, LoginSay::RefusedOrigin, "", DESK);
    }
    match accounts::use_link(&app, &Token::of(&token)).await {
        Ok(token) => with_cookie(&app, see_other(DESK), Some(&token)),
        Err(NotIn::Wrong) => unknown_link(),
        Err(error) => refusal(&error, "", DESK),
    }
}

fn unknown_link() -> Response {
    login_page(StatusCode::GONE, LoginSay::LinkUsed, "", DESK)
}

pub async fn log_out(State(app): State<Arc<App>>, desk: AtDesk, sent: Sent) -> Response {
    if sent.by(&desk).is_none() {
        return login_page(StatusCode::FORBIDDEN, LoginSay::RefusedOrigin, "", DESK);
    }
    match accounts::log_out(&app, &desk.0).await {
        Ok(()) => with_cookie(&app, login_page(StatusCode::OK, LoginSay::LoggedOut, "", DESK), None),
        Err(error) => refusal(&NotIn::Store(error), "", DESK),
    }
}
