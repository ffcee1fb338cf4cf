//! Who speaks: a bearer key names a site.

use super::error::Problem;
use crate::config::Site;
use crate::flow::App;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use std::net::SocketAddr;
use std::sync::Arc;

/// Headers by which a proxy tells that it speaks for somebody else.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// The site whose key the request carries. A key that everybody knows (the demo's) is refused from anywhere but this machine itself.
pub fn site(app: &App, headers: &HeaderMap, peer: SocketAddr) -> Result<Arc<Site>, Problem> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(Problem::unauthorized)?;
    let (scheme, key) = value.split_once(' ').ok_or_else(Problem::unauthorized)?;
    let config = app.config();
    let site = config.site_of_key(key.trim()).filter(|_| scheme.eq_ignore_ascii_case("bearer")).ok_or_else(Problem::unauthorized)?;
    if admits(site, headers, peer) { Ok(Arc::clone(site)) } else { Err(Problem::unauthorized()) }
}

/// Whether a key of this site is good from where the request comes.
pub fn admits(site: &Site, headers: &HeaderMap, peer: SocketAddr) -> bool {
    let from_here = peer.ip().to_canonical().is_loopback() && !FORWARDED.iter().any(|name| headers.contains_key(*name));
    from_here || !site.loopback_only
}
