//! A browser, driven as WebDriver (W3C) says, over HTTP and JSON: Debian's `chromium` through its `chromium-driver`. One browser serves a
//! whole test; what the protocol lacks (scripts off, phones, dark, offline) is asked of Chromium itself.

use crate::app::client;
use crate::wait::until;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Client;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// How an element is called on the wire.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub struct Browser {
    driver: Child,
    client: Client,
    session: String,
    profile: TempDir,
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

impl Browser {
    /// None, and loudly so, where there is no browser; under CI that is a failure.
    pub async fn start() -> Option<Self> {
        let (Some(chromium), Some(driver)) = (program("chromium"), program("chromedriver")) else {
            assert!(std::env::var_os("HAMLET_CI").is_none(), "chromium and chromium-driver are missing: .ci/run installs them");
            eprintln!("SKIPPED: chromium and chromedriver are not in PATH; on Debian: apt install chromium chromium-driver");
            return None;
        };
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut driver = Command::new(driver);
        let driver = driver.arg(format!("--port={port}")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self { driver, client: client(), session: String::new(), profile };
        let base = format!("http://127.0.0.1:{port}");
        let ready = || async { browser.client.get(format!("{base}/status")).send().await.ok() };
        until("the driver answers", ready).await;
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--no-proxy-server".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--force-prefers-reduced-motion".to_owned(),
            "--window-size=1280,900".to_owned(),
            format!("--user-data-dir={}", browser.profile.path().display()),
        ];
        let options = json!({ "binary": chromium, "args": arguments });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": options } } });
        let answer = browser.client.post(format!("{base}/session")).body(wanted.to_string()).send().await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {answer}")).to_owned();
        browser.session = format!("{base}/session/{id}");
        Some(browser)
    }

    async fn ask(&self, path: &str, body: Value) -> Result<Value, Value> {
        let request = self.client.post(format!("{}{path}", self.session)).body(body.to_string());
        let answer: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
        let value = answer["value"].clone();
        if value.get("error").is_some() { Err(value) } else { Ok(value) }
    }

    async fn told(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}{path}", self.session)).send().await.unwrap().text().await.unwrap();
        serde_json::from_str::<Value>(&answer).unwrap()["value"].clone()
    }

    pub async fn go(&self, url: &str) {
        self.ask("/url", json!({ "url": url })).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    pub async fn url(&self) -> String {
        self.told("/url").await.as_str().unwrap().to_owned()
    }

    pub async fn source(&self) -> String {
        self.told("/source").await.as_str().unwrap().to_owned()
    }

    /// What a script in the page answers.
    pub async fn run(&self, script: &str) -> Value {
        self.ask("/execute/sync", json!({ "script": script, "args": [] })).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// What a script in the page answers once its promise holds.
    pub async fn run_async(&self, script: &str) -> Value {
        let script =
            format!("const done = arguments[arguments.length - 1]; (async () => {{ {script} }})().then(done, (e) => done('' + e));");
        self.ask("/execute/async", json!({ "script": script, "args": [] })).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    async fn element(&self, selector: &str) -> Option<String> {
        let found = self.ask("/element", json!({ "using": "css selector", "value": selector })).await.ok()?;
        found[ELEMENT].as_str().map(str::to_owned)
    }

    /// Waits until the text of an element holds words.
    pub async fn says(&self, selector: &str, words: &str) {
        let what = format!("{selector} says {words:?}");
        until(&what, || async {
            let element = self.element(selector).await?;
            self.told(&format!("/element/{element}/text")).await.as_str().filter(|text| text.contains(words)).map(|_| ())
        })
        .await;
    }

    pub async fn has(&self, selector: &str) -> bool {
        self.element(selector).await.is_some()
    }

    pub async fn click(&self, selector: &str) {
        until(selector, || async {
            let element = self.element(selector).await?;
            self.ask(&format!("/element/{element}/click"), json!({})).await.ok()
        })
        .await;
    }

    /// Types into a field.
    pub async fn fill(&self, selector: &str, text: &str) {
        until(selector, || async {
            let element = self.element(selector).await?;
            self.ask(&format!("/element/{element}/value"), json!({ "text": text })).await.ok()
        })
        .await;
    }

    /// Presses keys one after another, wherever the focus is.
    pub async fn keys(&self, keys: &str) {
        let pressed = |key: char| [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })];
        let actions: Vec<Value> = keys.chars().flat_map(pressed).collect();
        let actions = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] });
        self.ask("/actions", actions).await.unwrap();
    }

    /// A key held with Control.
    pub async fn control(&self, key: char) {
        let step = |kind: &str, value: char| json!({ "type": kind, "value": value });
        let actions = [step("keyDown", '\u{e009}'), step("keyDown", key), step("keyUp", key), step("keyUp", '\u{e009}')];
        self.ask("/actions", json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] })).await.unwrap();
    }

    /// A finger that goes over the middle of the page.
    pub async fn swipe(&self, from: i64, to: i64) {
        let step = |x: i64, ms: i64| json!({ "type": "pointerMove", "duration": ms, "x": x, "y": 320 });
        let actions =
            [step(from, 0), json!({ "type": "pointerDown", "button": 0 }), step(to, 60), json!({ "type": "pointerUp", "button": 0 })];
        let finger = json!({ "type": "pointer", "id": "finger", "parameters": { "pointerType": "touch" }, "actions": actions });
        self.ask("/actions", json!({ "actions": [finger] })).await.unwrap();
    }

    /// A command of Chromium's own protocol.
    pub async fn chromium(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.ask("/goog/cdp/execute", body).await.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    pub async fn screen(&self, width: u32, height: u32) {
        let is_phone = width < 600;
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": if is_phone { 2 } else { 1 }, "mobile": is_phone });
        self.chromium("Emulation.setDeviceMetricsOverride", screen).await;
        self.chromium("Emulation.setTouchEmulationEnabled", json!({ "enabled": is_phone, "maxTouchPoints": 1 })).await;
    }

    pub async fn colours(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.chromium("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    pub async fn scripts(&self, kind: Scripts) {
        self.chromium("Emulation.setScriptExecutionDisabled", json!({ "value": kind == Scripts::Off })).await;
    }

    /// A picture of what is seen now, into a file.
    pub async fn picture(&self, file: &Path) {
        let picture = self.told("/screenshot").await;
        std::fs::write(file, STANDARD.decode(picture.as_str().unwrap()).unwrap()).unwrap();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    On,
    Off,
}

impl Drop for Browser {
    /// The browser goes when its session does, and then the driver, by its own process id.
    fn drop(&mut self) {
        let (host, path) = self.session.trim_start_matches("http://").split_once('/').unwrap_or_default();
        if let Ok(mut stream) = std::net::TcpStream::connect(host) {
            let asked = format!("DELETE /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            // The answer comes when the browser has gone; the connection may stay.
            let _ = stream.set_read_timeout(Some(std::time::Duration::from_secs(5)));
            let _ = stream.write_all(asked.as_bytes()).and_then(|()| stream.read(&mut [0; 64]));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
