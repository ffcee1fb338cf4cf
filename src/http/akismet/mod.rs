//! The API that Akismet's clients speak, so that a blog changes only where its host name points. Bytes become fields in `form`, fields a
//! submission in `comment`, verdicts their words in `answer`, counts their figures in `figures`. What happens to a comment is `flow`'s, as
//! for our own API. It answers under any host name, since the name may carry the key.

mod answer;
mod comment;
mod figures;
pub mod form;

use crate::clock::Timestamp;
use crate::config::Site;
use crate::decision::Ruling;
use crate::flow::review::Ruler;
use crate::flow::{App, intake, report};
use crate::http::{auth, body};
use answer::{Refused, THANKS, Word, json, text};
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use comment::{Purpose, Sent};
use figures::Figures;
use form::Form;
use std::net::SocketAddr;
use std::sync::Arc;

/// Sites in one answer of `key-sites` where the client says nothing.
const SITES_MAX: u64 = 500;

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/1.1/verify-key", post(verify_key))
        .route("/1.1/comment-check", post(check))
        .route("/1.1/submit-spam", post(submit_spam))
        .route("/1.1/submit-ham", post(submit_ham))
        .route("/1.1/deactivate", post(deactivate))
        .route("/1.1/get-subscription", post(subscription))
        .route("/1.1/get-stats", post(statistics))
        .route("/1.1/token", post(no_account))
        .route("/1.1/verify-wpcom-key", post(no_account))
        .route("/1.1/test", get(test).post(test))
        .route("/1.2/usage-limit", get(usage_limit).post(usage_limit))
        .route("/1.2/key-sites", get(key_sites).post(key_sites))
}

/// Which key decides where several are sent.
#[derive(Clone, Copy)]
enum KeyOf {
    /// A call about a key: the one that its owner types, not the one that the client has stored.
    Account,
    /// A call about comments.
    Comments,
}

/// A call whose key was found good.
struct Call {
    site: Arc<Site>,
    form: Form,
    user_agent: String,
}

impl Call {
    async fn read(app: &App, peer: SocketAddr, request: Request, key_of: KeyOf) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        let form = if parts.method == Method::GET || parts.method == Method::HEAD {
            Form::of_query(parts.uri.query().unwrap_or_default())?
        } else {
            let bytes = body::whole(&parts.headers, body, app).await?;
            Form::parse(header(&parts.headers, &CONTENT_TYPE), &bytes)?
        };
        let key = key(&form, host(&parts.uri, &parts.headers), key_of).ok_or_else(|| Refused::invalid("no key was sent"))?;
        let config = app.config();
        let site = config.site_of_akismet_key(key).filter(|site| auth::admits(site, &parts.headers, peer) && is_expected(site, peer));
        let site = site.ok_or_else(|| Refused::invalid("this key opens no site"))?;
        Ok(Self { site: Arc::clone(site), form, user_agent: header(&parts.headers, &USER_AGENT).unwrap_or_default().to_owned() })
    }
}

/// An Akismet key leaks on its way, so a site may say from where alone it is good. This looks at who connects: behind a proxy, that is the proxy.
fn is_expected(site: &Site, peer: SocketAddr) -> bool {
    site.akismet_from.as_ref().is_none_or(|networks| networks.find(peer.ip()).is_some())
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The host that is asked for; a request in the form for proxies names it in its first line.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    uri.host().or_else(|| header(headers, &HOST))
}

/// The key of a call: its field, else the first label of the host.
fn key<'a>(form: &'a Form, host: Option<&'a str>, key_of: KeyOf) -> Option<&'a str> {
    let field = match key_of {
        KeyOf::Account => form.written("key").or_else(|| form.get("api_key")),
        KeyOf::Comments => form.get("api_key").or_else(|| form.get("key")),
    };
    field.or_else(|| host?.split_once('.').map(|(label, _)| label))
}

type Peer = ConnectInfo<SocketAddr>;
type Answered = Result<Response, Refused>;

async fn verify_key(State(app): State<Arc<App>>, ConnectInfo(peer): Peer, request: Request) -> Answered {
    Call::read(&app, peer, request, KeyOf::Account).await?;
    Ok(text("valid"))
}

