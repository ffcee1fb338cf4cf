//! What a site can ask about its comments as a whole: a listing, the newest first, and figures by month.

use super::api::Peer;
use super::auth;
use super::error::Problem;
use crate::access::Scope;
use crate::clock::Timestamp;
use crate::decision::{Ruling, Status, Verdict};
use crate::flow::App;
use crate::flow::document::Document;
use crate::id::CommentId;
use crate::store::{Record, Sought, Tally};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Comments in one answer where the client does not say, and at most: about 200 KB.
const LIMIT: usize = 50;
const LIMIT_MAX: usize = 200;

/// The query of a listing, as it was sent. Names that are none of these are ignored.
#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    status: Option<String>,
    since: Option<String>,
    until: Option<String>,
    author_sha256: Option<String>,
    page_url: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

#[derive(Serialize)]
pub struct ListDocument {
    comments: Vec<ListedDocument>,
    /// Null at the end.
    next_cursor: Option<String>,
}

/// The document of a comment, and by what a site finds it again.
#[derive(Serialize)]
struct ListedDocument {
    #[serde(flatten)]
    document: Document,
    received_at: String,
    page_url: Option<String>,
    /// Whether a person is asked about it.
    waits: bool,
}

impl From<&Record> for ListedDocument {
    fn from(record: &Record) -> Self {
        Self {
            document: Document::of_record(record),
            received_at: record.comment.received_at.to_string(),
            page_url: record.comment.page.url.clone(),
            waits: record.waits(),
        }
    }
}

/// What a query asks for, understood.
#[derive(Debug)]
struct Asked {
    status: Option<Status>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    author: Option<[u8; 16]>,
    page_url: Option<String>,
    limit: usize,
    after: Option<CommentId>,
}

impl Asked {
    fn read(query: ListQuery) -> Result<Self, Problem> {
        let time = |text: &str| Timestamp::parse(text).ok();
        let limit = |text: &str| text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        Ok(Self {
            status: read("status", query.status, "one of queued, published, held, rejected", Status::parse)?,
            since: read("since", query.since, "an RFC 3339 time like 2026-11-22T09:30:00Z", time)?,
            until: read("until", query.until, "an RFC 3339 time like 2026-11-22T09:30:00Z", time)?,
            author: read(
                "author_sha256",
                query.author_sha256,
                "the SHA-256 of the lower-cased email address, in 64 hexadecimal digits",
                half,
            )?,
            page_url: query.page_url,
            limit: read("limit", query.limit, "a number from 1 to 200", limit)?.unwrap_or(LIMIT),
            after: read("cursor", query.cursor, "the `next_cursor` of an answer, as it came", |text| text.parse().ok())?,
        })
    }
}

fn read<T>(field: &'static str, value: Option<String>, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
    let Some(value) = value else { return Ok(None) };
    let read = parse(&value);
    if read.is_none() {
        return Err(malformed(field, expected));
    }
    Ok(read)
}

fn malformed(field: &'static str, expected: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "field malformed", format!("`{field}` cannot be read; write {expected}")).about(field)
}

/// The half of a SHA-256 that the store keeps.
fn half(hexadecimal: &str) -> Option<[u8; 16]> {
    if hexadecimal.len() != 64 || !hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(hexadecimal.get(..32)?, 16).ok().map(u128::to_be_bytes)
}

pub async fn list(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<ListDocument>, Problem> {
    let site = auth::site(&app, &headers, peer, Scope::Rule)?;
    let Query(query) = query.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "query malformed", error.body_text()))?;
    let asked = Asked::read(query)?;
    let Asked { status, since, until, author, page_url, .. } = asked;
    let sought = Sought { site: site.id.clone(), status, since, until, author, page_url };
    let listed = app.store.read().list(&sought, asked.after, asked.limit)?;
    let listed = listed.ok_or_else(|| malformed("cursor", "the `next_cursor` of an answer to this site, as it came"))?;
    let comments = listed.records.iter().map(ListedDocument::from).collect();
    Ok(Json(ListDocument { comments, next_cursor: listed.next.map(|id| id.to_string()) }))
}

#[derive(Serialize)]
pub struct StatisticsDocument {
    /// Comments that wait for a person now, and for the judge.
    waiting: usize,
    queued: usize,
    /// The oldest first, in UTC.
    months: Vec<Figures>,
}

/// One month, by what the machine said and what people said after it.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Figures {
    month: String,
    publish: u64,
    hold: u64,
    reject: u64,
    ruled_publish: u64,
    ruled_spam: u64,
    ruled_remove: u64,
    /// Published by the machine, and spam by a person's ruling;
    spam_published: u64,
    /// rejected by the machine, and published by a person's ruling. Who is only asked about the doubtful sees few of either.
    ham_rejected: u64,
}

