//! Bad ground: a full disk, a directory that cannot be written, a store that another program holds, damaged and newer files, a missing model.
//! Each is told clearly, with its exit code, and nothing that was acknowledged is lost. And the doctor, who finds such things.

use crate::app::{BLOG_KEY, HAMLET, OPEN_KEY, Setup, TestApp, stranger, write_settings};
use crate::import::{run, wxr};
use crate::retrain::{HAM, SPAM, rule_all};
use crate::store::Look;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A disk of two megabytes, as root may make one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "none"]).arg(folder).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(folder.to_owned()));
        }
        assert!(std::env::var_os("HAMLET_CI").is_none(), "a small disk cannot be mounted; this test needs root");
        eprintln!("SKIPPED: a small disk cannot be mounted; this test needs root");
        None
    }

    fn remount(&self, options: &str) {
        let remounted = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(&self.0).status();
        assert!(remounted.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn serve(folder: &Path) -> Output {
    let (config, data) = (folder.join("hamlet.toml"), folder.join("data"));
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--config", config.to_str().unwrap(), "--data", data.to_str().unwrap()];
    Command::new(HAMLET).args(arguments).env_clear().output().unwrap()
}

/// The findings that are not well, by area.
fn ailments(folder: &Path) -> (Option<i32>, Vec<(String, String)>) {
    let output = run(folder, &["doctor", "--format", "json"]);
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let broken = findings.iter().filter(|finding| finding["level"] == "broken");
    (output.status.code(), broken.map(|finding| (text(finding, "area"), text(finding, "what"))).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_what_was_taken_stays_and_the_rest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("data")) else { return };
    write_settings(folder.path());
    let file = folder.path().join("export.xml");
    fs::write(&file, wxr(20_000)).unwrap();
    let arguments = ["import", file.to_str().unwrap(), "--from", "wxr", "--site", "blog", "--format", "json"];
    let full = run(folder.path(), &arguments);
    assert_eq!(full.status.code(), Some(10), "{full:?}");
    let report: Value = serde_json::from_slice(&full.stdout).unwrap();
    assert!(report["ended_early"].as_str().unwrap().contains("disk of the store is full"), "{report}");
    let added = report["added"]["publish"].as_u64().unwrap();
    disk.remount("size=32m");
    let export = run(folder.path(), &["export"]);
    assert_eq!(String::from_utf8_lossy(&export.stdout).lines().count() as u64, added, "what was said to be taken is there");
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("data")) else { return };
    write_settings(folder.path());
    let file = folder.path().join("export.xml");
    fs::write(&file, wxr(3)).unwrap();
    let import = || run(folder.path(), &["import", file.to_str().unwrap(), "--from", "wxr", "--site", "blog"]);
    assert!(import().status.success());
    disk.remount("ro");
    for output in [import(), serve(folder.path())] {
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(said(&output).contains("hamlet.lock") && said(&output).contains("Read-only file system"), "{output:?}");
    }
}

#[test]
fn a_store_that_another_program_holds_is_waited_for_and_then_told() {
    let folder = tempfile::tempdir().unwrap();
    write_settings(folder.path());
    let file = folder.path().join("export.xml");
    fs::write(&file, wxr(3)).unwrap();
    let import = || run(folder.path(), &["import", file.to_str().unwrap(), "--from", "wxr", "--site", "blog"]);
    assert!(import().status.success());
    let other = Connection::open(folder.path().join("data/hamlet.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let held = import();
    assert_eq!(held.status.code(), Some(5), "{held:?}");
    assert!(said(&held).contains("another program holds the store"), "{held:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_and_newer_stores_are_told_and_left_alone() {
    let mut app = TestApp::start(Setup::default()).await;
    for number in 0..30 {
        app.submit(BLOG_KEY, &stranger(&format!("comment {number} {}", "x".repeat(2000)))).await.id();
    }
    assert_eq!(ailments(app.folder()).1, []);
    assert!(app.stop().await);
    let (path, whole) = (app.data().join("hamlet.db"), fs::read(app.data().join("hamlet.db")).unwrap());
    let with = |at: usize, bytes: &[u8]| {
        let mut damaged = whole.clone();
        damaged[at..at + bytes.len()].copy_from_slice(bytes);
        fs::write(&path, damaged).unwrap();
    };
    with(0, &[b'x'; 100]);
    let refused = serve(app.folder());
    assert!(refused.status.code() == Some(1) && said(&refused).contains("the store is damaged"), "{refused:?}");
    let middle = whole.len() / 4096 / 2 * 4096;
    with(middle, &[0xff; 8192]);
    let (code, found) = ailments(app.folder());
    assert!(code == Some(1) && found.iter().any(|(area, _)| area == "store"), "{found:?}");
    let untouched = fs::read(&path).unwrap();
    let backup = run(app.folder(), &["backup", app.folder().join("copy").to_str().unwrap()]);
    assert!(!backup.status.success() && !app.folder().join("copy").exists(), "{backup:?}");
    assert!(fs::read(&path).unwrap() == untouched);
    fs::write(&path, &whole).unwrap();
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let newer = serve(app.folder());
    assert!(newer.status.code() == Some(1) && said(&newer).contains("written by a newer hamlet"), "{newer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_store_is_copied_before_it_is_changed() {
    let mut app = TestApp::start(Setup::default()).await;
    assert!(app.stop().await);
    let path = app.data().join("hamlet.db");
    let connection = Connection::open(&path).unwrap();
    let steps: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    // A step that was taken cannot be taken again, so this one fails; the copy is there before it begins.
    connection.execute_batch(&format!("PRAGMA user_version = {}", steps - 1)).unwrap();
    drop(connection);
    let refused = serve(app.folder());
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let copy = Connection::open(app.data().join(format!("hamlet.db.schema-{}", steps - 1))).unwrap();
    assert_eq!(copy.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap(), steps - 1);
    let now: i64 = Connection::open(&path).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(now, steps - 1, "the store is as it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_model_and_open_files_are_found_with_their_fix() {
    use std::os::unix::fs::PermissionsExt;
    let app = TestApp::start(Setup::default()).await;
    rule_all(&app, &SPAM, "spam").await;
    rule_all(&app, &HAM, "publish").await;
    assert!(run(app.folder(), &["retrain", "--site", "open"]).status.success());
    for entry in fs::read_dir(app.data().join("models")).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.extension().is_some_and(|kind| kind == "hamlet") {
            fs::remove_file(entry).unwrap();
        }
    }
    fs::set_permissions(app.data().join("models/hashing.secret"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(app.folder().join("hamlet.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    let (code, found) = ailments(app.folder());
    assert_eq!(code, Some(1));
    let areas: Vec<&str> = found.iter().map(|(area, _)| area.as_str()).collect();
    assert_eq!(areas, ["files", "model", "files"], "{found:?}");
    assert!(found[2].1.contains("hamlet.toml holds a secret"), "{found:?}");
    assert!(found[1].1.contains("open: there is no model"), "{found:?}");
    let app = app.start_again().await;
    let document = app.submit(OPEN_KEY, &json!({ "body": "Does anything judge here?" })).await.json();
    assert_eq!((&document["status"], &document["model"]), (&json!("held"), &Value::Null));
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM comments"), 17);
}

#[test]
fn settings_that_cannot_run_are_findings_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hamlet.toml"), "[http]\nlisten = 'nowhere'\n").unwrap();
    let (code, found) = ailments(folder.path());
    assert!(code == Some(1) && found.iter().any(|(area, what)| area == "settings" && what.contains("http.listen")), "{found:?}");
}
