//! `hamlet evaluate` on a small real corpus: what it answers to programs and to people, and what it says where it cannot.

use crate::commands::{hamlet, hamlet_reading, str};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The first lines of the project's own corpus: so many of each class, a day apart, some without a date.
fn corpus(folder: &Path, each: usize) -> PathBuf {
    let lines = |class: &str| -> Vec<Value> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("training-data/en-{class}.jsonl"));
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().take(each).map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (spam, ham) = (lines("spam"), lines("ham"));
    assert_eq!((spam.len(), ham.len()), (each, each));
    let mut text = String::new();
    for (at, mut line) in spam.into_iter().zip(ham).flat_map(|(spam, ham)| [spam, ham]).enumerate() {
        line["date"] = if at % 10 == 9 { Value::Null } else { json!(format!("2024-{:02}-{:02}T10:00:00", 1 + at / 28 % 12, 1 + at % 28)) };
        line["group"] = json!(format!("page {}", at / 2 % 3));
        writeln!(text, "{line}").unwrap();
    }
    let path = folder.join("corpus.jsonl");
    std::fs::write(&path, text).unwrap();
    path
}

fn document(arguments: &[&str]) -> Value {
    let ended = hamlet(&[&["evaluate", "--json"], arguments].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// The paths of all fields with the kind of their value; of a list its first entry.
fn shape(value: &Value, path: &str, into: &mut String) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| shape(value, &format!("{path}.{name}"), into)),
        Value::Array(entries) => match entries.first() {
            Some(first) => shape(first, &format!("{path}[]"), into),
            None => writeln!(into, "{path}: empty list").unwrap(),
        },
        Value::Null => writeln!(into, "{path}: null").unwrap(),
        Value::Bool(_) => writeln!(into, "{path}: bool").unwrap(),
        Value::Number(_) => writeln!(into, "{path}: number").unwrap(),
        Value::String(_) => writeln!(into, "{path}: string").unwrap(),
    }
}

#[test]
fn the_document_for_programs_keeps_its_fields() {
    let folder = tempfile::tempdir().unwrap();
    let (input, scores) = (corpus(folder.path(), 80), folder.path().join("scores.jsonl"));
    let budget = ["--spam-published-max", "0.3", "--ham-rejected-max", "0.3", "--curve"];
    let by_time = ["--input", str(&input), "--by", "time", "--folds", "3", "--learning-curve", "--scores", str(&scores)];
    let document = document(&[&by_time[..], &budget].concat());
    let mut fields = String::new();
    shape(&document, "", &mut fields);
    insta::assert_snapshot!("evaluate_fields", fields);
    let judged = document["judged"]["spam"].as_u64().unwrap() + document["judged"]["ham"].as_u64().unwrap();
    assert_eq!(judged + document["judged"]["not_judged"].as_u64().unwrap(), 160);
    let lines: Vec<Value> = std::fs::read_to_string(&scores).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len() as u64, judged);
    assert!(lines.iter().all(|line| line["part"].as_u64() > Some(0) && line["log_odds"].is_f64()));
    assert!(lines.iter().any(|line| line["shift_log_odds"].as_f64() != Some(0.0)), "the tracker never spoke");
    assert!(document["notes"][0].as_str().unwrap().starts_with("16 comments without a date"), "{}", document["notes"]);
}

#[test]
fn the_page_stands_alone_and_tells_what_the_document_tells() {
    let folder = tempfile::tempdir().unwrap();
    let (input, page) = (corpus(folder.path(), 40), folder.path().join("report.html"));
    let document = document(&["--input", str(&input), "--folds", "2", "--baseline", "starter", "--html", str(&page)]);
    let page = std::fs::read_to_string(&page).unwrap();
    for words in [
        "Models of these labels",
        "Not certified",
        "Scores, with the band",
        "Reliability",
        "Drift over time",
        "By page or group",
        "baseline",
    ] {
        assert!(page.contains(words), "{words}");
    }
    for live in ["<script", "src=", "http:", "https:", "<link"] {
        assert!(!page.contains(live), "{live}");
    }
    assert!(page.contains("--baseline starter") && page.contains(document["inputs"][0]["sha256"].as_str().unwrap()));
    let auc = document["measures"]["auc"].as_f64().unwrap();
    assert!(page.contains(&format!("{auc:.4}")), "{auc}");
    let plots = &document["plots"];
    let all = |of: &str| -> u64 { plots["heaps"].as_array().unwrap().iter().map(|heap| heap[of].as_u64().unwrap()).sum() };
    assert_eq!((all("spam"), all("ham")), (40, 40));
    let last = plots["thresholds"].as_array().unwrap().last().unwrap();
    assert_eq!((last["spam"].as_u64(), last["ham"].as_u64()), (Some(40), Some(40)));
    let seen = &document["outcome_shipped"];
    let wrong = plots["mistakes"].as_array().unwrap().iter().filter(|mistake| mistake["verdict"] != json!("hold")).count() as u64;
    // A dozen of each are told.
    assert_eq!(wrong, seen["spam"]["published"].as_u64().unwrap().min(12) + seen["ham"]["rejected"].as_u64().unwrap().min(12));
}

