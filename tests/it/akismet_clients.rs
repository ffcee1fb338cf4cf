//! Akismet's real clients against the daemon, and the live tests of one of them. `.ci/run` installs them, pinned, into the folder that
//! `HAMLET_CLIENTS` names; without it these tests say that they are skipped.

use crate::app::{Setup, TestApp};
use crate::store::Look;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Publishes whatever no rule rejects.
const KEY: &str = "akismetopen0";

pub fn clients() -> Option<PathBuf> {
    let folder = std::env::var_os("HAMLET_CLIENTS").map(PathBuf::from);
    if folder.is_none() {
        assert!(std::env::var_os("HAMLET_CI").is_none(), "HAMLET_CLIENTS is not set: .ci/run names the folder with Akismet's clients");
        eprintln!("SKIPPED: HAMLET_CLIENTS names no folder with Akismet's clients; see .ci/run");
    }
    folder
}

pub fn script(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/clients").join(name).display().to_string()
}

fn run(app: &TestApp, folder: &Path, program: &str, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .env("HAMLET_CLIENTS", folder)
        .env("HAMLET_URL", &app.base)
        .env("AKISMET_KEY", KEY)
        .env("PYTHONPATH", script(""))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHON_AKISMET_API_KEY", KEY)
        .env("PYTHON_AKISMET_BLOG_URL", "https://blog.example")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let told = [output.stdout, output.stderr].map(|told| String::from_utf8_lossy(&told).into_owned()).join("\n");
    assert!(output.status.success(), "{program} {arguments:?}: {told}");
}

#[tokio::test]
async fn clients_of_pypi_work_and_the_live_tests_of_akismet_pass() {
    let Some(folder) = clients() else { return };
    let app = TestApp::start(Setup::default()).await;
    let python = folder.join("python/bin/python").display().to_string();
    let live = folder.join("akismet/tests/end_to_end").display().to_string();
    run(&app, &folder, &python, &["-m", "pytest", "-q", "-p", "pointed_here", "-p", "no:cacheprovider", &live]);
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM comments"), 0, "tests leave no trace");
    run(&app, &folder, &python, &["-W", "ignore", &script("pykismet3_calls.py")]);
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM rulings WHERE via = 'akismet'"), 2);
}

#[tokio::test]
async fn clients_of_npm_work() {
    let Some(folder) = clients() else { return };
    let app = TestApp::start(Setup::default()).await;
    run(&app, &folder, "node", &[&script("npm.mjs")]);
    assert_eq!(Look::into(&app).one::<String>("SELECT ruled FROM comments"), "publish");
}

#[tokio::test]
async fn the_client_of_crates_io_works() {
    let Some(folder) = clients() else { return };
    let app = TestApp::start(Setup::default()).await;
    run(&app, &folder, &folder.join("bin/calls-by-instant-akismet").display().to_string(), &[]);
    let look = Look::into(&app);
    assert_eq!(look.one::<String>("SELECT ruled FROM comments"), "publish");
    assert!(look.one::<i64>("SELECT submitted_at FROM comments") > 1_700_000_000_000, "its seconds are a time of this age, in ms");
}

#[tokio::test]
async fn the_wordpress_plugin_works_and_its_comment_is_stored_as_it_was_typed() {
    let Some(folder) = clients() else { return };
    let app = TestApp::start(Setup::default()).await;
    let plugin = folder.join("wordpress/usr/share/wordpress/wp-content/plugins/akismet").display().to_string();
    run(&app, &folder, "php", &[&script("wordpress.php"), &plugin, app.base.trim_start_matches("http://")]);
    let body = Look::into(&app).one::<String>("SELECT body FROM comments");
    assert_eq!(body, "It's \"fine\", the kettle sings before it boils");
}
