//! DNS answers: any bytes are read or refused, and what they say stays within bounds.
#![no_main]

use hamlet::dns::{Reply, Wanted, question, reply};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for wanted in [Wanted::Addresses, Wanted::Texts] {
        let Some(asked) = question(0x1234, "44.33.22.11.bl.example.org", wanted) else { return };
        let _ = reply(bytes, &asked);
        // With the question repeated, so that the records are reached.
        let mut answer = asked.clone();
        answer[2] |= 0x80;
        if let (Some(counts), Some(records)) = (bytes.get(..4), bytes.get(4..)) {
            answer[6..10].copy_from_slice(counts);
            answer.extend(records);
        }
        match reply(&answer, &asked) {
            Some(Reply::Addresses(addresses, _)) => assert!(wanted == Wanted::Addresses && (1..=16).contains(&addresses.len())),
            Some(Reply::Texts(texts)) => assert!(wanted == Wanted::Texts && (1..=64).contains(&texts.len())),
            Some(Reply::Nothing(_) | Reply::Failed) | None => {}
        }
        if let Ok(name) = std::str::from_utf8(bytes)
            && let Some(asked) = question(1, name, wanted)
        {
            assert!(asked.len() <= 12 + 255 + 4);
        }
    }
});
