//! Lists: any bytes are a list of any kind, and any comment can be looked up in it.
#![no_main]

use hamlet::clock::Timestamp;
use hamlet::comment::{Comment, Facts, Limits, Submission};
use hamlet::dice::Dice;
use hamlet::id::{CommentId, SiteId};
use hamlet::rules::lists::{Kind, List, Place, Spec};
use hamlet::rules::{Case, Effect, Settings, apply};
use hamlet::text::Reading;
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;

fuzz_target!(|input: (u8, bool, &[u8], &str)| {
    let (choice, whole_words, bytes, text) = input;
    let kind = Kind::ALL[usize::from(choice) % Kind::ALL.len()];
    let effect = [Effect::Hold, Effect::Trust][usize::from(choice >> 7)];
    let spec = Spec { whole_words, places: Place::ALL.to_vec(), ..Spec::new("fuzz", kind, effect) };
    let list = List::read(spec, bytes);
    assert!(list.bad_lines.len() <= list.bad_count);
    let now = Timestamp::from_ms(0);
    let field = || Some(text.chars().take(60).collect::<String>());
    let submission = Submission { name: field(), email: field(), url: field(), user_agent: field(), body: Some(text.into()), ..Submission::default() };
    let limits = Limits { body_bytes_max: 1 << 20, field_bytes_max: 1 << 10, excerpt_bytes_max: 1 << 10 };
    let Ok(comment) = Comment::parse(submission, CommentId::new(now, &Dice::seeded(1)), SiteId::new("fuzz"), now, limits) else { return };
    let settings = Settings { lists: vec![Arc::new(list)], ..Settings::default() };
    let facts = Facts::none(now);
    for finding in apply(&Case { comment: &comment, reading: &Reading::of(&comment.body), facts: &facts, settings: &settings }) {
        assert!(!finding.code.starts_with("list:") || !finding.entries.is_empty());
    }
});
