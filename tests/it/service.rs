//! Run as a service: what its manager hears, the unit that ships, and what shells and `man` are told.

use crate::app::{BLOG_KEY, Setup, TestApp, command, editor, stranger};
use crate::beside::Beside;
use crate::commands::{hamlet, str};
use crate::smtp::SmtpServer;
use crate::wait::until;
use std::collections::BTreeSet;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Far beyond what is expected, and no test waits so long unless it fails.
const DEADLINE: Duration = Duration::from_mins(1);

/// The next message.
fn hear(manager: &UnixDatagram) -> String {
    let mut buffer = [0; 256];
    let length = manager.recv(&mut buffer).expect("the manager hears of it in time");
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

#[test]
fn the_manager_hears_that_it_is_ready_that_it_lives_and_that_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(DEADLINE)).unwrap();
    let arguments = ["serve", "--demo", "--listen", "127.0.0.1:0", "--data", str(folder.path())];
    let mut serve = command(&arguments, &Setup::default());
    serve.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "900000");
    let mut daemon = Beside::start(&mut serve);
    assert_eq!(hear(&manager), "READY=1\nSTATUS=judging comments\n");
    // Nobody sends a comment, and the judge comes round all the same.
    for _ in 0..3 {
        assert_eq!(hear(&manager), "WATCHDOG=1\n");
    }
    Command::new("kill").args(["-TERM", &daemon.0.id().to_string()]).status().unwrap();
    let last = std::iter::repeat_with(|| hear(&manager)).find(|heard| heard != "WATCHDOG=1\n").unwrap();
    assert_eq!(last, "STOPPING=1\nSTATUS=bringing to its end what was acknowledged\n");
    assert_eq!(daemon.0.wait().unwrap().code(), Some(0));
}

#[test]
fn the_log_is_one_object_a_line_where_a_machine_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["serve", "--demo", "--listen", "192.0.2.1:1", "--data", str(folder.path())];
    let mut serve = command(&arguments, &Setup::default());
    let output = serve.env("HAMLET_LOG", "debug").env("HAMLET_LOG_FORMAT", "json").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    // What the program says at its end is for whoever started it.
    let (said, logged): (Vec<&str>, Vec<&str>) = stderr.lines().partition(|line| line.starts_with("hamlet: "));
    assert_eq!((output.status.code(), said.len()), (Some(1), 1), "{stderr}");
    for line in logged {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(entry["timestamp"].is_string() && entry["level"].is_string(), "{entry}");
    }
}

/// The unit as systemd's own check reads it, with the program where this build put it.
#[test]
fn the_unit_is_one_that_systemd_takes() {
    let unit = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/systemd/hamlet.service")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hamlet.service");
    std::fs::write(&file, unit.replace("/usr/local/bin/hamlet", env!("CARGO_BIN_EXE_hamlet"))).unwrap();
    // `man hamlet` is there once the admin wrote the pages.
    let verify = match Command::new("systemd-analyze").args(["verify", "--man=no", str(&file)]).output() {
        Ok(verify) => verify,
        Err(error) => {
            assert!(std::env::var("HAMLET_CI").is_err(), "systemd-analyze is missing: {error}");
            eprintln!("SKIPPED: systemd-analyze is not installed, so nobody checked the unit");
            return;
        }
    };
    let complaints = String::from_utf8(verify.stderr).unwrap();
    let ours: Vec<&str> = complaints.lines().filter(|line| line.contains("hamlet.service")).collect();
    assert!(verify.status.success() && ours.is_empty(), "{complaints}");
}

#[test]
fn shells_and_man_know_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = hamlet(&["completions", shell]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        assert!(ended.stdout.contains("retrain") && !ended.stdout.contains("fit-counts"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    assert_eq!(hamlet(&["man", str(&pages)]).code, 0);
    let help = hamlet(&["--help"]).stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    for command in commands.filter_map(|line| line.split_whitespace().next()).filter(|command| *command != "help") {
        let page = std::fs::read_to_string(pages.join(format!("hamlet-{command}.1"))).unwrap();
        assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{command}");
    }
}

/// A line of what Prometheus reads, by its beginning.
fn line<'a>(page: &'a str, begins: &str) -> Option<&'a str> {
    page.lines().find(|line| line.starts_with(begins))
}

#[tokio::test]
async fn prometheus_reads_counts_on_a_listener_of_its_own_and_nothing_of_a_comment() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let app = TestApp::start(Setup::default().set("METRICS__LISTEN", format!("127.0.0.1:{port}"))).await;
    app.submit(BLOG_KEY, &stranger("A word about the secretkettle.")).await;
    app.submit(BLOG_KEY, &editor("Thank you.")).await;
    let read = async || reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await.unwrap().text().await.unwrap();
    let page = read().await;
    for expected in [
        "hamlet_comments_judged_total{site=\"blog\",verdict=\"hold\"} 1",
        "hamlet_comments_judged_total{site=\"blog\",verdict=\"publish\"} 1",
        "hamlet_held_comments{site=\"blog\"} 1",
        "hamlet_queue_comments 0",
        "# EOF",
    ] {
        assert_eq!(line(&page, expected), Some(expected), "{page}");
    }
    assert!(line(&page, "hamlet_batch_seconds_count").is_some() && line(&page, "hamlet_parcels_dead 0").is_some(), "{page}");
    assert!(!page.contains("secretkettle") && !page.contains("strangers.example"), "{page}");
    assert_eq!(app.send(reqwest::Method::GET, "/metrics", &[], "").await.status, 404, "the blogs' door has none");
}

#[tokio::test]
async fn dashboard_and_alerts_ask_for_what_is_there() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(Setup::default().mail_by(&server).set("METRICS__LISTEN", format!("127.0.0.1:{port}"))).await;
    app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await;
    let page = until("a mail is delivered", async || {
        let page = reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await.unwrap().text().await.unwrap();
        page.contains("hamlet_parcels_carried_total").then_some(page)
    })
    .await;
    for file in ["dashboard.json", "alerts.yaml"] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/prometheus").join(file)).unwrap();
        let names = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("hamlet_"));
        let missing: BTreeSet<&str> = names.filter(|name| line(&page, name).is_none()).collect();
        assert!(missing.is_empty(), "{file}: {missing:?}");
    }
}