impl Figures {
    fn add(&mut self, tally: &Tally) {
        let verdict = match tally.verdict {
            Verdict::Publish => &mut self.publish,
            Verdict::Hold => &mut self.hold,
            Verdict::Reject => &mut self.reject,
        };
        *verdict += tally.comments;
        match tally.ruled {
            None => {}
            Some(Ruling::Publish) => self.ruled_publish += tally.comments,
            Some(Ruling::Spam) => self.ruled_spam += tally.comments,
            Some(Ruling::Remove) => self.ruled_remove += tally.comments,
        }
        match (tally.verdict, tally.ruled) {
            (Verdict::Publish, Some(Ruling::Spam)) => self.spam_published += tally.comments,
            (Verdict::Reject, Some(Ruling::Publish)) => self.ham_rejected += tally.comments,
            (Verdict::Publish | Verdict::Hold | Verdict::Reject, _) => {}
        }
    }
}

fn months(tallies: &[Tally]) -> Vec<Figures> {
    let mut months: Vec<Figures> = Vec::new();
    for tally in tallies {
        if months.last().is_none_or(|last| last.month != tally.month) {
            months.push(Figures { month: tally.month.clone(), ..Figures::default() });
        }
        months.last_mut().into_iter().for_each(|month| month.add(tally));
    }
    months
}

pub async fn statistics(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
) -> Result<Json<StatisticsDocument>, Problem> {
    let site = auth::site(&app, &headers, peer, Scope::Rule)?;
    let reader = app.store.read();
    let months = months(&reader.tallies(&site.id)?);
    Ok(Json(StatisticsDocument {
        waiting: reader.waits(&site.id, app.clock.now())?.comments,
        queued: app.store.queued_of(site.id.as_str()),
        months,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(query: ListQuery) -> String {
        let problem = Asked::read(query).unwrap_err();
        assert_eq!(problem.status(), StatusCode::UNPROCESSABLE_ENTITY);
        problem.detail().split('`').nth(1).unwrap_or_default().to_owned()
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(refused(ListQuery { status: text("spam"), ..ListQuery::default() }), "status");
        assert_eq!(refused(ListQuery { since: text("yesterday"), ..ListQuery::default() }), "since");
        assert_eq!(refused(ListQuery { until: text(""), ..ListQuery::default() }), "until");
        assert_eq!(refused(ListQuery { author_sha256: text("ana@a.example"), ..ListQuery::default() }), "author_sha256");
        assert_eq!(refused(ListQuery { cursor: text("7"), ..ListQuery::default() }), "cursor");
        for limit in ["0", "201", "-1", "many", "99999999999999999999"] {
            assert_eq!(refused(ListQuery { limit: text(limit), ..ListQuery::default() }), "limit", "{limit}");
        }
        let asked = Asked::read(ListQuery::default()).unwrap();
        assert_eq!((asked.limit, asked.after, asked.status), (LIMIT, None, None));
    }

    #[test]
    fn an_author_is_found_by_half_of_a_hash() {
        let hash = format!("{}{}", "0f".repeat(16), "ab".repeat(16));
        assert_eq!(half(&hash), Some([0x0f; 16]));
        for none in ["", "0f", &hash[1..], &format!("+{}", &hash[1..]), &"é".repeat(32)] {
            assert_eq!(half(none), None, "{none}");
        }
    }

    #[test]
    fn months_add_up_verdicts_and_what_people_said_after_them() {
        let tally = |month: &str, verdict, ruled, comments| Tally { month: month.into(), verdict, ruled, comments };
        let added = months(&[
            tally("2026-10", Verdict::Publish, None, 5),
            tally("2026-10", Verdict::Publish, Some(Ruling::Spam), 1),
            tally("2026-10", Verdict::Reject, Some(Ruling::Publish), 2),
            tally("2026-11", Verdict::Hold, Some(Ruling::Remove), 3),
        ]);
        let october =
            Figures { publish: 6, reject: 2, ruled_spam: 1, ruled_publish: 2, spam_published: 1, ham_rejected: 2, ..Figures::default() };
        let november = Figures { hold: 3, ruled_remove: 3, ..Figures::default() };
        assert_eq!(added, [Figures { month: "2026-10".into(), ..october }, Figures { month: "2026-11".into(), ..november }]);
    }

    proptest! {
        #[test]
        fn any_query_is_read_or_refused(texts in proptest::collection::vec(proptest::option::of("\\PC{0,70}"), 7)) {
            let mut texts = texts.into_iter().flatten().map(Some);
            let mut next = || texts.next().flatten();
            let query = ListQuery {
                status: next(), since: next(), until: next(), author_sha256: next(), page_url: next(), limit: next(), cursor: next(),
            };
            let _ = Asked::read(query);
        }
    }
}
