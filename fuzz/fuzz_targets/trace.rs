//! Any text has a trace, which comes back as it was written and is alike itself; any bytes are a trace or none.
#![no_main]

use hamlet::classifier::hashing::Hashing;
use hamlet::clock::Timestamp;
use hamlet::comment::{Comment, Limits, Submission};
use hamlet::dice::Dice;
use hamlet::id::{CommentId, SiteId};
use hamlet::text::Reading;
use hamlet::trace::Trace;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(trace) = Trace::from_bytes(bytes) {
        assert_eq!(trace.bytes().len(), bytes.len());
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (now, limits) = (Timestamp::from_ms(0), Limits { body_bytes_max: 1 << 20, field_bytes_max: 1 << 12, excerpt_bytes_max: 1 << 12 });
    let submission = Submission { url: Some(text.chars().take(200).collect()), body: Some(text), ..Submission::default() };
    let id = CommentId::new(now, &Dice::seeded(1));
    let Ok(comment) = Comment::parse(submission, id, SiteId::new("blog"), now, limits) else { return };
    let trace = Trace::of(&comment, &Reading::of(&comment.body), &Hashing::of(1));
    assert_eq!(Trace::from_bytes(&trace.bytes()), Some(trace));
    assert!(trace.sketch.is_none_or(|sketch| sketch.likeness(&sketch) > 0.999));
});
