//! The API's own document: every route stands in it, everything in it answers, and what is answered has the shape that it says.

use crate::app::{Answer, BLOG_KEY, OPEN_KEY, Setup, TestApp, editor, stranger};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../src/http/openapi.json");
const ROUTES: &str = include_str!("../../src/http/mod.rs");

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// `get /v1/comments` and the like, as the document has them.
fn documented(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, methods): (&String, &Value)| {
        methods.as_object().unwrap().keys().map(|method| format!("{method} {path}")).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

/// The same of the source: `.route("/v1/comments", get(..).post(..))`.
fn routed() -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    for route in ROUTES.split(".route(").skip(1) {
        let (path, rest) = route.strip_prefix('"').and_then(|route| route.split_once('"')).expect("a route begins with its path");
        let handlers = rest.split(".route(").next().unwrap().split("\n        .").next().unwrap();
        for method in ["get", "post", "put", "delete"] {
            if handlers.contains(&format!("{method}(")) && ["/v1/", "/f/"].iter().any(|api| path.starts_with(api)) {
                routes.insert(format!("{method} {path}"));
            }
        }
    }
    assert!(routes.len() > 5, "{routes:?}");
    routes
}

/// What is wrong with a value by a schema of the document; nothing where it fits. The part of JSON Schema that the document uses.
fn misfit(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointed = document.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference} leads nowhere"));
        return misfit(document, pointed, value, at);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let fits = any.iter().any(|schema| misfit(document, schema, value, at).is_empty());
        return if fits { Vec::new() } else { vec![format!("{at}: {value} is none of {any:?}")] };
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_kind = |expected: &Value| expected == kind || (expected == "number" && kind == "integer");
    let mut wrong = Vec::new();
    let kinds = schema["type"].as_array().map_or_else(|| std::slice::from_ref(&schema["type"]), Vec::as_slice);
    if !schema["type"].is_null() && !kinds.iter().any(is_kind) {
        wrong.push(format!("{at}: {value} is no {}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        wrong.push(format!("{at}: {value} is none of {words:?}"));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        wrong.extend(misfit(document, &schema["items"], item, &format!("{at}[{index}]")));
    }
    if let Some(object) = value.as_object() {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        wrong.extend(required.filter(|name| !object.contains_key(*name)).map(|name| format!("{at}: {name} is missing")));
        for (name, value) in object {
            match schema["properties"].get(name) {
                Some(property) => wrong.extend(misfit(document, property, value, &format!("{at}.{name}"))),
                None if schema["additionalProperties"] == json!(false) => wrong.push(format!("{at}: {name} is in no schema")),
                None => {}
            }
        }
    }
    wrong
}

#[test]
fn every_route_is_documented_and_every_documented_route_exists() {
    assert_eq!(documented(&document()), routed());
}

#[test]
fn the_check_of_shapes_finds_what_is_wrong() {
    let schema =
        json!({ "type": "object", "required": ["a"], "properties": { "a": { "type": "integer" } }, "additionalProperties": false });
    let wrong = |value: Value| misfit(&Value::Null, &schema, &value, "").len();
    assert_eq!(
        (wrong(json!({ "a": 1 })), wrong(json!({})), wrong(json!({ "a": "1" })), wrong(json!({ "a": 1, "b": 1 })), wrong(json!(1))),
        (0, 1, 1, 1, 1)
    );
}

#[tokio::test]
async fn answers_have_the_shapes_that_the_document_says() {
    let app = TestApp::start(Setup::default()).await;
    let served = app.get("/v1/openapi.json").await;
    assert_eq!((served.status, served.json()), (200, document()));
    let document = document();
    let check = |method: &str, path: &str, answer: &Answer| {
        let operation = &document["paths"][path][method];
        let mut response = &operation["responses"][answer.status.to_string()];
        if let Some(reference) = response["$ref"].as_str() {
            response = document.pointer(reference.trim_start_matches('#')).unwrap();
        }
        let schema = &response["content"][answer.header("content-type")]["schema"];
        assert!(schema.is_object(), "{method} {path}: {} as {} is not documented", answer.status, answer.header("content-type"));
        let wrong = misfit(&document, schema, &answer.json(), "answer");
        assert!(wrong.is_empty(), "{method} {path} {}: {wrong:?}", answer.status);
    };
    let ids = [app.submit(BLOG_KEY, &editor("Thank you.")).await.id(), app.submit(OPEN_KEY, &json!({ "body": "hi" })).await.id()];
    let calls: [(&str, &str, Value, u16); 25] = [
        ("post", "/v1/comments", editor("Thank you."), 200),
        ("post", "/v1/comments", stranger("A word: https://a.example"), 200),
        ("post", "/v1/comments", json!({}), 422),
        ("post", "/v1/comments", json!([]), 422),
        ("post", "/v1/comments", json!({ "body": "x", "name": "x".repeat(10_000) }), 413),
        ("post", "/v1/comments/batch", json!({ "comments": [editor("Thank you."), 7] }), 200),
        ("post", "/v1/comments/batch", json!({}), 422),
        ("get", "/v1/comments/{id}", Value::Null, 200),
        ("put", "/v1/comments/{id}", editor("Thank you, mended."), 200),
        ("put", "/v1/comments/{id}", json!({}), 422),
        ("post", "/v1/comments/{id}/ruling", json!({ "ruling": "spam" }), 200),
        ("post", "/v1/comments/{id}/ruling", json!({ "ruling": "perhaps" }), 422),
        ("get", "/v1/comments/{id}", Value::Null, 200),
        ("post", "/v1/comments/{id}/appeal", json!({ "text": "Please." }), 200),
        ("post", "/v1/comments/{id}/report", json!({ "reader": "jo" }), 200),
        ("post", "/v1/comments/{id}/report", json!({}), 422),
        ("get", "/v1/comments", Value::Null, 200),
        ("get", "/v1/comments?limit=1", Value::Null, 200),
        ("get", "/v1/comments?limit=0", Value::Null, 422),
        ("get", "/v1/comments?limit=1&limit=1", Value::Null, 400),
        ("get", "/v1/statistics", Value::Null, 200),
        ("get", "/v1/form-token", Value::Null, 200),
        ("get", "/v1/openapi.json", Value::Null, 200),
        ("post", "/v1/erasures", json!({ "email": "nobody@mail.example" }), 200),
        ("post", "/v1/erasures", json!({}), 422),
    ];
    for (method, path, body, status) in calls {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let method_sent = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let documented_path = path.split('?').next().unwrap();
        for (key, expected) in [(BLOG_KEY, status), ("nobody-knows-me", if path.ends_with("openapi.json") { 200 } else { 401 })] {
            let headers = [("authorization", &*format!("Bearer {key}"))];
            let answer = app.send(method_sent.clone(), &path.replace("{id}", &ids[0]), &headers, text.clone()).await;
            assert_eq!(answer.status, expected, "{method} {path}: {}", answer.text);
            check(method, documented_path, &answer);
        }
        if path.contains("{id}") {
            let headers = [("authorization", &*format!("Bearer {BLOG_KEY}"))];
            let foreign = app.send(method_sent, &path.replace("{id}", &ids[1]), &headers, text).await;
            assert!([404, 422].contains(&foreign.status), "{method} {path}: {}", foreign.text);
            check(method, documented_path, &foreign);
        }
    }
    check("post", "/v1/comments", &app.submit_async(BLOG_KEY, &stranger("Later is fine.")).await);
    let once = [("idempotency-key", "once")];
    app.submit_with(BLOG_KEY, &once, &stranger("One.")).await;
    check("post", "/v1/comments", &app.submit_with(BLOG_KEY, &once, &stranger("Two.")).await);
    let no_json = app.send(Method::POST, "/v1/comments", &[("authorization", &*format!("Bearer {BLOG_KEY}"))], "{").await;
    check("post", "/v1/comments", &no_json);
}

#[tokio::test]
async fn an_erasure_answers_as_the_document_says() {
    let app = TestApp::start(Setup::default()).await;
    let path = format!("/v1/comments/{}", app.submit(BLOG_KEY, &editor("Thank you.")).await.id());
    for (key, expected) in [("nobody-knows-me", 401), (OPEN_KEY, 404), (BLOG_KEY, 204), (BLOG_KEY, 404)] {
        let gone = app.send(Method::DELETE, &path, &[("authorization", &*format!("Bearer {key}"))], "").await;
        assert_eq!(gone.status, expected, "{}", gone.text);
        assert!(document()["paths"]["/v1/comments/{id}"]["delete"]["responses"][expected.to_string()].is_object());
    }
}
