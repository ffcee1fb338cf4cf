//! A daemon with its mail and a real browser before it, for the tests of pages. `HAMLET_PICTURES=FOLDER` keeps pictures of what was seen.

use crate::app::{BLOG_KEY, Setup, TestApp};
use crate::moderator::login_link;
use crate::smtp::SmtpServer;
use crate::wait::until;
use crate::webdriver::Browser;
use serde_json::json;
use std::path::PathBuf;

/// A daemon with its mail, and a browser.
pub struct Scene {
    pub app: TestApp,
    pub server: SmtpServer,
    pub browser: Browser,
    pictures: Option<PathBuf>,
    axe: Option<String>,
}

/// axe-core's own text, from where `HAMLET_AXE` says.
fn axe() -> Option<String> {
    let Some(file) = std::env::var_os("HAMLET_AXE") else {
        assert!(std::env::var_os("HAMLET_CI").is_none(), "HAMLET_AXE is not set: .ci/run names axe-core's file");
        eprintln!("SKIPPED: HAMLET_AXE names no file of axe-core; see .ci/run");
        return None;
    };
    Some(std::fs::read_to_string(file).unwrap())
}

impl Scene {
    pub async fn open(setup: Setup) -> Option<Self> {
        let browser = Browser::start().await?;
        let server = SmtpServer::open(None).await;
        let setup = setup.set("MODERATORS__BOB__ADMIN", true).set("REVIEW__UNDO_SECONDS", 20).set("REVIEW__SECOND_LOOK_SHARE", 0);
        let app = TestApp::start(setup.mail_by(&server)).await;
        let pictures = std::env::var_os("HAMLET_PICTURES").map(PathBuf::from);
        Some(Self { app, server, browser, pictures, axe: axe() })
    }

    /// By a mailed link, typed and pressed; `base` keeps two people's cookies apart.
    pub async fn log_in(&self, base: &str, email: &str) {
        self.log_in_by(base, email, 1).await;
    }

    /// Once more.
    pub async fn log_in_again(&self, email: &str) {
        self.log_in_by(&self.app.base, email, 2).await;
    }

    async fn log_in_by(&self, base: &str, email: &str, mail: usize) {
        let browser = &self.browser;
        browser.go(&format!("{base}/desk/")).await;
        self.look("login").await;
        browser.fill("#email", email).await;
        browser.click("form button").await;
        browser.says(".say", "Look into your mail.").await;
        let link = login_link(&self.server, email, mail).await;
        browser.go(&format!("{base}{link}")).await;
        self.look("login-link").await;
        browser.click("form button").await;
        until("at the desk", || async { Some(browser.url().await).filter(|url| url.contains("/desk/") && !url.contains("login")) }).await;
    }

    /// Another host, so that two people have a cookie each in one browser.
    pub fn other(&self) -> String {
        self.app.base.replace("127.0.0.1", "localhost")
    }

    pub async fn submit(&self, name: &str, title: &str, body: &str) -> String {
        let email = format!("{}@strangers.example", name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "x"));
        let comment = json!({ "name": name, "email": email, "ip": "203.0.113.9", "body": body, "page_title": title,
            "page_url": format!("https://blog.example/{}", title.len()) });
        self.app.submit(BLOG_KEY, &comment).await.id()
    }

    pub async fn status(&self, id: &str) -> String {
        self.app.document(BLOG_KEY, id).await.json()["status"].as_str().unwrap().to_owned()
    }

    pub async fn becomes(&self, id: &str, status: &str) {
        until(&format!("{id} is {status}"), || async { (self.status(id).await == status).then_some(()) }).await;
    }

    /// No violation of WCAG 2.2 A and AA, nothing wider than the screen, no complaint of the browser; and a picture where they are wanted.
    pub async fn look(&self, name: &str) {
        if let Some(axe) = &self.axe {
            if self.browser.run("return typeof axe").await != "object" {
                self.browser.run(axe).await;
            }
            let tags = "{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }";
            let script = format!(
                "const found = await axe.run(document, {tags}); return found.violations.map((v) => [v.id, ...v.nodes.map((n) => n.html + ' ' + n.failureSummary)]);"
            );
            assert_eq!(self.browser.run_async(&script).await, json!([]), "axe on {name}");
        }
        let wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(self.browser.run(wide).await, 0, "{name} is wider than the screen");
        if let Some(folder) = &self.pictures {
            std::fs::create_dir_all(folder).unwrap();
            self.browser.picture(&folder.join(format!("{name}.png"))).await;
        }
    }

    /// The same page at both widths and in both colours.
    pub async fn look_everywhere(&self, name: &str) {
        for (width, height) in [(360, 780), (1280, 860)] {
            for scheme in ["light", "dark"] {
                self.browser.screen(width, height).await;
                self.browser.colours(scheme).await;
                self.look(&format!("{name}-{width}-{scheme}")).await;
            }
        }
        self.browser.colours("light").await;
    }
}
