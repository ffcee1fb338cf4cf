//! Facts: what the past says of comments about to be judged; the one read of the judge loop. Everything is counted from the comments
//! themselves as they stand, never from counters of its own, so that it follows every ruling and every change of mind; and it can be asked
//! again as it was then, for a dry run.

use super::{Reader, StoreError, rows};
use crate::clock::Timestamp;
use crate::comment::{Comment, DomainRecord, Facts, MemberRecord};
use crate::id::CommentId;
use crate::rules;
use crate::text::Reading;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;
use std::time::Duration;

/// The author's record is counted to this and no further: it saturates long before, and a busy author costs no more than a new one.
const RECORD_MAX: u32 = 20;

/// Of a member's comments the latest so many are looked at: what was ruled longer ago is forgiven.
const MEMBER_COMMENTS_MAX: u32 = 100;

/// Of a domain's comments the latest so many, so that a flood with it costs no more than a few.
const DOMAIN_COMMENTS_MAX: u32 = 50;

/// Of a page's comments the latest so many; spam that was rejected does not make it awake.
const PAGE_COMMENTS_MAX: u32 = 50;

impl Reader {
    /// What the past says of each comment and its text, in their order. One snapshot.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn facts<'a>(
        &self,
        comments: impl IntoIterator<Item = (&'a Comment, &'a Reading)>,
        now: Timestamp,
    ) -> Result<Vec<Facts>, StoreError> {
        self.with(|connection| comments.into_iter().map(|comment| facts(connection, comment, Until::Now, now)).collect())
    }

    /// What the past said of a stored comment when it was judged at `then`: by what had been judged before and ruled by that time. Of two
    /// batches in one millisecond the second is taken to have known nothing of the first.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn facts_then(&self, (comment, reading): (&Comment, &Reading), then: Timestamp) -> Result<Facts, StoreError> {
        self.with(|connection| {
            let (lately, alike) = super::traces::known(connection, comment)?;
            Ok(Facts { lately, alike, ..facts(connection, (comment, reading), Until::Then(then), then)? })
        })
    }
}

/// Where the past ends.
#[derive(Debug, Clone, Copy)]
enum Until {
    Now,
    /// Without what was judged from then on, and ruled later.
    Then(Timestamp),
}

impl Until {
    /// In SQL, the last ruling on the comment `c`, and whether its verdict was there to be seen. The time is `?4`.
    fn seen(self) -> (&'static str, &'static str) {
        match self {
            Self::Now => ("c.ruled", "?4 IS NULL"),
            Self::Then(_) => (
                "(SELECT r.ruling FROM rulings r WHERE r.comment = c.seq AND r.at <= ?4 ORDER BY r.seq DESC LIMIT 1)",
                "EXISTS (SELECT 1 FROM decisions d WHERE d.comment = c.seq AND d.decided_at < ?4)",
            ),
        }
    }

    fn time(self) -> Option<i64> {
        match self {
            Self::Now => None,
            Self::Then(then) => Some(then.ms()),
        }
    }
}

fn facts(connection: &Connection, (comment, reading): (&Comment, &Reading), until: Until, now: Timestamp) -> Result<Facts, StoreError> {
    let mut facts = Facts::none(now);
    let author = rows::author_key(comment);
    if let Some(author) = author {
        (facts.author_published, facts.author_spam, facts.author_removed) = author_record(connection, comment, author, until)?;
        if comment.author.role.is_some() {
            facts.member = member_record(connection, comment, author, until)?;
        }
    }
    if let Some(page) = rows::page_key(comment) {
        facts.page_quiet = Some(page_quiet(connection, comment, page, until)?);
    }
    let record = |domain| domain_record(connection, comment, domain, until);
    facts.domains = rules::domains_of(comment, reading).into_iter().map(record).collect::<Result<_, _>>()?;
    if comment.parent_body.is_none() {
        facts.parent_body = parent_body(connection, comment)?;
    }
    Ok(facts)
}