async fn check(State(app): State<Arc<App>>, ConnectInfo(peer): Peer, request: Request) -> Answered {
    let Call { site, form, user_agent } = Call::read(&app, peer, request, KeyOf::Comments).await?;
    let Sent { submission, id, purpose, .. } = Sent::read(&form, &user_agent)?;
    drop(form);
    match purpose {
        Purpose::Traffic => {}
        Purpose::Recheck => {
            let comment = intake::parse(&app, &site, submission.clone())?;
            if let Some(record) = report::meant(&app, id, &comment)? {
                let id = record.comment.id;
                if record.ruled.is_some() {
                    return Ok(Word::of(record.status, false, site.akismet).answer(id));
                }
                // Judged anew by what is known now, and not counted a second time.
                let decision = intake::try_out(&app, &site, comment).await?.decision;
                return Ok(Word::of(decision.status(), decision.discard, site.akismet).answer(id));
            }
        }
        Purpose::Test | Purpose::GuaranteedSpam => {
            let comment = intake::parse(&app, &site, submission)?;
            let id = comment.id;
            let decision = intake::try_out(&app, &site, comment).await?.decision;
            let word = Word::of(decision.status(), decision.discard, site.akismet);
            return Ok(if purpose == Purpose::GuaranteedSpam { Word::Spam } else { word }.answer(id));
        }
    }
    let record = intake::submit(&app, &site, submission, None).await?;
    let is_blatant = record.decision.as_ref().is_some_and(|decision| decision.discard);
    Ok(Word::of(record.status, is_blatant, site.akismet).answer(record.comment.id))
}

async fn submit_spam(State(app): State<Arc<App>>, ConnectInfo(peer): Peer, request: Request) -> Answered {
    submit(&app, peer, request, Ruling::Spam).await
}

async fn submit_ham(State(app): State<Arc<App>>, ConnectInfo(peer): Peer, request: Request) -> Answered {
    submit(&app, peer, request, Ruling::Publish).await
}

async fn submit(app: &Arc<App>, peer: SocketAddr, request: Request, ruling: Ruling) -> Answered {
    let Call { site, form, user_agent } = Call::read(app, peer, request, KeyOf::Comments).await?;
    let Sent { submission, id, purpose, reporter } = Sent::read(&form, &user_agent)?;
    match purpose {
        Purpose::Traffic | Purpose::Recheck => {
            let by = reporter.map(|reporter| Ruler::name(&reporter)).filter(|by| !by.trim().is_empty());
            let ruler = Ruler { by: by.unwrap_or_else(|| site.name.clone()), via: "akismet" };
            report::report(app, &site, id, submission, (ruling, ruler)).await?;
        }
        Purpose::Test | Purpose::GuaranteedSpam => {}
    }
    Ok(text(THANKS))
}

/// The key stays good: it is the settings' to withdraw.
async fn deactivate(State(app): State<Arc<App>>, ConnectInfo(peer): Peer, request: Request) -> Answered {
    Call::read(&app, peer, request, KeyOf::Account).await?;
    Ok(text("deactivated"))
}

/// WordPress saves no key without this.
async fn subscription(State(app): State<Arc<App>>, ConnectInfo(peer): Peer, request: Request) -> Answered {
    let site = Call::read(&app, peer, request, KeyOf::Account).await?.site;
    Ok(json(&serde_json::json!({
        "account_id": site.id.as_str(),
        "account_name": site.name,
        "account_type": "hamlet",
        "status": "active",
        "next_billing_date": false,
        "limit_reached": false,
    })))
}

async fn statistics(State(app): State<Arc<App>>, ConnectInfo(peer): Peer, request: Request) -> Answered {
    let Call { site, form, .. } = Call::read(&app, peer, request, KeyOf::Account).await?;
    let mut tallies = app.store.read().tallies(&site.id)?;
    if form.get("from") == Some("6-months") {
        let first = months_before(&month(app.clock.now()), 5);
        tallies.retain(|tally| tally.month >= first);
    }
    Ok(json(&figures::statistics(&tallies, site.akismet.hold)))
}

async fn no_account() -> Refused {
    Refused::invalid("this is hamlet: there are no accounts at WordPress.com")
}

async fn test() -> Response {
    text("connected")
}

async fn usage_limit(State(app): State<Arc<App>>, ConnectInfo(peer): Peer, request: Request) -> Answered {
    let Call { site, form, .. } = Call::read(&app, peer, request, KeyOf::Comments).await?;
    let figures = figures_of_month(&app, &site, &month(app.clock.now()))?;
    let usage = figures.comments();
    Ok(json(&if form.get("extended").is_some() {
        serde_json::json!({
            "limit": "none", "usage": usage, "percentage": "0.00", "throttled": false, "notice_level": null, "upgrade": null,
        })
    } else {
        serde_json::json!({ "limit": "none", "usage": usage, "percentage": "0.00", "throttled": false })
    }))
}

