//! `kill -9` under load, twenty times: what was acknowledged is there exactly once, rulings included, and the blog ends up knowing how
//! every accepted comment stands. A client that was told nothing sends the same again under its key, as a real one would.

use crate::app::{BLOG_KEY, Setup, TestApp, editor, stranger, try_send};
use crate::blog::Blog;
use crate::store::Look;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;

const CYCLES: usize = 20;
const CLIENTS: usize = 6;
/// Acknowledgements after which the process is killed: 60 and then some more from cycle to cycle, so that it dies at different moments.
const ACKNOWLEDGED_MIN: usize = 60;

/// What one client was told, and what it still has to send.
#[derive(Default)]
struct Client {
    number: usize,
    sent: usize,
    unanswered: Option<(String, Value, bool)>,
    /// Idempotency key, comment id.
    acknowledged: Vec<(String, String)>,
    /// Comment id, the last ruling that was acknowledged.
    ruled: HashMap<String, &'static str>,
    /// Rulings that were sent and not answered: they may stand or not.
    uncertain: HashMap<String, &'static str>,
}

impl Client {
    fn next(&mut self) -> (String, Value, bool) {
        self.unanswered.take().unwrap_or_else(|| {
            self.sent += 1;
            let text = format!("Word {} of client {}.", self.sent, self.number);
            let comment = match self.sent % 4 {
                0 => editor(&text),
                1 => stranger(&(text + " blockedword")),
                _ => stranger(&text),
            };
            (format!("client-{}-{}", self.number, self.sent), comment, self.sent.is_multiple_of(3))
        })
    }

    /// Sends until the daemon is gone.
    async fn work(mut self, base: String, client: reqwest::Client, count: Arc<AtomicUsize>) -> Self {
        loop {
            let (key, comment, later) = self.next();
            let request = client.post(format!("{base}/v1/comments")).bearer_auth(BLOG_KEY).header("idempotency-key", &key);
            let request = if later { request.header("prefer", "respond-async") } else { request };
            let Some(answer) = try_send(request.body(comment.to_string())).await else {
                self.unanswered = Some((key, comment, later));
                return self;
            };
            assert!([200, 202].contains(&answer.status), "{}", answer.text);
            let id = answer.id();
            self.acknowledged.push((key, id.clone()));
            count.fetch_add(1, Ordering::Relaxed);
            if self.sent.is_multiple_of(7) && !self.rule(&base, &client, &id).await {
                return self;
            }
        }
    }

    async fn rule(&mut self, base: &str, client: &reqwest::Client, id: &str) -> bool {
        let ruling = ["publish", "spam", "remove"][self.sent % 3];
        let request = client.post(format!("{base}/v1/comments/{id}/ruling")).bearer_auth(BLOG_KEY);
        let Some(answer) = try_send(request.body(json!({ "ruling": ruling }).to_string())).await else {
            self.uncertain.insert(id.to_owned(), ruling);
            return false;
        };
        assert_eq!(answer.status, 200, "{}", answer.text);
        self.ruled.insert(id.to_owned(), ruling);
        true
    }

    /// What this client was told since `from` is there, once, as it was told.
    async fn check(&self, app: &TestApp, from: usize) {
        let look = Look::into(app);
        for (key, id) in &self.acknowledged[from..] {
            let answer = app.document(BLOG_KEY, id).await;
            assert_eq!(answer.status, 200, "{key} was acknowledged and is gone");
            assert_eq!(look.count(&format!("SELECT count(*) FROM comments WHERE idempotency_key = '{key}'")), 1, "{key}");
            if let Some(ruling) = self.ruled.get(id) {
                assert_eq!(answer.json()["ruling"]["ruling"], *ruling, "{key}");
            }
        }
    }
}

async fn cycle(app: &mut TestApp, clients: Vec<Client>, enough: usize) -> Vec<Client> {
    let count = Arc::new(AtomicUsize::new(0));
    let mut working = JoinSet::new();
    for client in clients {
        working.spawn(client.work(app.base.clone(), app.client.clone(), Arc::clone(&count)));
    }
    crate::wait::until_true("enough was acknowledged", || count.load(Ordering::Relaxed) >= enough).await;
    app.kill();
    working.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_twenty_kills_exactly_once() {
    let blog = Blog::open().await;
    let setup = Setup::default().webhooks("BLOG", &blog).set("OUTBOX__ATTEMPTS_MAX", 100);
    let mut app = TestApp::start(setup).await;
    let mut clients: Vec<Client> = (0..CLIENTS).map(|number| Client { number, ..Client::default() }).collect();
    for number in 0..CYCLES {
        let before: Vec<usize> = clients.iter().map(|client| client.acknowledged.len()).collect();
        clients = cycle(&mut app, clients, ACKNOWLEDGED_MIN + number * 37 % 100).await;
        clients.sort_by_key(|client| client.number);
        app = app.start_again().await;
        for (client, from) in clients.iter().zip(before) {
            client.check(&app, from).await;
        }
    }
    for client in &clients {
        client.check(&app, 0).await;
    }
    everything_was_judged_and_told(&app, &blog).await;
    let acknowledged: usize = clients.iter().map(|client| client.acknowledged.len()).sum();
    let rulings: usize = clients.iter().map(|client| client.ruled.len()).sum();
    let uncertain: usize = clients.iter().map(|client| client.uncertain.len()).sum();
    let accepted = Look::into(&app).count("SELECT count(*) FROM comments");
    println!(
        "{CYCLES} kills: {acknowledged} comments acknowledged, {accepted} accepted, {rulings} rulings acknowledged, {uncertain} unanswered"
    );
    assert!(usize::try_from(accepted).unwrap() >= acknowledged && acknowledged >= CYCLES * ACKNOWLEDGED_MIN);
}

/// Each accepted comment, the unanswered ones too, has its verdict or ruling, and the blog has it with the status that stands.
async fn everything_was_judged_and_told(app: &TestApp, blog: &Blog) {
    let look = Look::into(app);
    look.outbox_drained().await;
    assert_eq!(look.count("SELECT count(*) FROM comments WHERE status = 'queued'"), 0);
    assert_eq!(look.count("SELECT count(*) FROM parcels WHERE kind = 'webhook'"), 0, "none was given up");
    assert_eq!(
        look.count(
            "SELECT count(*) FROM comments WHERE ruled IS NULL AND (SELECT count(*) FROM decisions WHERE comment = comments.seq) != 1"
        ),
        0
    );
    assert_eq!(look.count("SELECT count(*) FROM decisions GROUP BY comment ORDER BY 1 DESC LIMIT 1"), 1);
    let told = blog.statuses();
    let ids = look.rows::<String>("SELECT lower(hex(id)) || ' ' || status FROM comments");
    assert_eq!(told.len(), ids.len());
    for row in ids {
        let (hex, status) = row.split_once(' ').unwrap();
        let id = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
        assert_eq!(told.get(&id).map(String::as_str), Some(status), "{id}");
    }
    assert!(blog.heard().iter().all(|heard| heard.is_signed));
}
