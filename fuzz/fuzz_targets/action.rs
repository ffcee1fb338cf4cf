//! Review tokens, nonces, form tokens, links that pause and marks of return addresses: no bytes that we did not sign give a right.
#![no_main]

use hamlet::action::Keys;
use hamlet::clock::Timestamp;
use hamlet::id::SiteId;
use libfuzzer_sys::fuzz_target;
use std::time::Duration;

fuzz_target!(|bytes: &[u8]| {
    let keys = Keys::new(vec![(1, [1; 32]), (2, [2; 32])]);
    let text = String::from_utf8_lossy(bytes);
    let now = Timestamp::from_ms(0);
    assert!(keys.verify_review(&text, now).is_err());
    assert!(keys.verify_nonce(&text, "token", 1, 1, now, Duration::from_secs(900)).is_err());
    assert!(keys.verify_form(&text, &SiteId::new("blog")).is_err());
    assert!(keys.verify_pause(&text).is_err());
    assert!(keys.verify_confirm(&text, now, |_| Some("ana@a.example")).is_err());
    assert!(keys.verify_mark(&text).is_err());
});
