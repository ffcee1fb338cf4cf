//! Labelled comments as JSONL: any bytes are read line by line or refused with a line's number.
#![no_main]

use hamlet::flow::examples::{lines, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let good = lines(bytes).filter(Result::is_ok).count();
    if let Ok((examples, skipped)) = read(bytes) {
        assert_eq!(examples.len() + skipped, good);
    }
});
