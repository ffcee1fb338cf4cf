//! Who is at the desk: the session's cookie, read and written, and what proves that a form is this session's own.

use crate::flow::App;
use crate::flow::accounts::{self, SESSION_VALID, Session, Token};
use crate::http::page;
use crate::view::{LoginPage, LoginSay};
use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use std::net::SocketAddr;
use std::sync::Arc;

/// Somebody who is in, for handlers that need somebody. Whoever is not is sent to log in.
pub struct AtDesk(pub Session);

impl FromRequestParts<Arc<App>> for AtDesk {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let Some(token) = cookie(&parts.headers) else { return Err(not_in(parts)) };
        match accounts::session(app, token) {
            Ok(Some(session)) => Ok(Self(session)),
            Ok(None) => Err(not_in(parts)),
            Err(error) => {
                tracing::error!(error = %error, "http.store_unavailable");
                Err(login_page(StatusCode::SERVICE_UNAVAILABLE, LoginSay::Unavailable, "", DESK))
            }
        }
    }
}

/// Where the desk begins.
pub const DESK: &str = "/desk/";

fn not_in(parts: &Parts) -> Response {
    let path = parts.uri.path_and_query().map_or(DESK, |path| path.as_str());
    if parts.method == Method::GET || parts.method == Method::HEAD {
        let next: String = percent_encoding::utf8_percent_encode(path, percent_encoding::NON_ALPHANUMERIC).collect();
        return see_other(&format!("/desk/login?next={next}"));
    }
    login_page(StatusCode::UNAUTHORIZED, LoginSay::SessionOver, "", DESK)
}

pub fn login_page(status: StatusCode, say: LoginSay, email: &str, next: &str) -> Response {
    (status, page::safe_headers(page::Script::None), Html(LoginPage { say, email, next }.render())).into_response()
}

pub fn see_other(path: &str) -> Response {
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static(DESK));
    (StatusCode::SEE_OTHER, page::safe_headers(page::Script::None), [(LOCATION, location)]).into_response()
}

/// A path of the desk to go on with; nothing else is followed, wherever it came from.
pub fn next(asked: Option<&str>) -> &str {
    let is_plain = |path: &&str| path.starts_with(DESK) && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    asked.filter(is_plain).unwrap_or(DESK)
}

/// Under TLS the name itself forbids other hosts and plain HTTP to set it (RFC 6265bis).
fn cookie_name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-hamlet" } else { "hamlet" }
}

pub fn cookie(headers: &HeaderMap) -> Option<Token> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|header| header.to_str().ok());
    let pairs: Vec<(&str, &str)> = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('=')).collect();
    let found = |is_secure: bool| pairs.iter().find(|(key, _)| *key == cookie_name(is_secure)).map(|(_, value)| Token::of(value));
    found(true).or_else(|| found(false))
}

/// Puts the session into the browser, or takes it out.
pub fn with_cookie(app: &App, mut response: Response, token: Option<&Token>) -> Response {
    let is_secure = app.public_url.starts_with("https://");
    let (value, seconds) = token.map_or(("", 0), |token| (token.text(), SESSION_VALID.as_secs()));
    let secure = if is_secure { "; Secure" } else { "" };
    let cookie = format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", cookie_name(is_secure));
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// The address that a request comes from: a proxy on this very machine tells whom it speaks for, and nobody else is believed.
pub fn from(headers: &HeaderMap, peer: SocketAddr) -> String {
    let told = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok()).and_then(|value| value.rsplit(',').next());
    match told.map(str::trim) {
        Some(told) if peer.ip().to_canonical().is_loopback() => told.to_owned(),
        _ => peer.ip().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_the_desk_are_followed() {
        for (asked, followed) in [
            (Some("/desk/c/1?q=a"), "/desk/c/1?q=a"),
            (Some("//evil.com/desk/"), DESK),
            (Some("https://evil.com/desk/"), DESK),
            (Some("/desk/\r\nx"), DESK),
            (Some("/desk/\\evil"), DESK),
            (None, DESK),
        ] {
            assert_eq!(next(asked), followed, "{asked:?}");
        }
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("a=b; hamlet=plain; __Host-hamlet=secure; c"));
        assert_eq!(cookie(&headers).unwrap().text(), "secure");
        headers.insert(COOKIE, HeaderValue::from_static("xhamlet=no"));
        assert!(cookie(&headers).is_none());
    }

    #[test]
    fn a_proxy_is_believed_on_this_machine_alone() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("198.51.100.1, 203.0.113.9"));
        assert_eq!(from(&headers, SocketAddr::from(([127, 0, 0, 1], 9))), "203.0.113.9");
        assert_eq!(from(&headers, SocketAddr::from(([192, 0, 2, 7], 9))), "192.0.2.7");
        assert_eq!(from(&HeaderMap::new(), SocketAddr::from(([127, 0, 0, 1], 9))), "127.0.0.1");
    }
}