/// A key has one site, so there is nothing to order.
async fn key_sites(State(app): State<Arc<App>>, ConnectInfo(peer): Peer, request: Request) -> Answered {
    let Call { site, form, .. } = Call::read(&app, peer, request, KeyOf::Comments).await?;
    let month = form.get("month").map_or_else(|| month(app.clock.now()), str::to_owned);
    if !is_month(&month) {
        return Err(Refused::new(StatusCode::BAD_REQUEST, "`month` is none; write one like 2026-11"));
    }
    let number = |name: &str, otherwise| form.get(name).and_then(|number| number.parse::<u64>().ok()).unwrap_or(otherwise);
    let (limit, offset) = (number("limit", SITES_MAX), number("offset", 0));
    let name = site.id.as_str();
    let total = u64::from(form.get("filter").is_none_or(|filter| name.contains(filter)));
    let shown = (limit > 0 && offset < total).then(|| figures_of_month(&app, &site, &month)).transpose()?;
    if form.get("format") == Some("csv") {
        let title = format!("Active sites during {month} (limit:{limit}, offset: {offset}, total: {total})\n");
        let columns = "Site,Total API Calls,Spam,Ham,Missed Spam,False Positives,Is Revoked\n";
        let line = shown.map_or_else(String::new, |figures| figures.csv_line(name));
        return Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8")], [&title, columns, &line].concat()).into_response());
    }
    let rows: Vec<_> = shown.map(|figures| figures.of_site(name)).into_iter().collect();
    Ok(json(&serde_json::json!({ (month): rows, "limit": limit, "offset": offset, "total": total })))
}

fn figures_of_month(app: &App, site: &Site, month: &str) -> Result<Figures, Refused> {
    let tallies = app.store.read().tallies(&site.id)?;
    Ok(Figures::of(tallies.iter().filter(|tally| tally.month == month), site.akismet.hold))
}

/// Like `2026-11`, in UTC.
fn month(now: Timestamp) -> String {
    now.to_string().chars().take(7).collect()
}

fn is_month(text: &str) -> bool {
    text.len() == 7 && Timestamp::parse(&format!("{text}-01T00:00:00Z")).is_ok()
}

/// The month so many before; the same where it is none.
fn months_before(text: &str, months: i64) -> String {
    let Some((year, number)) =
        text.split_once('-').and_then(|(year, number)| Some((year.parse::<i64>().ok()?, number.parse::<i64>().ok()?)))
    else {
        return text.to_owned();
    };
    let count = year * 12 + number - 1 - months;
    format!("{:04}-{:02}", count.div_euclid(12), count.rem_euclid(12) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_found_wherever_clients_put_it() {
        let check = |fields: &str, host: Option<&str>, key_of, expected| {
            assert_eq!(key(&Form::of_query(fields).unwrap(), host, key_of), expected, "{fields} {host:?}");
        };
        let host = Some("hostkey.rest.akismet.com:80");
        check("", host, KeyOf::Comments, Some("hostkey"));
        check("api_key=&key=", host, KeyOf::Comments, Some("hostkey"));
        check("api_key=field", host, KeyOf::Comments, Some("field"));
        check("api_key=field&key=other", host, KeyOf::Comments, Some("field"));
        check("key=other", host, KeyOf::Comments, Some("other"));
        check("api_key=stored&key=typed", host, KeyOf::Account, Some("typed"));
        check("api_key=stored&key=", host, KeyOf::Account, Some(""));
        check("api_key=stored", host, KeyOf::Account, Some("stored"));
        check("", host, KeyOf::Account, Some("hostkey"));
        for keyless in [None, Some("localhost:8025"), Some("")] {
            check("", keyless, KeyOf::Comments, None);
        }
    }

    #[test]
    fn months_are_counted_back_over_new_year() {
        for (month, before, expected) in
            [("2026-11", 5, "2026-06"), ("2026-03", 5, "2025-10"), ("2026-01", 1, "2025-12"), ("2026-12", 0, "2026-12")]
        {
            assert_eq!(months_before(month, before), expected);
        }
        assert_eq!(month(Timestamp::parse("2026-11-30T23:59:59Z").unwrap()), "2026-11");
        assert!(is_month("2026-11"));
        for nonsense in ["2026-13", "2026-1", "11-2026", "2026-11-01", "'; --  ", ""] {
            assert!(!is_month(nonsense), "{nonsense}");
        }
    }
}
