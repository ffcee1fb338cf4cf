//! Forms of Akismet's clients: any bytes under any content type are read or refused. The first line is the content type.
#![no_main]

use hamlet::http::akismet::form::Form;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (content_type, body) = bytes.split_at(at);
    let body = body.get(1..).unwrap_or_default();
    let content_type = std::str::from_utf8(content_type).ok().filter(|content_type| !content_type.is_empty());
    if let Ok(form) = Form::parse(content_type, body) {
        let _ = (form.get("blog"), form.written("key"), form.list("comment_context").count());
    }
});
