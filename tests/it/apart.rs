//! Sites are apart: whatever happens on one, the key of another is answered as if that one did not exist.

use crate::app::{BLOG_KEY, OTHER_KEY, Setup, TestApp, stranger};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Enough for every pair of operations to meet, and few enough for a second or two.
const OPERATIONS: usize = 160;

/// Small worlds, so that the two sites write the same texts from the same addresses under the same keys, and meet wherever they could.
#[derive(Debug, Clone)]
enum Operation {
    Submit { text: usize, from: usize, idempotency: Option<usize>, later: bool },
    Read { which: usize },
    Rule { which: usize, ruling: usize },
    Check { text: usize, from: usize },
    Report { text: usize, from: usize, ruling: usize },
    Figures,
}

const TEXTS: [&str; 5] = [
    "my kettle hisses at ninety degrees, thank you",
    "cheap casino bonus at https://casino.example now",
    "see https://kettle.example/tea for the rest",
    "blockedword",
    "I wrote to wren@nest.example about the garden and the river in winter",
];
const RULINGS: [&str; 3] = ["publish", "spam", "remove"];

fn operation() -> impl Strategy<Value = Operation> {
    let (text, from, which) = (0..TEXTS.len(), 0..2_usize, 0..4_usize);
    prop_oneof![
        4 => (text.clone(), from.clone(), proptest::option::of(0..3_usize), any::<bool>())
            .prop_map(|(text, from, idempotency, later)| Operation::Submit { text, from, idempotency, later }),
        2 => which.clone().prop_map(|which| Operation::Read { which }),
        2 => (which, 0..3_usize).prop_map(|(which, ruling)| Operation::Rule { which, ruling }),
        1 => (text.clone(), from.clone()).prop_map(|(text, from)| Operation::Check { text, from }),
        1 => (text, from, 0..2_usize).prop_map(|(text, from, ruling)| Operation::Report { text, from, ruling }),
        1 => Just(Operation::Figures),
    ]
}

/// A site as its client sees it: the ids it was told, by the order in which it heard of them.
struct Client<'a> {
    app: &'a TestApp,
    key: &'static str,
    akismet_key: &'static str,
    ids: Vec<String>,
}

fn comment(text: usize, from: usize) -> Value {
    let mut comment = stranger(TEXTS[text]);
    comment["ip"] = json!(format!("203.0.113.{from}"));
    comment["email"] = json!(format!("jane{from}@strangers.example"));
    comment
}

impl Client<'_> {
    async fn akismet(&self, call: &str, text: usize, from: usize) -> String {
        let form = format!(
            "api_key={}&blog=https%3A%2F%2Fb.example&user_ip=203.0.113.{from}&comment_author=Jane&comment_author_email=jane{from}%40strangers.example&comment_content={}",
            self.akismet_key,
            TEXTS[text].replace(' ', "+").replace(':', "%3A").replace('/', "%2F").replace('@', "%40")
        );
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self.app.send(Method::POST, call, &headers, form).await;
        format!("{} {}", answer.status, answer.text)
    }

    /// What the site was answered.
    async fn act(&mut self, operation: &Operation) -> String {
        match operation {
            Operation::Submit { text, from, idempotency, later } => {
                let key = idempotency.map(|key| format!("key-{key}"));
                let mut headers: Vec<(&str, &str)> = key.iter().map(|key| ("idempotency-key", key.as_str())).collect();
                headers.extend(later.then_some(("prefer", "respond-async")));
                let answer = self.app.submit_with(self.key, &headers, &comment(*text, *from)).await;
                if answer.status < 300 {
                    let id = answer.id();
                    // What is judged later is judged before the next operation, so that the order is one.
                    let judged = self.app.judged(self.key, &id).await;
                    if !self.ids.contains(&id) {
                        self.ids.push(id);
                    }
                    return format!("{} {judged}", answer.status);
                }
                format!("{} {}", answer.status, answer.text)
            }
            Operation::Read { which } => match self.ids.iter().rev().nth(*which) {
                Some(id) => self.app.document(self.key, id).await.text,
                None => String::new(),
            },
            Operation::Rule { which, ruling } => match self.ids.iter().rev().nth(*which) {
                Some(id) => self.app.rule(self.key, id, RULINGS[*ruling]).await.text,
                None => String::new(),
            },
            Operation::Check { text, from } => self.akismet("/1.1/comment-check", *text, *from).await,
            Operation::Report { text, from, ruling } => self.akismet(["/1.1/submit-spam", "/1.1/submit-ham"][*ruling], *text, *from).await,
            Operation::Figures => {
                let path = format!("/1.2/usage-limit?api_key={}&extended=1", self.akismet_key);
                self.app.get(&path).await.text
            }
        }
    }

    /// The answer with what chance and time made taken out: ids by their order, times by a word.
    fn settled(&self, answer: &str) -> String {
        let named: HashMap<&str, usize> = self.ids.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
        let mut text = answer.to_owned();
        for (id, at) in named {
            text = text.replace(id, &format!("ID-{at}"));
        }
        let Some(start) = text.find('{') else { return text };
        let (before, document) = text.split_at(start);
        let Ok(mut document) = serde_json::from_str::<Value>(document) else { return text };
        forget_times(&mut document);
        format!("{before}{document}")
    }
}

fn forget_times(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, field)| {
            if name == "at" || name.ends_with("_at") {
                *field = json!("then");
            }
            forget_times(field);
        }),
        Value::Array(items) => items.iter_mut().for_each(forget_times),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Floods, repeats and campaigns count here: they are what would leak.
fn setup() -> Setup {
    let low = [("FLOOD_ADDRESS_HOLD", 6), ("FLOOD_EMAIL_HOLD", 6), ("REPEATS_HOLD", 2), ("CAMPAIGN_HOLD", 3), ("FLOOD_NETWORK_HOLD", 9)];
    low.iter().fold(Setup::default(), |setup, (rule, count)| setup.set(&format!("RULES__{rule}"), count))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_one_site_observes_nothing_of_another() {
    for seed in 0..2_u8 {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let plan = proptest::collection::vec((operation(), any::<bool>()), OPERATIONS).new_tree(&mut runner).unwrap().current();
        let (shared, alone) = (TestApp::start(setup()).await, TestApp::start(setup()).await);
        let on_blog = |app| Client { app, key: BLOG_KEY, akismet_key: "akismetblog0", ids: Vec::new() };
        let (mut here, mut there) = (on_blog(&shared), on_blog(&alone));
        let mut other = Client { app: &shared, key: OTHER_KEY, akismet_key: "akismetother", ids: Vec::new() };
        for (at, (operation, is_other)) in plan.iter().enumerate() {
            if *is_other {
                other.act(operation).await;
                continue;
            }
            let (with, without) = (here.act(operation).await, there.act(operation).await);
            assert_eq!(here.settled(&with), there.settled(&without), "seed {seed}, operation {at}: {operation:?}");
        }
        // Nor does an id or a link open what is another's.
        for id in &other.ids {
            assert_eq!(shared.document(BLOG_KEY, id).await.status, 404);
            assert_eq!(shared.rule(BLOG_KEY, id, "spam").await.status, 404);
        }
        assert!(here.ids.len() > 10 && other.ids.len() > 10, "{} and {}", here.ids.len(), other.ids.len());
    }
}
