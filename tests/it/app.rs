//! The daemon under test: the real binary in a directory of its own, told what to do by a settings file and the environment, spoken to
//! over HTTP. It is killed when dropped, by its own process id.

use crate::blog::{self, Blog};
use crate::smtp::SmtpServer;
use crate::wait::until;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::fs::{DirBuilder, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

pub const HAMLET: &str = env!("CARGO_BIN_EXE_hamlet");

/// Floods, repeats and undecided campaigns hold nobody, since tests send much of the same; `campaigns` sets them back.
/// Strangers are held, whatever the model thinks of them; `role = "editor"` is published, `blockedword` is rejected.
pub const BLOG_KEY: &str = "blog-key-000000";
pub const OTHER_KEY: &str = "other-key-00000";
/// Observes only.
pub const WATCH_KEY: &str = "watch-key-00000";
/// Rejects and discards everybody by score.
pub const STERN_KEY: &str = "stern-key-00000";
/// Publishes everybody by score, and asks for neither name nor address.
pub const OPEN_KEY: &str = "open-key-000000";

const SETTINGS: &str = r#"
[store]
disk_free_bytes_min = 0
[outbox]
retry_seconds_first = 1
retry_seconds_max = 2
timeout_seconds = 2
[learning]
schedule = "off"
[digest]
items_min = 1
age_hours_max = 0
interval_minutes_min = 0
per_day_max = 1440
daily_at = ""
weekly = ""
[review]
undo_seconds = 0
[policy]
publish_max = 0.0
reject_min = 1.0
discard_min = 1.0
audit_published_share = 0.0
audit_rejected_share = 0.0
[rules]
flood_address_hold = 1000000
flood_address_reject = 1000000
flood_network_hold = 1000000
flood_email_hold = 1000000
repeats_hold = 1000000
campaign_hold = 1000000
blocklist = ["blockedword"]
[sites.blog]
name = "Slow Kettle"
api_key = "blog-key-000000"
akismet_key = "akismetblog0"
[sites.other]
api_key = "other-key-00000"
akismet_key = "akismetother"
akismet = { hold = "ham" }
[sites.watch]
api_key = "watch-key-00000"
akismet_key = "akismetwatch"
mode = "observe"
[sites.stern]
api_key = "stern-key-00000"
akismet_key = "akismetstern"
policy = { publish_max = 0.0, reject_min = 0.000000001, discard_min = 0.000000001 }
[sites.open]
api_key = "open-key-000000"
akismet_key = "akismetopen0"
policy = { publish_max = 0.999999999 }
rules = { require_name = false, require_email = false }
[moderators.ana]
name = "Ana"
email = "ana@moderators.example"
sites = ["blog"]
[moderators.bob]
name = "Bob"
email = "bob@moderators.example"
sites = ["other"]
"#;

/// What this daemon has beside the settings of all of them: variables of its environment.
#[derive(Default, Clone)]
pub struct Setup(Vec<(String, String)>);

impl Setup {
    pub fn set(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        self.0.push((format!("HAMLET__{key}"), value.to_string()));
        self
    }

    /// A variable that is none of our settings.
    pub fn variable(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.0.push((name.to_owned(), value.to_string()));
        self
    }

    /// A site's webhooks go to this blog.
    pub fn webhooks(self, site: &str, blog: &Blog) -> Self {
        let of_site = |key: &str| format!("SITES__{site}__WEBHOOK_{key}");
        let setup = self.set(&of_site("URL"), blog.url()).set(&of_site("SECRET"), blog::SECRET);
        // The blogs of these tests are on this machine.
        setup.set(&of_site("PRIVATE"), true)
    }

    pub fn mail_by(self, server: &SmtpServer) -> Self {
        let from = self.set("MAIL__FROM", "review@hamlet.example").set("MAIL__TRANSPORT", "smtp").set("MAIL__SMTP__HOST", "127.0.0.1");
        from.set("MAIL__SMTP__PORT", server.port()).set("MAIL__SMTP__TLS", "none")
    }
}

pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn id(&self) -> String {
        self.json()["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.text)).to_owned()
    }
}

pub struct TestApp {
    child: Child,
    pub base: String,
    pub client: Client,
    pub setup: Setup,
    arguments: Vec<String>,
    folder: Arc<TempDir>,
}

/// HTTP as this suite speaks it: no proxy, no redirects followed.
pub fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Certificates are looked at by the real clients of `tls`.
    Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// The program with nothing of this process's environment. `HAMLET` names another build of it, to be measured.
pub fn command(arguments: &[&str], setup: &Setup) -> Command {
    let mut command = Command::new(std::env::var_os("HAMLET").unwrap_or_else(|| HAMLET.into()));
    command.args(arguments).env_clear().envs(setup.0.iter().cloned());
    command
}

/// Writes the settings of all these tests into a folder.
pub fn write_settings(folder: &Path) -> PathBuf {
    let path = folder.join("hamlet.toml");
    std::fs::write(&path, SETTINGS).unwrap();
    // As `hamlet init` makes it: it holds secrets.
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    path
}

/// The secret that the hashing of models comes from, the same for all of these tests: by which words share a bucket, a model of a few dozen
/// comments can do a little better or worse.
fn write_secret(data: &Path) {
    let models = data.join("models");
    DirBuilder::new().recursive(true).mode(0o700).create(&models).unwrap();
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(models.join("hashing.secret")).unwrap();
    file.write_all(&[7; 32]).unwrap();
}

impl TestApp {
    pub async fn start(setup: Setup) -> Self {
        Self::start_with(setup, "").await
    }

    /// With tables beside those of all tests: what the environment cannot say, such as lists.
    pub async fn start_with(setup: Setup, tables: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let path = write_settings(folder.path());
        std::fs::write(&path, [SETTINGS, tables].concat()).unwrap();
        let (config, data) = (folder.path().join("hamlet.toml"), folder.path().join("data"));
        write_secret(&data);
        let (config, data) = (config.to_str().unwrap(), data.to_str().unwrap());
        Self::serve(folder.clone(), setup, &["serve", "--config", config, "--data", data, "--listen", "127.0.0.1:0"]).await
    }

    pub async fn demo() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let data = folder.path().join("data");
        Self::serve(folder.clone(), Setup::default(), &["serve", "--demo", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"])
            .await
    }

    async fn serve(folder: Arc<TempDir>, setup: Setup, arguments: &[&str]) -> Self {
        let log = File::options().create(true).append(true).open(folder.path().join("log")).unwrap();
        let mut child = command(arguments, &setup).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let address = tokio::task::spawn_blocking(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.find_map(|line| line.trim().strip_prefix("Hamlet listens on ").map(str::to_owned))
        });
        let Some(base) = address.await.unwrap() else {
            let _ = child.wait();
            panic!("it does not start: {}", std::fs::read_to_string(folder.path().join("log")).unwrap());
        };
        let app = Self { child, base, client: client(), setup, arguments: arguments.iter().map(ToString::to_string).collect(), folder };
        until("ready", || async { app.try_get("/health/ready").await.filter(|answer| answer.status == 200) }).await;
        app
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// `kill -9`, as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, as an init system would; answers whether it ended well.
    pub async fn stop(&mut self) -> bool {
        let told = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status().unwrap();
        assert!(told.success());
        let child = &mut self.child;
        until("it stops", || std::future::ready(child.try_wait().unwrap())).await.success()
    }

    /// SIGHUP, as an admin would after changing a file.
    pub fn hang_up(&self) {
        let told = Command::new("sh").args(["-c", &format!("kill -HUP {}", self.child.id())]).status().unwrap();
        assert!(told.success());
    }

    /// Another daemon on the same data, after [`TestApp::kill`].
    pub async fn start_again(mut self) -> Self {
        self.kill();
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        Self::serve(Arc::clone(&self.folder), self.setup.clone(), &arguments).await
    }

    pub async fn try_get(&self, path: &str) -> Option<Answer> {
        try_send(self.client.get(format!("{}{path}", self.base))).await
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Answer {
        let request = self.client.request(method, format!("{}{path}", self.base)).body(body);
        try_send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await.expect("an answer")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    /// A submission as JSON, with headers beside the key.
    pub async fn submit_with(&self, key: &str, headers: &[(&str, &str)], comment: &Value) -> Answer {
        let bearer = format!("Bearer {key}");
        let headers: Vec<_> = headers.iter().copied().chain([("authorization", bearer.as_str())]).collect();
        self.send(Method::POST, "/v1/comments", &headers, comment.to_string()).await
    }

    pub async fn submit(&self, key: &str, comment: &Value) -> Answer {
        self.submit_with(key, &[], comment).await
    }

    pub async fn submit_async(&self, key: &str, comment: &Value) -> Answer {
        self.submit_with(key, &[("prefer", "respond-async")], comment).await
    }

    pub async fn document(&self, key: &str, id: &str) -> Answer {
        self.send(Method::GET, &format!("/v1/comments/{id}"), &[("authorization", &format!("Bearer {key}"))], "").await
    }

    pub async fn rule(&self, key: &str, id: &str, ruling: &str) -> Answer {
        let headers = [("authorization", &*format!("Bearer {key}"))];
        self.send(Method::POST, &format!("/v1/comments/{id}/ruling"), &headers, json!({ "ruling": ruling }).to_string()).await
    }

    /// The document, once it was judged.
    pub async fn judged(&self, key: &str, id: &str) -> Value {
        until("judged", || async { Some(self.document(key, id).await.json()).filter(|document| document["status"] != "queued") }).await
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The answer; none when the connection broke.
pub async fn try_send(request: reqwest::RequestBuilder) -> Option<Answer> {
    let response = request.send().await.ok()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Some(Answer { status, headers, text: response.text().await.ok()? })
}

/// A stranger's comment: held on `blog`.
pub fn stranger(body: &str) -> Value {
    json!({ "name": "Jane", "email": "jane@strangers.example", "ip": "203.0.113.9", "body": body, "page_title": "How we brew coffee" })
}

/// One of the site's own people: published.
pub fn editor(body: &str) -> Value {
    json!({ "name": "Ida", "email": "ida@editors.example", "role": "editor", "body": body })
}
