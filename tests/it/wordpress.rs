//! The WordPress plugin under `config/integrations/wordpress`, in a real WordPress with a real database: Debian's package as `.ci/run` lays
//! it into the folder that `HAMLET_CLIENTS` names, MariaDB, and PHP's own web server.

use crate::app::{BLOG_KEY, Setup, TestApp, client};
use crate::beside::Beside;
use crate::blog::SECRET;
use crate::receivers::{free_port, is_installed};
use crate::store::Look;
use crate::wait::until;
use serde_json::{Value, json};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

struct WordPress {
    folder: tempfile::TempDir,
    port: u16,
    _running: [Beside; 2],
}

const CONFIG: &str = "<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', ''); define('DB_HOST', 'localhost:SOCKET');
define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', ''); $table_prefix = 'wp_';
define('DISABLE_WP_CRON', true); define('WP_HOME', 'http://127.0.0.1:PORT'); define('WP_SITEURL', 'http://127.0.0.1:PORT');
$wp_filter['wp_is_comment_flood'][99][] = ['function' => '__return_false', 'accepted_args' => 1]; // a visitor may be quick here
require_once ABSPATH . 'wp-settings.php';
";

fn sh(command: &mut Command) -> String {
    let ran = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(ran.status.success(), "{command:?}: {}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

fn sources() -> Option<PathBuf> {
    let found = ["php", "mariadbd", "mariadb-install-db", "mariadb"].into_iter().all(is_installed);
    let folder = std::env::var_os("HAMLET_CLIENTS").map(|folder| PathBuf::from(folder).join("wordpress/usr/share/wordpress"));
    let folder = folder.filter(|folder| found && folder.join("wp-load.php").exists());
    if folder.is_none() {
        assert!(std::env::var_os("HAMLET_CI").is_none(), "no WordPress in the folder that HAMLET_CLIENTS names; .ci/run lays it there");
        eprintln!("SKIPPED: no WordPress in the folder that HAMLET_CLIENTS names; see .ci/run");
    }
    folder
}

impl WordPress {
    async fn open(sources: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (site, data, socket) = (folder.path().join("site"), folder.path().join("db"), folder.path().join("sock"));
        sh(Command::new("cp").args(["-r", "--no-dereference"]).arg(sources).arg(&site));
        let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/integrations/wordpress/hamlet");
        sh(Command::new("cp").arg("-r").arg(plugin).arg(site.join("wp-content/plugins/hamlet")));
        let user = sh(Command::new("id").arg("-un"));
        let user = format!("--user={}", user.trim());
        let place = format!("--datadir={}", data.display());
        sh(Command::new("mariadb-install-db").args(["--no-defaults", &user, &place, "--auth-root-authentication-method=normal"]));
        let at = format!("--socket={}", socket.display());
        let mut database = Command::new("mariadbd");
        database.args([
            "--no-defaults",
            &user,
            &place,
            &at,
            "--skip-networking",
            "--skip-grant-tables",
            "--innodb-flush-log-at-trx-commit=0",
        ]);
        let database = Beside::start(&mut database);
        let create = || Command::new("mariadb").args(["--no-defaults", &at, "-e", "CREATE DATABASE wordpress"]).output().unwrap().status;
        until("the database answers", || std::future::ready(create().success().then_some(()))).await;
        let port = free_port();
        let config = CONFIG.replace("SOCKET", &socket.display().to_string()).replace("PORT", &port.to_string());
        std::fs::write(site.join("wp-config.php"), config).unwrap();
        let mut server = Command::new("php");
        // Hamlet's webhook comes while a request to Hamlet may be under way.
        server.args(["-S", &format!("127.0.0.1:{port}")]).current_dir(&site).env("PHP_CLI_SERVER_WORKERS", "2");
        let server = Beside::start(&mut server);
        let blog = Self { folder, port, _running: [database, server] };
        blog.php(&["install"]);
        until("the blog listens", || std::future::ready(TcpStream::connect(("127.0.0.1", port)).ok())).await;
        blog
    }

    fn php(&self, arguments: &[&str]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/clients/wordpress_blog.php");
        sh(Command::new("php").arg(script).arg(self.folder.path().join("site")).args(arguments))
    }

    fn settings(&self, app: &TestApp, mode: &str) {
        assert_eq!(self.php(&["settings", &app.base, BLOG_KEY, SECRET, mode]), "");
    }

    /// As a visitor, through the form.
    async fn post(&self, name: &str, text: &str, honeypot: &str) {
        let fields = [
            ("author", name),
            ("email", "visitor@strangers.example"),
            ("comment", text),
            ("comment_post_ID", "1"),
            ("hamlet_subject", honeypot),
        ];
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let request = client().post(format!("http://127.0.0.1:{}/wp-comments-post.php", self.port)).body(fields.join("&"));
        let answer = request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 302, "{}", answer.text().await.unwrap());
    }

    /// How the comment of this author stands.
    fn comment(&self, name: &str) -> Value {
        serde_json::from_str(&self.php(&["comment", name])).unwrap()
    }

    fn check(&self, name: &str, expected: &Value) {
        let comment = self.comment(name);
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&comment[key], value, "{key} of {comment}");
        }
    }

    async fn comes_to(&self, name: &str, status: &str) {
        until(&format!("{name} is {status}"), || std::future::ready((self.comment(name)["status"] == status).then_some(()))).await;
    }
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn the_plugin_judges_asks_and_obeys() {
    let Some(sources) = sources() else { return };
    let blog = WordPress::open(&sources).await;
    let hook = format!("http://127.0.0.1:{}/index.php?rest_route=/hamlet/v1/webhook", blog.port);
    let setup = Setup::default()
        .set("SITES__BLOG__WEBHOOK_URL", hook)
        .set("SITES__BLOG__WEBHOOK_SECRET", SECRET)
        .set("SITES__BLOG__WEBHOOK_PRIVATE", true);
    let app = TestApp::start(setup).await;
    blog.settings(&app, "enforce");

    let typed = "It's \"fine\" \\ and the <b>kettle</b> sings, http://kettle.example/";
    blog.post("Jane", typed, "").await;
    blog.post("Spam", "a blockedword here", "").await;
    blog.post("Bot", "nice site", "filled").await;
    blog.check("Jane", &json!({ "status": "unapproved", "verdict": "hold", "beside": "1", "waits": false }));
    blog.check("Spam", &json!({ "status": "spam", "verdict": "reject" }));
    blog.check("Bot", &json!({ "status": "spam", "verdict": "reject" }));
    assert_eq!(Look::into(&app).one::<String>("SELECT body FROM comments WHERE name = 'Jane'"), typed);

    // Rulings go both ways.
    let id = |name: &str| blog.comment(name)["hamlet"].as_str().unwrap().to_owned();
    app.rule(BLOG_KEY, &id("Jane"), "publish").await;
    blog.comes_to("Jane", "approved").await;
    app.rule(BLOG_KEY, &id("Bot"), "remove").await;
    blog.comes_to("Bot", "trash").await;
    blog.php(&["moderate", blog.comment("Spam")["id"].as_str().unwrap(), "approve"]);
    let document = app.document(BLOG_KEY, &id("Spam")).await.json();
    assert_eq!((&document["ruling"]["ruling"], &document["ruling"]["by"]), (&json!("publish"), &json!("admin")));

    // Hamlet is down: nothing is published unseen, and what a moderator decides meanwhile stands.
    let mut app = app;
    assert!(app.stop().await);
    blog.post("Late", "while nobody listens", "").await;
    blog.post("Later", "and this", "").await;
    blog.check("Late", &json!({ "status": "unapproved", "verdict": "", "waits": true }));
    blog.php(&["moderate", blog.comment("Late")["id"].as_str().unwrap(), "spam"]);
    let app = app.start_again().await;
    blog.settings(&app, "enforce");
    blog.php(&["resend"]);
    blog.check("Late", &json!({ "status": "spam", "verdict": "hold", "person": "spam", "waits": false }));
    blog.check("Later", &json!({ "status": "unapproved", "verdict": "hold", "person": "", "waits": false }));
    assert_eq!(app.document(BLOG_KEY, &id("Late")).await.json()["ruling"]["ruling"], "spam");

    // Observing changes nothing; the page compares.
    blog.settings(&app, "observe");
    blog.post("Watched", "another blockedword", "").await;
    blog.check("Watched", &json!({ "status": "approved", "verdict": "reject", "beside": "1" }));
    let page = blog.php(&["compare"]);
    assert!(page.contains("Where a person ruled (3 comments)") && page.contains("another blockedword"), "{page}");
    assert!(
        page.contains("<th>Hamlet</th><td>0</td><td>1</td><td>2</td>") && page.contains("<th>Beside</th><td>2</td><td>1</td><td>0</td>"),
        "{page}"
    );

    // What people decided, as training data: `remove` is no label.
    let lines: Vec<Value> = blog.php(&["export"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let labels: Vec<(&str, &str)> = lines.iter().map(|line| (line["author"].as_str().unwrap(), line["label"].as_str().unwrap())).collect();
    assert_eq!(labels, [("Jane", "ham"), ("Spam", "ham"), ("Late", "spam")]);

    // An unsigned webhook moves nothing.
    let forged = json!({ "data": { "id": id("Later"), "ruling": { "ruling": "publish", "by": "me" } } });
    let url = format!("http://127.0.0.1:{}/index.php?rest_route=/hamlet/v1/webhook", blog.port);
    assert_eq!(client().post(url).body(forged.to_string()).send().await.unwrap().status().as_u16(), 401);
    blog.check("Later", &json!({ "status": "unapproved" }));
}
