//! A new admin's first hour in short: the script that writes `docs/first-hour.md`, with a smaller blog. Whatever a step says, it ends as it
//! should, so that the page cannot tell of commands that no longer work.

use crate::app::HAMLET;
use std::path::Path;
use std::process::Command;

#[test]
fn every_command_of_the_first_hour_ends_as_it_should() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/first-hour.sh");
    let output = Command::new("bash").arg(script).arg(HAMLET).env("COMMENTS", "300").output().unwrap();
    // One step shows the beginning of an answer, which may end within a character.
    let (told, complaints) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{complaints}\n{told}");
    let steps: Vec<&str> = told.split("```console\n$ ").skip(1).collect();
    let failed: Vec<&str> = steps.iter().filter(|step| step.contains(", exit code ")).copied().collect();
    // A store that somebody works with is not overwritten.
    assert!(failed.len() == 1 && failed[0].starts_with("hamlet restore copy --config hamlet.toml --force\n"), "{failed:#?}");
    assert!(failed[0].contains("exit code 5"), "{}", failed[0]);
    // The page that ships shows the same steps.
    let page = include_str!("../../docs/first-hour.md");
    let shown: Vec<&str> = page.split("```console\n$ ").skip(1).collect();
    let typed = |step: &&str| step.lines().next().map(str::to_owned);
    assert_eq!(shown.iter().filter_map(typed).collect::<Vec<_>>(), steps.iter().filter_map(typed).collect::<Vec<_>>());
}
