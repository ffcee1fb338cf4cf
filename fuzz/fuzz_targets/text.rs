//! Reading any text: markup, folding, links and features are total, and folding twice is folding once.
#![no_main]

use hamlet::classifier::Features;
use hamlet::classifier::hashing::Hashing;
use hamlet::text::normalise::fold;
use hamlet::text::{Reading, html};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let _ = html::strip(&text);
    let folded = fold(&text);
    assert_eq!(fold(&folded), folded);
    let reading = Reading::of(&text);
    Features::default().read(&reading, &Hashing::of(1));
});
