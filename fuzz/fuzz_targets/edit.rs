//! Edits of the settings file: any text is changed to TOML or refused.
#![no_main]

use hamlet::config::edit::{Change, Written, edit};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str)| {
    let (text, id, setting) = input;
    let keys: Vec<Written> = setting.parse().into_iter().collect();
    for change in [Change::AddSite(id.to_owned(), keys.clone()), Change::SetSite(id.to_owned(), keys), Change::RemoveSite(id.to_owned())] {
        if let Ok(edited) = edit(text, &change) {
            assert!(edit(&edited, &Change::RemoveSite("no such site".to_owned())).is_err_and(|error| !error.to_string().contains("TOML")));
        }
    }
});
