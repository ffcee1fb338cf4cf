//! Samples for the tests of this room: three comments made with real core types, and items made of them.

use super::{History, Item};
use crate::classifier::{Contribution, Score};
use crate::clock::Timestamp;
use crate::comment::{Comment, Limits, Submission};
use crate::decision::{Decision, Mode, Policy, Recent, Status, decide};
use crate::dice::Dice;
use crate::id::{CommentId, ModelId, SiteId};
use crate::rules::{Effect, Finding};

pub struct Sample {
    pub comment: Comment,
    pub decision: Decision,
    pub history: History,
}

/// 2026-11-22T15:00:00Z.
pub fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T15:00:00Z").unwrap()
}

/// 2026-11-29T15:00:00Z.
pub fn expiry() -> Timestamp {
    Timestamp::parse("2026-11-29T15:00:00Z").unwrap()
}

pub fn comment(name: &str, email: &str, title: &str, body: &str, minutes_ago: i64) -> Comment {
    let received = Timestamp::from_ms(now().ms() - minutes_ago * 60_000);
    let submission = Submission {
        name: Some(name.into()),
        email: Some(email.into()),
        page_title: Some(title.into()),
        body: Some(body.into()),
        ..Submission::default()
    };
    let limits = Limits { body_bytes_max: 1 << 20, field_bytes_max: 1 << 16, excerpt_bytes_max: 1 << 12 };
    Comment::parse(submission, CommentId::new(received, &Dice::seeded(7)), SiteId::new("blog"), received, limits).unwrap()
}

pub fn decision(log_odds: Option<f64>, findings: &[(&str, Effect, &str, f64)], evidence: &[(&str, f64)]) -> Decision {
    let findings = findings
        .iter()
        .map(|(code, effect, text, log_odds)| Finding { log_odds: *log_odds, ..Finding::new(*code, *effect, *text) })
        .collect();
    let evidence = evidence.iter().map(|(what, log_odds)| Contribution { what: (*what).into(), log_odds: *log_odds }).collect();
    let score = log_odds.map(|log_odds| Score { log_odds, model: ModelId::new("m1"), evidence });
    decide(findings, score, Recent::default(), Policy { publish_max: 0.05, reject_min: 0.99, discard_min: 0.999 }, Mode::Enforce, now())
}

pub fn jane() -> Sample {
    let body = "Hi, I also had this problem until a friend showed me where to compare offers. My first grinder was so uneven that the \
        filter clogged every time. I tried a sieve, a second sieve, and then a third one, and the kitchen looked like a quarry.\n\n\
        Now I use https://cheap-loans.example/best\u{200b}-grinder and it changed my mornings forever, thank me later.";
    Sample {
        comment: comment("Jane D.", "jane@gmail.com", "How we brew coffee", body, 300),
        decision: decision(
            Some(2.0),
            &[("first_link", Effect::Hold, "first comment of this author, with a link", 0.0)],
            &[("link to cheap-loans[.]example", 2.1), ("“mornings forever”", 0.9), ("“grinder”", -0.8), ("“filter”", -0.4)],
        ),
        history: History::default(),
    }
}

pub fn omar() -> Sample {
    let body = "Nice. I measured the same: see docs.rs/slow-kettle, and the two plots at omar-bench.example. The third run is the odd one.";
    Sample {
        comment: comment("Omar", "omar@mail.org", "Release 2.0", body, 120),
        decision: decision(
            Some(1.0),
            &[("many_links", Effect::Evidence, "3 links", 0.0), ("author_record", Effect::Evidence, "4 earlier published", -1.6)],
            &[("“measured”", -0.6), ("link to docs[.]rs", 0.3)],
        ),
        history: History { published: 4, spam: 0 },
    }
}

pub fn salma() -> Sample {
    let body = "شكرا على المقال. جربت الطريقة نفسها مع ماء أبرد قليلا. كتبت القياسات هنا: salma.example/cold-brew";
    Sample {
        comment: comment("سلمى", "salma@post.example", "Cold water, slow morning", body, 50),
        decision: decision(
            Some(-1.0),
            &[("author_record", Effect::Evidence, "2 earlier published", -1.1)],
            &[("link to salma[.]example", 0.8), ("“ماء أبرد”", -0.9)],
        ),
        history: History { published: 2, spam: 0 },
    }
}

pub fn three() -> Vec<Sample> {
    vec![jane(), omar(), salma()]
}

pub fn items(samples: &[Sample]) -> Vec<Item<'_>> {
    samples
        .iter()
        .enumerate()
        .map(|(index, sample)| Item {
            is_check: false,
            objections: crate::view::Objections::default(),
            number: index + 1,
            comment: &sample.comment,
            decision: &sample.decision,
            status: Status::Held,
            history: sample.history,
            ruled: None,
            copy_of: None,
        })
        .collect()
}