/// Published, ruled spam, removed.
fn author_record(connection: &Connection, comment: &Comment, author: [u8; 16], until: Until) -> Result<(u32, u32, u32), StoreError> {
    let (ruled, is_judged) = until.seen();
    // A site that only observes has everything published; what the machine would have said counts there, too.
    let of_author = "FROM comments c WHERE site = ?1 AND author = ?2 AND";
    let sql = format!(
        "SELECT (SELECT count(*) FROM (SELECT 1 {of_author} {ruled} = 'publish' LIMIT ?3))
              + (SELECT count(*) FROM (SELECT 1 {of_author} {ruled} IS NULL AND verdict = 'publish' AND {is_judged} LIMIT ?3)),
                (SELECT count(*) FROM (SELECT 1 {of_author} {ruled} = 'spam' LIMIT ?3)),
                (SELECT count(*) FROM (SELECT 1 {of_author} {ruled} = 'remove' LIMIT ?3))"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let bounds = params![comment.site.as_str(), author, RECORD_MAX, until.time()];
    Ok(statement.query_row(bounds, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
}

/// Of comments that came with a role alone: under a bare address anybody may have written.
fn member_record(connection: &Connection, comment: &Comment, author: [u8; 16], until: Until) -> Result<Option<MemberRecord>, StoreError> {
    let (ruled, is_judged) = until.seen();
    let vouched =
        format!("FROM comments c WHERE site = ?1 AND author = ?2 AND author IS NOT NULL AND role IS NOT NULL AND {is_judged} ORDER BY seq");
    let sql = format!(
        "SELECT (SELECT received_at {vouched} LIMIT 1), count(*) FILTER (WHERE ruled = 'publish' OR ruled IS NULL AND verdict = 'publish'),
                count(*) FILTER (WHERE ruled IN ('spam', 'remove'))
         FROM (SELECT {ruled} AS ruled, verdict {vouched} DESC LIMIT ?3)"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let bounds = params![comment.site.as_str(), author, MEMBER_COMMENTS_MAX, until.time()];
    let (first, published, unwanted) = statement.query_row(bounds, |row| Ok((row.get::<_, Option<i64>>(0)?, row.get(1)?, row.get(2)?)))?;
    let known_for = |first| comment.received_at.since(Timestamp::from_ms(first));
    Ok(first.map(|first| MemberRecord { known_for: known_for(first), published, unwanted }))
}

/// How long nothing was published on the page; for ever where nothing ever was.
fn page_quiet(connection: &Connection, comment: &Comment, page: [u8; 16], until: Until) -> Result<Duration, StoreError> {
    let (ruled, is_judged) = until.seen();
    let sql = format!(
        "SELECT max(received_at) FROM (SELECT received_at, {ruled} AS ruled, verdict FROM comments c
         WHERE site = ?1 AND page = ?2 AND page IS NOT NULL AND {is_judged} ORDER BY seq DESC LIMIT ?3)
         WHERE ruled = 'publish' OR ruled IS NULL AND verdict = 'publish'"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let bounds = params![comment.site.as_str(), page, PAGE_COMMENTS_MAX, until.time()];
    let last: Option<i64> = statement.query_row(bounds, |row| row.get(0))?;
    Ok(last.map_or(Duration::MAX, |last| comment.received_at.since(Timestamp::from_ms(last))))
}

/// Who ruled on what a comment said before an edit did not see the links that it has now.
fn domain_record(connection: &Connection, comment: &Comment, domain: String, until: Until) -> Result<DomainRecord, StoreError> {
    let (ruled, is_judged) = until.seen();
    let sql = format!(
        "SELECT c.author, iif(c.edited, NULL, {ruled}), c.verdict = 'publish', c.role IS NOT NULL FROM domains d JOIN comments c ON c.seq = d.comment
         WHERE d.site = ?1 AND d.domain = ?2 AND {is_judged} ORDER BY d.comment DESC LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let author = rows::author_key(comment);
    let mut record = DomainRecord { domain, ..DomainRecord::default() };
    let mut found = statement.query(params![comment.site.as_str(), record.domain, DOMAIN_COMMENTS_MAX, until.time()])?;
    let mut publishers: BTreeSet<Option<[u8; 16]>> = BTreeSet::new();
    while let Some(row) = found.next()? {
        let (by, ruled): (Option<[u8; 16]>, Option<String>) = (row.get(0)?, row.get(1)?);
        let (passed, is_vouched): (Option<bool>, bool) = (row.get(2)?, row.get(3)?);
        let is_published = ruled.as_deref().map_or(passed == Some(true), |ruling| ruling == "publish");
        record.by_author |= is_published && by.is_some() && by == author;
        record.spam += u32::from(ruled.as_deref() == Some("spam"));
        if is_published && (ruled.is_some() || is_vouched) {
            record.published += 1;
            publishers.insert(by);
        }
    }
    record.publishers = u32::try_from(publishers.len()).unwrap_or(u32::MAX);
    Ok(record)
}

/// The blog may call comments by our ids.
fn parent_body(connection: &Connection, comment: &Comment) -> Result<Option<String>, StoreError> {
    let Some(id) = comment.parent_id.as_deref().and_then(|id| id.parse::<CommentId>().ok()) else { return Ok(None) };
    let mut statement = connection.prepare_cached("SELECT body FROM comments WHERE id = ?1 AND site = ?2")?;
    Ok(statement.query_row(params![id.bytes(), comment.site.as_str()], |row| row.get(0)).optional()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::audit::Inclusion;
    use crate::classifier::Label;
    use crate::comment::{Alike, Lately, Limits, Submission};
    use crate::decision::{Decision, Mode, Policy, Recent, Ruling, Status, decide};
    use crate::dice::Dice;
    use crate::id::SiteId;
    use crate::rules::{Effect, Finding};
    use crate::store::{Bounds, Edit, Judged, NewRuling, Received, Record, Ruled, Store};
    use crate::trace::Trace;
    use proptest::prelude::*;

    /// A store of its own, and a clock that goes on by a second with everything that is written.
    struct Past {
        store: Store,
        seconds: i64,
        _data: tempfile::TempDir,
    }

    impl Past {
        fn new() -> Self {
            let data = tempfile::tempdir().unwrap();
            let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
            Self { store, seconds: 0, _data: data }
        }

        fn tick(&mut self) -> Timestamp {
            self.seconds += 1;
            Timestamp::from_ms(self.seconds * 1000)
        }

        fn comment(&mut self, submission: Submission) -> Comment {
            let now = self.tick();
            let limits = Limits { body_bytes_max: 1000, field_bytes_max: 1000, excerpt_bytes_max: 1000 };
            let dice = Dice::seeded(u64::try_from(self.seconds).unwrap());
            Comment::parse(submission, CommentId::new(now, &dice), SiteId::new("blog"), now, limits).unwrap()
        }

        /// Writes a comment that got the verdict of one rule.
        fn write(&mut self, submission: Submission, effect: Effect) -> Record {
            let comment = self.comment(submission);
            let decision = self.decide(effect);
            let (domains, audit) = (rules::domains_of(&comment, &Reading::of(&comment.body)), Inclusion::NONE);
            let (trace, remembered) = (Trace::default(), (Lately::default(), Alike::default()));
            let (seq, ruled, outgoing) = (None, None, Vec::new());
            let judged =
                Judged { comment, idempotency: None, decision, shadow: None, audit, domains, trace, remembered, seq, ruled, outgoing };
            let Received::New(record) = self.store.record(vec![judged]).wait().unwrap().remove(0) else { panic!("known") };
            *record
        }

        fn decide(&mut self, effect: Effect) -> Decision {
            let finding = Finding { code: "a_rule".into(), effect, text: String::new(), log_odds: 0.0, entries: Vec::new() };
            let policy = Policy { publish_max: 0.1, reject_min: 0.9, discard_min: 0.99 };
            decide(vec![finding], None, Recent::default(), policy, Mode::Enforce, self.tick())
        }

        /// Lets the comment, which has been ruled on once, say something else.
        fn edit(&mut self, record: &Record, submission: Submission, effect: Effect) {
            let comment = Comment { id: record.comment.id, ..self.comment(submission) };
            let (decision, domains) = (self.decide(effect), rules::domains_of(&comment, &Reading::of(&comment.body)));
            let (trace, remembered, version) = (Trace::default(), (Lately::default(), Alike::default()), record.version + 1);
            let edit = Edit { comment, version, decision, domains, trace, remembered };
            assert!(self.store.edit(edit, |_| Vec::new()).wait().unwrap().unwrap().1);
        }

        /// What the site's model learns, one ruling after the other.
        fn relabelled(&self) -> Vec<(String, Option<Label>)> {
            let all = self.store.read().relabelled(&SiteId::new("blog"), (0, 0), 10).unwrap();
            all.into_iter().map(|change| (change.body, change.now)).collect()
        }

        fn rule(&mut self, record: &Record, ruling: Ruling) {
            let ruled = Ruled { ruling, by: "ana".into(), via: "cli".into(), at: self.tick() };
            let new = NewRuling::new(record.comment.site.clone(), record.comment.id, ruled);
            self.store.rule(new, |_| Vec::new()).wait().unwrap();
        }

        fn facts(&mut self, submission: Submission) -> Facts {
            let comment = self.comment(submission);
            let now = self.tick();
            self.store.read().facts([(&comment, &Reading::of(&comment.body))], now).unwrap().remove(0)
        }
    }

    fn by(author: &str, body: &str) -> Submission {
        Submission { email: Some(format!("{author}@mail.example")), body: Some(body.into()), ..Submission::default() }
    }

    fn domain(past: &mut Past, author: &str) -> (u32, u32, u32, bool) {
        let record = past.facts(by(author, "see http://x.tea.example/")).domains.remove(0);
        assert_eq!(record.domain, "tea.example");
        (record.published, record.publishers, record.spam, record.by_author)
    }

    #[test]
    fn a_ruling_is_a_word_on_the_text_that_it_was_on() {
        let mut past = Past::new();
        let comment = past.write(by("eve", "a kind word"), Effect::Trust);
        past.rule(&comment, Ruling::Publish);
        past.edit(&comment, by("eve", "see http://x.tea.example/"), Effect::Trust);
        assert_eq!(domain(&mut past, "ana"), (0, 0, 0, false), "who let the kind word pass saw no link");
        let kind = ("a kind word".to_owned(), Some(Label::Ham));
        assert_eq!(past.relabelled(), std::slice::from_ref(&kind));
        past.rule(&comment, Ruling::Spam);
        assert_eq!(domain(&mut past, "ana"), (0, 0, 1, false));
        assert_eq!(past.relabelled(), [kind, ("see http://x.tea.example/".to_owned(), Some(Label::Spam))]);
    }

    #[test]
    fn a_domain_s_record_follows_every_ruling() {
        let mut past = Past::new();
        assert_eq!(domain(&mut past, "ana"), (0, 0, 0, false));
        let passed = past.write(by("ana", "http://tea.example"), Effect::Trust);
        assert_eq!(domain(&mut past, "ana"), (0, 0, 0, true), "what the filter let through proves nothing to others");
        let held = past.write(by("bob", "http://tea.example"), Effect::Hold);
        past.rule(&held, Ruling::Publish);
        past.rule(&passed, Ruling::Publish);
        assert_eq!(domain(&mut past, "eve"), (2, 2, 0, false));
        past.rule(&passed, Ruling::Spam);
        assert_eq!(domain(&mut past, "ana"), (1, 1, 1, false));
        past.rule(&passed, Ruling::Remove);
        assert_eq!(domain(&mut past, "ana"), (1, 1, 0, false));
        let member = Submission { role: Some("subscriber".into()), ..by("joe", "http://tea.example") };
        past.write(member, Effect::Trust);
        assert_eq!(domain(&mut past, "eve"), (2, 2, 0, false));
    }

    #[test]
    fn a_member_s_record_holds_what_came_with_a_role() {
        let mut past = Past::new();
        let member = |body| Submission { role: Some("subscriber".into()), ..by("ana", body) };
        past.write(by("ana", "as a guest"), Effect::Trust);
        assert_eq!(past.facts(member("hi")).member, None);
        let first = past.write(member("one"), Effect::Trust);
        past.write(member("two"), Effect::Hold);
        let record = past.facts(member("three")).member.unwrap();
        let since_first = i64::try_from(record.known_for.as_millis()).unwrap() + first.comment.received_at.ms();
        assert_eq!((record.published, record.unwanted, since_first), (1, 0, (past.seconds - 1) * 1000));
        past.rule(&first, Ruling::Remove);
        let record = past.facts(member("four")).member.unwrap();
        assert_eq!((record.published, record.unwanted), (0, 1));
        assert_eq!(past.facts(by("ana", "as a guest")).member, None);
    }

    #[test]
    fn a_page_is_quiet_since_its_last_published_comment() {
        let mut past = Past::new();
        let page = |url: &str, published_at: Option<&str>| Submission {
            page_url: Some(url.into()),
            page_published_at: published_at.map(str::to_owned),
            ..by("ana", "hi")
        };
        let old = || page("http://a.example/", Some("1969-01-01T00:00:00Z"));
        assert_eq!(past.facts(page("http://a.example/", None)).page_quiet, None);
        assert_eq!(past.facts(old()).page_quiet, Some(Duration::MAX));
        let written = past.write(old(), Effect::Trust);
        past.write(old(), Effect::Reject);
        past.write(page("http://b.example/", Some("1969-01-01T00:00:00Z")), Effect::Trust);
        let quiet = past.facts(old()).page_quiet.unwrap();
        assert_eq!(i64::try_from(quiet.as_millis()).unwrap() + written.comment.received_at.ms(), (past.seconds - 1) * 1000);
        past.rule(&written, Ruling::Spam);
        assert_eq!(past.facts(old()).page_quiet, Some(Duration::MAX));
    }

    #[test]
    fn a_parent_is_found_by_our_id_on_its_own_site() {
        let mut past = Past::new();
        let parent = past.write(by("ana", "A question."), Effect::Trust);
        let answer = |id: String| Submission { parent_id: Some(id), ..by("bob", "An answer.") };
        let id = parent.comment.id.to_string();
        assert_eq!(past.facts(answer(id.clone())).parent_body.as_deref(), Some("A question."));
        assert_eq!(past.facts(answer("17".into())).parent_body, None);
        let sent = Submission { parent_body: Some("As the blog has it.".into()), ..answer(id) };
        assert_eq!(past.facts(sent).parent_body, None);
    }

    #[test]
    fn what_the_past_said_then_is_what_it_said() {
        let mut past = Past::new();
        let linked = || Submission { role: Some("subscriber".into()), ..by("ana", "http://tea.example") };
        let on_page = || Submission { page_url: Some("p".into()), page_published_at: Some("1969-01-01T00:00:00Z".into()), ..linked() };
        let mut told = Vec::new();
        for step in 0..6 {
            let asked = past.comment(on_page());
            let now = past.tick();
            told.push((asked.clone(), now, past.store.read().facts([(&asked, &Reading::of(&asked.body))], now).unwrap().remove(0)));
            let record = past.write(on_page(), if step % 2 == 0 { Effect::Trust } else { Effect::Hold });
            let rulings = [Ruling::Publish, Ruling::Spam, Ruling::Remove];
            past.rule(&record, rulings[step % 3]);
        }
        for (asked, then, facts) in told {
            assert_eq!(past.store.read().facts_then((&asked, &Reading::of(&asked.body)), then).unwrap(), facts);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn a_domain_s_record_is_what_its_comments_stand_for(steps in prop::collection::vec((0..3_usize, 0..3_usize, 0..4_usize), 1..12)) {
            let mut past = Past::new();
            let mut records: Vec<Record> = Vec::new();
            for (author, effect, ruling) in steps {
                let effects = [Effect::Trust, Effect::Hold, Effect::Reject];
                let record = past.write(by(["ana", "bob", "eve"][author], "http://tea.example"), effects[effect]);
                records.push(record);
                let rulings = [Ruling::Publish, Ruling::Spam, Ruling::Remove];
                let (target, changed) = (author % records.len(), rulings.get(ruling));
                if let Some(ruling) = changed {
                    let record = records[target].clone();
                    past.rule(&record, *ruling);
                    let now = past.store.read().comment(&record.comment.site, record.comment.id).unwrap().unwrap();
                    records[target] = now;
                }
            }
            let ruled = |wanted: Ruling| records.iter().filter(|record| record.ruled.as_ref().is_some_and(|ruled| ruled.ruling == wanted)).count();
            let by_ana = records.iter().any(|record| record.status == Status::Published && record.comment.author.email.as_deref() == Some("ana@mail.example"));
            let (published, _, spam, by_author) = domain(&mut past, "ana");
            prop_assert_eq!((published as usize, spam as usize, by_author), (ruled(Ruling::Publish), ruled(Ruling::Spam), by_ana));
        }
    }
}
