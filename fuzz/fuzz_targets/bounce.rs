//! Delivery reports: any bytes are read to their end, and what is told of them is short and holds no words of theirs.
#![no_main]

use hamlet::bounce;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(report) = bounce::read(bytes) {
        assert!(report.status.len() <= 9 && report.status.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
        assert!(report.mark.is_none_or(|mark| mark.len() == 48));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = bounce::mark(text);
    }
});
