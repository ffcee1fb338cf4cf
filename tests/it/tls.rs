//! TLS in the daemon itself, with clients that look at the certificate: curl and Python, against an authority that the test makes.

use crate::app::{BLOG_KEY, Setup, TestApp, editor};
use crate::commands::hamlet_with;
use crate::receivers::is_installed;
use crate::wait::until_true;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An authority, and what it signed.
struct Authority(tempfile::TempDir);

impl Authority {
    fn new() -> Self {
        let authority = Self(tempfile::tempdir().unwrap());
        authority
            .openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem");
        std::fs::write(authority.file("names"), "subjectAltName=DNS:hamlet.example.org,DNS:*.rest.hamlet.example.org,IP:127.0.0.1")
            .unwrap();
        authority
    }

    fn openssl(&self, arguments: &str) {
        let made = Command::new("openssl").args(arguments.split(' ')).current_dir(self.0.path()).output().unwrap();
        assert!(made.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&made.stderr));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `NAME.pem` and `NAME.key`, with this serial number.
    fn sign(&self, name: &str, serial: u32, days: &str) {
        self.openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=hamlet.example.org -keyout {name}.key -out {name}.csr"
        ));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -set_serial {serial} {days} -extfile names -out {name}.pem"
        ));
    }

    /// What the daemon under test shows from now on.
    fn show(&self, name: &str) {
        for kind in ["pem", "key"] {
            std::fs::copy(self.file(&format!("{name}.{kind}")), self.file(&format!("shown.{kind}"))).unwrap();
        }
    }

    fn setup(&self, certificate: &str, key: &str) -> Setup {
        let path = |name| self.file(name).display().to_string();
        Setup::default().set("HTTP__TLS__CERTIFICATE_FILE", path(certificate)).set("HTTP__TLS__KEY_FILE", path(key))
    }
}

fn python(script: &str, arguments: &[&str]) -> String {
    let ran = Command::new("python3").args(["-c", script]).args(arguments).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}

/// The serial number of the certificate that a client sees who checks it and the name.
fn serial(app: &TestApp, authority: &Path) -> u32 {
    let script = "import socket, ssl, sys
port, authority = sys.argv[1:]
tls = ssl.create_default_context(cafile=authority)
with tls.wrap_socket(socket.create_connection(('127.0.0.1', port)), server_hostname='akismetblog0.rest.hamlet.example.org') as there:
    print(there.getpeercert()['serialNumber'])";
    let port = app.base.rsplit(':').next().unwrap();
    u32::from_str_radix(&python(script, &[port, authority.to_str().unwrap()]), 16).unwrap()
}

fn tools() -> bool {
    ["openssl", "curl", "python3"].into_iter().all(is_installed)
}

#[tokio::test]
async fn a_certificate_is_shown_and_a_changed_one_taken_over() {
    if !tools() {
        return;
    }
    let authority = Authority::new();
    authority.sign("first", 1, "-days 1");
    authority.sign("second", 2, "-days 1");
    authority.show("first");
    let app = TestApp::start(authority.setup("shown.pem", "shown.key")).await;
    let ca = authority.file("ca.pem");
    assert!(app.base.starts_with("https://"), "{}", app.base);
    assert_eq!(serial(&app, &ca), 1);

    // Who says nothing, and who does not speak TLS, keeps nobody waiting.
    let address = app.base.trim_start_matches("https://").to_owned();
    let silent: Vec<_> = (0..40).map(|_| std::net::TcpStream::connect(&address).unwrap()).collect();
    assert!(app.client.get(format!("http://{address}/health/live")).send().await.is_err());
    let told = Command::new("curl")
        .args(["-sS", "--max-time", "20", "--cacert", ca.to_str().unwrap(), &format!("{}/v1/comments", app.base)])
        .args(["-H", &format!("Authorization: Bearer {BLOG_KEY}"), "-d", &editor("Thank you.").to_string()])
        .output()
        .unwrap();
    let document: serde_json::Value =
        serde_json::from_slice(&told.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&told.stderr)));
    assert_eq!(document["status"], "published");
    drop(silent);

    // Half of a pair is no pair: the old one stays.
    std::fs::copy(authority.file("second.pem"), authority.file("shown.pem")).unwrap();
    app.hang_up();
    until_true("the log says so", || app.log().contains("tls.not_taken")).await;
    assert!(app.log().contains("is not the key of the certificate in"), "{}", app.log());
    assert_eq!(serial(&app, &ca), 1);
    std::fs::copy(authority.file("second.key"), authority.file("shown.key")).unwrap();
    app.hang_up();
    until_true("the second is shown", || serial(&app, &ca) == 2).await;
}

#[tokio::test]
async fn what_cannot_be_shown_is_named_before_anything_listens() {
    if !tools() {
        return;
    }
    let authority = Authority::new();
    authority.sign("first", 1, "-days 1");
    authority.sign("second", 2, "-days 1");
    authority.sign("old", 3, "-days 0");
    std::fs::write(authority.file("none.pem"), "no certificate").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = crate::app::write_settings(folder.path());
    for (certificate, key, expected) in [
        ("gone.pem", "first.key", "gone.pem cannot be used"),
        ("none.pem", "first.key", "none.pem cannot be used"),
        ("first.pem", "gone.key", "gone.key cannot be used"),
        ("first.pem", "first.pem", "first.pem cannot be used"),
        ("first.pem", "second.key", "second.key is not the key of the certificate in"),
    ] {
        for command in [&["serve"][..], &["config", "check"]] {
            let place = ["--config", config.to_str().unwrap(), "--data", folder.path().to_str().unwrap()];
            let ended = hamlet_with(&authority.setup(certificate, key), &[command, &place].concat(), "");
            assert_eq!(ended.code, 3, "{command:?} {certificate} {key}: {}", ended.stderr);
            assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        }
    }
    let app = TestApp::start(authority.setup("old.pem", "old.key")).await;
    assert!(app.log().contains("tls.certificate_expired") && app.log().contains("\"expired_at\":\"20"), "{}", app.log());
}
