//! The public form: pages of a site without a server post to `/f/SITE`. No key: the page's origin says whose it is, a signed token when it
//! was shown, and an address may post only so often. The reader is sent back, or sees a plain page; neither tells a score or a reason.

use super::akismet::form::Form;
use super::body;
use super::page::{Script, safe_headers};
use crate::comment::Submission;
use crate::config::{self, Config, Site};
use crate::decision::Status;
use crate::flow::App;
use crate::flow::intake::{self, Refusal};
use crate::id::SiteId;
use crate::pace::{Pace, Quota, TooOften};
use crate::rules::check_email;
use crate::text::trim_blank;
use crate::view::{FormPage, Said};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, LOCATION, ORIGIN, RETRY_AFTER, USER_AGENT, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What an address's comments are counted in.
const WINDOW: Duration = Duration::from_mins(1);

/// The forms of all sites, and how often each address posted.
#[derive(Debug)]
pub struct Forms {
    pub app: Arc<App>,
    pub addresses: Mutex<Pace<(SiteId, IpAddr)>>,
}

type Peer = ConnectInfo<SocketAddr>;
type Name = Result<Path<String>, PathRejection>;

/// That the form is shown now, for a page of the site that asks by script.
pub async fn token(State(forms): State<Arc<Forms>>, name: Name, headers: HeaderMap) -> Response {
    let config = forms.app.config();
    let asked = name.ok().and_then(|Path(name)| site(&config, &name)).and_then(|(site, form)| Some((site, origin(&headers, form)?)));
    let Some((site, origin)) = asked else { return page(StatusCode::FORBIDDEN, None, Said::NoForm) };
    let token = forms.app.keys.sign_form(&site.id, forms.app.clock.now());
    let open = [
        (ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        (VARY, HeaderValue::from_static("Origin")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (open, Json(serde_json::json!({ "token": token }))).into_response()
}

pub async fn submit(State(forms): State<Arc<Forms>>, ConnectInfo(peer): Peer, name: Name, headers: HeaderMap, body: Body) -> Response {
    let (app, config) = (&forms.app, forms.app.config());
    let found = name.ok().and_then(|Path(name)| site(&config, &name));
    let Some((site, allowed)) = found else { return page(StatusCode::NOT_FOUND, None, Said::NoForm) };
    let says = |status, said: Said<'_>| page(status, Some(&site.name), said);
    if origin(&headers, allowed).is_none() {
        return says(StatusCode::FORBIDDEN, Said::NoForm);
    }
    let address = address(&config, &headers, peer);
    if let Err(TooOften(wait)) = forms.count(site, allowed, address) {
        let mut response = says(StatusCode::TOO_MANY_REQUESTS, Said::TooOften);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
        return response;
    }
    let bytes = match body::whole(&headers, body, app).await {
        Ok(bytes) => bytes,
        Err(problem) => return says(problem.status(), Said::Unfit("The comment is too long, or did not arrive whole.")),
    };
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let form = match Form::parse(content_type, &bytes) {
        Ok(form) => form,
        Err(unreadable) => return says(StatusCode::BAD_REQUEST, Said::Unfit(&unreadable.to_string())),
    };
    if let Some(missing) = missing(&form, site) {
        return says(StatusCode::UNPROCESSABLE_ENTITY, Said::Unfit(missing));
    }
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    match intake::submit(app, site, submission(&form, allowed, address, user_agent), None).await {
        Ok(record) => thanks(site, allowed, &form, record.status),
        Err(Refusal::Invalid(invalid)) => says(StatusCode::UNPROCESSABLE_ENTITY, Said::Unfit(&invalid.to_string())),
        Err(refusal @ (Refusal::Conflict | Refusal::Full(_) | Refusal::Store(_))) => {
            tracing::warn!(site = %site.id, error = &refusal as &dyn std::error::Error, "http.form_not_taken");
            says(StatusCode::SERVICE_UNAVAILABLE, Said::Unavailable)
        }
    }
}

impl Forms {
    /// Only so often from one address; of IPv6 one house has a /64.
    fn count(&self, site: &Site, form: &config::Form, address: IpAddr) -> Result<(), TooOften> {
        let house = match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        };
        let quota = Quota { count: form.comments_per_minute_max, window: WINDOW };
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.admit((site.id.clone(), house), quota, self.app.clock.now()).map(|_| ())
    }
}

fn site<'a>(config: &'a Config, name: &str) -> Option<(&'a Arc<Site>, &'a config::Form)> {
    let site = config.sites.get(&SiteId::new(name))?;
    Some((site, site.form.as_ref()?))
}

/// The origin of the page, if it may post. A browser sends one with every POST; what sends none is no page.
fn origin(headers: &HeaderMap, form: &config::Form) -> Option<HeaderValue> {
    headers.get(ORIGIN).filter(|origin| origin.to_str().is_ok_and(|origin| form.admits(origin))).cloned()
}

/// Where the reader is: as the proxy in front says it, else where the connection comes from. Of several addresses the last is the one that
/// the proxy itself saw.
fn address(config: &Config, headers: &HeaderMap, peer: SocketAddr) -> IpAddr {
    let named = config.client_address_header.as_deref().and_then(|name| headers.get_all(name).iter().next_back());
    let last = named.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
    last.unwrap_or(peer.ip()).to_canonical()
}

/// What a person can mend before anybody judges it. What is left out here would be rejected, and the reader would not know why.
fn missing(form: &Form, site: &Site) -> Option<&'static str> {
    let filled = |name| form.get(name).is_some_and(|value| !trim_blank(value).is_empty());
    let is_email = form.get("email").is_some_and(|email| check_email(trim_blank(email)).is_ok());
    if !filled("body") {
        Some("The comment is empty.")
    } else if site.rules.require_name && !filled("name") {
        Some("Your name is missing.")
    } else if site.rules.require_email && !is_email {
        Some("Your email address is missing, or is none.")
    } else {
        None
    }
}

/// What the page's visitor cannot vouch for (a role, times, the page's text) is not read.
fn submission(form: &Form, allowed: &config::Form, address: IpAddr, user_agent: Option<&str>) -> Submission {
    let field = |name| form.get(name).map(str::to_owned);
    Submission {
        name: field("name"),
        email: field("email"),
        url: field("url"),
        body: field("body"),
        ip: Some(address.to_string()),
        user_agent: user_agent.map(str::to_owned),
        page_url: field("page_url").filter(|url| allowed.leads_home(url)),
        page_title: field("page_title"),
        parent_id: field("parent_id"),
        form_token: field("form_token"),
        honeypot: field("honeypot"),
        callback: None,
        ..Submission::default()
    }
}

/// Back to where the page says, if that is at home; else a plain page. The fragment tells which, so that a page without script can show it.
fn thanks(site: &Site, allowed: &config::Form, form: &Form, status: Status) -> Response {
    let (said, fragment) = match status {
        Status::Published => (Said::Published, "comment-published"),
        Status::Queued | Status::Held | Status::Rejected => (Said::Received, "comment-received"),
    };
    let next = form.get("next").filter(|next| allowed.leads_home(next));
    let location = next.map(|next| format!("{}#{fragment}", next.split('#').next().unwrap_or_default()));
    match location.and_then(|location| HeaderValue::try_from(location).ok()) {
        Some(location) => (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response(),
        None => page(StatusCode::OK, Some(&site.name), said),
    }
}

fn page(status: StatusCode, site_name: Option<&str>, said: Said<'_>) -> Response {
    let headers: [(HeaderName, HeaderValue); 6] = safe_headers(Script::None);
    (status, headers, Html(FormPage { site_name, said }.render())).into_response()
}
