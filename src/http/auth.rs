//! Who speaks, and whether they may: a bearer key names a site and has scopes, and every route demands one.

use super::error::Problem;
use crate::access::Scope;
use crate::config::Site;
use crate::flow::{App, access};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use std::net::SocketAddr;
use std::sync::Arc;

/// Headers by which a proxy tells that it speaks for somebody else.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// The site whose key the request carries, if that key has the scope. A key that everybody knows (the demo's) is refused from anywhere but this machine itself.
pub fn site(app: &App, headers: &HeaderMap, peer: SocketAddr, scope: Scope) -> Result<Arc<Site>, Problem> {
    let key = bearer(headers).ok_or_else(Problem::unauthorized)?;
    let caller = access::caller(app, key).filter(|caller| admits(&caller.site, headers, peer));
    let caller = caller.ok_or_else(Problem::unauthorized)?;
    if caller.scopes.has(scope) { Ok(caller.site) } else { Err(Problem::lacks(scope, caller.scopes)) }
}

/// The key that a request carries, good or not.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// Whether a key of this site is good from where the request comes.
pub fn admits(site: &Site, headers: &HeaderMap, peer: SocketAddr) -> bool {
    let from_here = peer.ip().to_canonical().is_loopback() && !FORWARDED.iter().any(|name| headers.contains_key(*name));
    from_here || !site.loopback_only
}