#[test]
fn the_same_seed_measures_the_same_and_every_way_of_splitting_judges_all() {
    let folder = tempfile::tempdir().unwrap();
    let input = corpus(folder.path(), 40);
    for by in ["texts", "folds", "groups"] {
        let arguments = ["--input", str(&input), "--by", by, "--folds", "2", "--seed", "3"];
        let first = document(&arguments);
        assert_eq!(first["judged"], json!({ "spam": 40, "ham": 40, "not_judged": 0 }), "{by}");
        assert_eq!(first["protocol"]["by"], json!(by));
        assert_eq!(first["protocol"]["parts"], json!(if by == "groups" { 3 } else { 2 }));
        assert_eq!(first["measures_with_tracker"], Value::Null);
        if by == "texts" {
            assert_eq!(document(&arguments), first);
        }
    }
}

#[test]
fn people_read_in_words_what_is_not_certified_and_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let input = corpus(folder.path(), 40);
    let ended = hamlet(&["evaluate", "--input", str(&input), "--by", "time", "--folds", "2", "--curve"]);
    // No terminal, so no progress.
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let unbroken = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in
        ["NOT CERTIFIED", "more labels of spam and", "more labels of ham needed", "with the prior tracker", "alone tracked", "of 100"]
    {
        assert!(unbroken.contains(words), "{words}: {}", ended.stdout);
    }
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ended.stdout);
    let loose = ["--spam-published-max", "0.5", "--ham-rejected-max", "0.5", "--confidence", "0.5"];
    let certified = hamlet(&[&["evaluate", "--input", str(&input), "--folds", "2"], &loose[..]].concat());
    assert!(certified.stdout.contains("CERTIFIED") && !certified.stdout.contains("NOT CERTIFIED"), "{}", certified.stdout);
}

#[test]
fn a_finished_model_is_measured_and_shouts_when_it_has_met_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (input, model) = (corpus(folder.path(), 30), folder.path().join("m.hamlet"));
    assert_eq!(hamlet(&["train", "--input", str(&input), "--output", str(&model)]).code, 0);
    let shouts =
        |name: &str| document(&["--input", str(&input), "--model", name])["notes"].to_string().contains("IT LEARNT FROM THIS VERY FILE");
    assert!(shouts(str(&model)) && !shouts("starter"));
    let over = document(&["--input", str(&input), "--base", str(&model), "--folds", "2"]);
    assert!(over["notes"].to_string().contains("IT LEARNT FROM THIS VERY FILE") && over["protocol"]["base"].is_string());
    let in_time = document(&["--input", str(&input), "--model", "starter", "--by", "time"]);
    assert_eq!(in_time["protocol"]["models_trained"], json!(0));
    assert!(in_time["measures_with_tracker"].is_object() && in_time["judged"]["not_judged"] == json!(6), "{in_time}");
}

#[test]
fn what_cannot_be_measured_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let input = corpus(folder.path(), 6);
    let mut said = String::new();
    for arguments in [
        &["--input", "/nowhere/in.jsonl"][..],
        &["--input", str(&input)],
        &["--input", str(&input), "--by", "time", "--folds", "12"],
        &["--input", str(&input), "--folds", "2", "--learning-curve"],
        &["--input", str(&input), "--folds", "1"],
        &["--input", str(&input), "--confidence", "90"],
        &["--input", str(&input), "--model", "starter", "--by", "groups"],
        &["--input", str(&input), "--model", "starter", "--folds", "3"],
        &["--input", str(&input), "--model", "/nowhere/model"],
    ] {
        let ended = hamlet(&[&["evaluate"], arguments].concat());
        assert_eq!(ended.stdout, "");
        writeln!(said, "$ hamlet evaluate {}\n{}exit {}\n", arguments.join(" "), ended.stderr, ended.code).unwrap();
    }
    let ham = "{\"label\":\"ham\",\"content\":\"thank you\"}\n{\"label\":\"abuse\",\"content\":\"go away\"}\n";
    let ended = hamlet_reading(&["evaluate", "--input", "-"], ham);
    writeln!(said, "$ hamlet evaluate --input - # only ham\n{}exit {}", ended.stderr, ended.code).unwrap();
    insta::assert_snapshot!("evaluate_errors", said.replace(str(folder.path()), "DIR"));
}

#[test]
fn the_tracker_follows_a_stream_only_when_asked() {
    let line = |n: usize| {
        json!({ "id": n.to_string(), "content": "Earn money online, contact me on WhatsApp for crypto profit" }).to_string() + "\n"
    };
    let stream: String = (0..60).map(line).collect();
    let scores = |more: &[&str]| -> Vec<f64> {
        let ended = hamlet_reading(&[&["score", "--input", "-", "--data", "/nowhere"], more].concat(), &stream);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        ended.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["score"].as_f64().unwrap()).collect()
    };
    let (alone, tracked) = (scores(&[]), scores(&["--track-prior"]));
    assert!(alone.iter().all(|score| score.total_cmp(&alone[0]).is_eq()));
    assert!((tracked[0] - alone[0]).abs() < 1e-9, "the first comment has no past");
    assert!(tracked[59] > tracked[1] && tracked[1] > alone[1], "{tracked:?}");
}
