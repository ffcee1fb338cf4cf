//! Where a form may send readers: whatever a URL is written like, a browser that follows it stays at home.
#![no_main]

use hamlet::config::{Form, Settings};
use hamlet::id::SiteId;
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

const SETTINGS: &str = "[sites.blog]\napi_key = 'an-api-key-00'\nform = { origins = ['https://blog.example'] }\n";

static FORM: OnceLock<Form> = OnceLock::new();

fn form() -> Form {
    let path = std::env::temp_dir().join(format!("hamlet-fuzz-home-{}.toml", std::process::id()));
    std::fs::write(&path, SETTINGS).unwrap();
    let settings = Settings::load(Some(&path), std::iter::empty()).unwrap();
    std::fs::remove_file(&path).unwrap();
    settings.check().unwrap().sites[&SiteId::new("blog")].form.clone().unwrap()
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(url) = std::str::from_utf8(bytes) else { return };
    if FORM.get_or_init(form).leads_home(url) {
        let host = url["https://".len()..].split(['/', '?', '#']).next().unwrap();
        assert!(host.eq_ignore_ascii_case("blog.example"), "{url}");
    }
});
