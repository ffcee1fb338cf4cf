//! A submission as it comes from the wire: any JSON is parsed or refused, and whatever was parsed is judged.
#![no_main]

use hamlet::clock::Timestamp;
use hamlet::comment::{Comment, Facts, Limits, Submission};
use hamlet::config::{Config, Secret};
use hamlet::dice::Dice;
use hamlet::flow::judge::judge;
use hamlet::flow::models::SiteModel;
use hamlet::id::{CommentId, SiteId};
use hamlet::text::Reading;
use libfuzzer_sys::fuzz_target;
use std::net::SocketAddr;
use std::sync::LazyLock;

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let listen = SocketAddr::from(([127, 0, 0, 1], 8025));
    Config::demo("data".into(), listen, "http://127.0.0.1:8025/demo/webhook".into(), Secret::new([7; 32])).unwrap()
});

static MODEL: LazyLock<SiteModel> = LazyLock::new(|| SiteModel::new(hamlet::shelf::starter().unwrap()));

fuzz_target!(|bytes: &[u8]| {
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let field = |name: &str| json.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let submission = Submission {
        name: field("name"),
        email: field("email"),
        url: field("url"),
        body: field("body"),
        ip: field("ip"),
        user_agent: field("user_agent"),
        page_url: field("page_url"),
        page_title: field("page_title"),
        page_excerpt: field("page_excerpt"),
        page_published_at: field("page_published_at"),
        parent_id: field("parent_id"),
        parent_body: field("parent_body"),
        kind: field("type"),
        role: field("role"),
        submitted_at: field("submitted_at"),
        form_token: field("form_token"),
        honeypot: field("honeypot"),
        callback: None,
    };
    let now = Timestamp::from_ms(1_795_000_000_000);
    let id = CommentId::new(now, &Dice::seeded(1));
    let limits = Limits { body_bytes_max: 1 << 20, field_bytes_max: 8192, excerpt_bytes_max: 4096 };
    let Ok(comment) = Comment::parse(submission, id, SiteId::new("demo"), now, limits) else { return };
    let site = CONFIG.sites.values().next().unwrap();
    let (decision, _) = judge((&comment, &Reading::of(&comment.body)), &Facts::none(now), site, Some(&MODEL), &mut hamlet::classifier::Features::default());
    assert!(decision.score.is_some_and(|score| (0.0..=1.0).contains(&score)));
});
