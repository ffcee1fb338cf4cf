//! DNS answers: any bytes are read or refused, and what they say stays within bounds.
#![no_main]

use hamlet::dns::{Reply, question, reply};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(asked) = question(0x1234, "44.33.22.11.bl.example.org") else { return };
    let _ = reply(bytes, &asked);
    // With the question repeated, so that the records are reached.
    let mut answer = asked.clone();
    answer[2] |= 0x80;
    if let (Some(counts), Some(records)) = (bytes.get(..4), bytes.get(4..)) {
        answer[6..10].copy_from_slice(counts);
        answer.extend(records);
    }
    if let Some(Reply::Addresses(addresses, _)) = reply(&answer, &asked) {
        assert!((1..=16).contains(&addresses.len()));
    }
    if let Ok(name) = std::str::from_utf8(bytes)
        && let Some(asked) = question(1, name)
    {
        assert!(asked.len() <= 12 + 255 + 4);
    }
});
