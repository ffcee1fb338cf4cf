//! What the program says of itself: help and the main errors, word for word.

use crate::commands::{hamlet, str};
use std::fmt::Write;

#[test]
fn the_help_is_what_was_agreed() {
    for (name, arguments) in [("help", &["--help"][..]), ("help_serve", &["serve", "--help"])] {
        let ended = hamlet(arguments);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        insta::assert_snapshot!(name, ended.stdout);
    }
}

#[test]
fn errors_name_the_thing_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hamlet.toml");
    assert_eq!(hamlet(&["init", str(&file)]).code, 0);
    let model = folder.path().join("model");
    std::fs::write(&model, "no model").unwrap();
    let (config, data) = (["--config", str(&file)], ["--data", str(folder.path())]);
    let mut said = String::new();
    for arguments in [
        &["frobnicate"][..],
        &["serve"],
        &["config", "check", "--config", "/nowhere/hamlet.toml"],
        &[&["config", "check"], &config[..]].concat(),
        &[&["queue", "list"], &data[..]].concat(),
        &["score", "--input", "-", "--model", str(&model)],
        &["score", "--input", "/nowhere/in.jsonl"],
        &["init", str(&file)],
    ] {
        let ended = hamlet(arguments);
        writeln!(said, "$ hamlet {}\n{}exit {}\n", arguments.join(" "), ended.stderr, ended.code).unwrap();
    }
    insta::assert_snapshot!("errors", said.replace(str(folder.path()), "DIR"));
}
