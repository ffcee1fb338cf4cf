//! Model files: any bytes are a model or refused, and a model that was read is written back byte for byte. The checksum would turn nearly all of
//! them away at the door, so it is made to fit: of the bytes themselves, and of the model that ships with some of its bytes replaced.
#![no_main]

use hamlet::classifier::{Features, Model};
use hamlet::shelf;
use hamlet::text::Reading;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// Bytes of the checksum at the end.
const CHECKSUM_BYTES: usize = 32;

static STARTER: LazyLock<Vec<u8>> = LazyLock::new(|| shelf::starter().unwrap().to_bytes());

fn read(bytes: &[u8]) {
    if let Ok(model) = Model::from_bytes(bytes) {
        assert!(model.to_bytes() == bytes);
        let _ = model.probability(&mut Features::default(), &Reading::of("a comment like any other, https://example.org"));
    }
}

fn summed(mut content: Vec<u8>) -> Vec<u8> {
    let sum = Sha256::digest(&content);
    content.extend(sum);
    content
}

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    // What begins as a model does, up to the version of the format.
    read(&summed([&STARTER[..12], bytes].concat()));
    // The whole model is a megabyte and more: one in sixteen.
    if let Some((at, patch)) = bytes.split_first_chunk()
        && patch.len() % 16 == 0
    {
        let mut content = STARTER[..STARTER.len() - CHECKSUM_BYTES].to_vec();
        let at = u32::from_le_bytes(*at) as usize % content.len();
        let end = content.len().min(at + patch.len());
        content[at..end].copy_from_slice(&patch[..end - at]);
        read(&summed(content));
    }
});
