//! Model files: any bytes are a model or refused, and a model that was read is written back byte for byte.
#![no_main]

use hamlet::classifier::{Features, Model};
use hamlet::text::Reading;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(model) = Model::from_bytes(bytes) {
        assert!(model.to_bytes() == bytes);
        let _ = model.probability(&mut Features::default(), &Reading::of("a comment like any other, https://example.org"));
    }
});
