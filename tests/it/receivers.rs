//! The examples under `config/integrations/webhooks`: each is started as its first lines say, and the real daemon delivers to it.

use crate::app::{BLOG_KEY, Setup, TestApp, client, editor};
use crate::blog::{NEXT_SECRET, SECRET, signature};
use crate::store::Look;
use crate::wait::until;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

struct Receiver {
    child: Child,
    port: u16,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// None where the program is not installed; `.ci/run` installs all of them.
pub fn is_installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(found || std::env::var_os("HAMLET_CI").is_none(), "{program} is not installed; .ci/run installs it");
    if !found {
        eprintln!("SKIPPED: {program} is not installed; see .ci/run");
    }
    found
}

/// A port that was free just now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn receiver(program: &str, file: &str, log: &Path) -> Receiver {
    let (port, folder) = (free_port(), Path::new(env!("CARGO_MANIFEST_DIR")).join("config/integrations/webhooks"));
    let arguments = match program {
        "php" => vec!["-S".to_owned(), format!("127.0.0.1:{port}"), file.to_owned()],
        _ => vec![file.to_owned(), port.to_string()],
    };
    let output = std::fs::File::create(log).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env("WEBHOOK_SECRET", SECRET).env("PYTHONDONTWRITEBYTECODE", "1");
    let child = command.stdin(Stdio::null()).stdout(output).stderr(Stdio::null()).spawn().unwrap();
    let receiver = Receiver { child, port };
    until("it listens", || std::future::ready(TcpStream::connect(("127.0.0.1", port)).ok())).await;
    receiver
}

/// What it answers to a webhook that somebody else made.
async fn forged(receiver: &Receiver, age_seconds: i64, secret: &str, (signed, sent): (&str, &str)) -> u16 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let timestamp = (i64::try_from(now).unwrap() - age_seconds).to_string();
    let request = client()
        .post(format!("http://127.0.0.1:{}/", receiver.port))
        .header("webhook-id", "a")
        .header("webhook-timestamp", &timestamp)
        .header("webhook-signature", signature(secret, "a", &timestamp, signed.as_bytes()));
    request.body(sent.to_owned()).send().await.unwrap().status().as_u16()
}

async fn receives_what_is_signed_and_nothing_else(program: &str, file: &str) {
    if !is_installed(program) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let receiver = receiver(program, file, &log).await;
    // It knows the old secret only: of two signatures the second is its own.
    let setup = Setup::default()
        .set("SITES__BLOG__WEBHOOK_URL", format!("http://127.0.0.1:{}/", receiver.port))
        .set("SITES__BLOG__WEBHOOK_PRIVATE", true)
        .set("SITES__BLOG__WEBHOOK_SECRET", NEXT_SECRET)
        .set("SITES__BLOG__WEBHOOK_SECRET_OLD", SECRET);
    let app = TestApp::start(setup).await;
    let id = app.submit(BLOG_KEY, &editor("Thank you, \u{201e}Käthe\u{201c}.")).await.id();
    app.rule(BLOG_KEY, &id, "spam").await;
    let look = Look::into(&app);
    look.outbox_drained().await;
    assert_eq!(look.count("SELECT count(*) FROM parcels"), 0);
    let told = std::fs::read_to_string(&log).unwrap();
    assert_eq!(told, format!("comment.verdict {id} published\ncomment.ruling {id} rejected\n"));

    let event = r#"{"type":"comment.ruling","data":{"id":"x","status":"published"}}"#;
    assert_eq!(forged(&receiver, 0, SECRET, (event, event)).await, 204);
    assert_eq!(forged(&receiver, 0, NEXT_SECRET, (event, event)).await, 401, "another secret");
    assert_eq!(forged(&receiver, 0, SECRET, (event, &event.replace('x', "y"))).await, 401, "another body");
    assert_eq!(forged(&receiver, 600, SECRET, (event, event)).await, 401, "an old one");
    assert_eq!(forged(&receiver, -600, SECRET, (event, event)).await, 401, "one of tomorrow");
    let bare = client().post(format!("http://127.0.0.1:{}/", receiver.port)).body(event).send().await.unwrap();
    assert_eq!(bare.status().as_u16(), 401, "without a signature");
}

#[tokio::test]
async fn the_receiver_in_python() {
    receives_what_is_signed_and_nothing_else("python3", "receiver.py").await;
}

#[tokio::test]
async fn the_receiver_in_php() {
    receives_what_is_signed_and_nothing_else("php", "receiver.php").await;
}

#[tokio::test]
async fn the_receiver_in_javascript() {
    receives_what_is_signed_and_nothing_else("node", "receiver.mjs").await;
}
