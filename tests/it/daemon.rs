//! The daemon as a process: one owns a store, it starts again at once after `kill -9`, and SIGTERM ends it in order.

use crate::app::{BLOG_KEY, Setup, TestApp, command, stranger};
use crate::smtp::SmtpServer;
use crate::store::Look;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_second_daemon_on_the_same_data_is_refused_as_busy() {
    let app = TestApp::start(Setup::default()).await;
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    let arguments = ["serve", "--config", config.to_str().unwrap(), "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let second = command(&arguments, &app.setup).output().unwrap();
    let stderr = String::from_utf8(second.stderr).unwrap();
    assert_eq!((second.status.code(), second.stdout.is_empty()), (Some(5), true), "{stderr}");
    assert!(stderr.contains("another hamlet has") && stderr.contains("--data"), "{stderr}");
    assert_eq!(app.submit(BLOG_KEY, &stranger("Still here.")).await.status, 200);
}

#[tokio::test]
async fn it_is_ready_soon_after_kill_9_and_knows_what_it_knew() {
    let mut app = TestApp::start(Setup::default()).await;
    let mut ids = Vec::new();
    for _ in 0..40 {
        ids.push(app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await.id());
    }
    app.kill();
    let started = Instant::now();
    let app = app.start_again().await;
    // The bound is 1 s on an idle machine and an optimised build; this one is neither.
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    for id in ids {
        assert_eq!(app.document(BLOG_KEY, &id).await.json()["status"], "held");
    }
}

#[tokio::test]
async fn sigterm_ends_it_with_nothing_lost() {
    let server = SmtpServer::open(None).await;
    let mut app = TestApp::start(Setup::default().mail_by(&server)).await;
    let id = app.submit_async(BLOG_KEY, &stranger("Later is fine.")).await.id();
    let look = Look::into(&app);
    assert!(app.stop().await, "it ends with 0");
    assert_eq!(look.one::<String>(&format!("SELECT status FROM comments WHERE hex(id) = upper(replace('{id}', '-', ''))")), "held");
}
