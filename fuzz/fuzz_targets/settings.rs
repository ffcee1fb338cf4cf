//! Settings: any file is read and checked, or refused with its problems named.
#![no_main]

use hamlet::config::Settings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let file = std::env::temp_dir().join(format!("hamlet-fuzz-{}.toml", std::process::id()));
    std::fs::write(&file, bytes).unwrap();
    if let Err(problems) = Settings::load(Some(&file), std::iter::empty()).and_then(Settings::check) {
        assert!(!problems.to_string().is_empty());
    }
});
