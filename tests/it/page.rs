//! The review page as a moderator's browser has it: its forms, and a POST with the headers that a browser sends.

use crate::app::{Answer, TestApp};
use crate::mime::Mail;
use crate::smtp::SmtpServer;
use crate::wait::until;
use reqwest::Method;

/// The path of a link to this daemon.
pub fn path(app: &TestApp, link: &str) -> String {
    link.strip_prefix(&app.base).unwrap_or_else(|| panic!("{link} leads elsewhere")).to_owned()
}

/// Waits for the `number`th mail that the server took, from 1.
pub async fn mail(server: &SmtpServer, number: usize) -> Mail {
    let letter = until("a mail", || std::future::ready(server.taken().get(number - 1).cloned())).await;
    Mail::read(&letter.raw)
}

/// The nonce that the page's form for an item carries.
pub fn nonce(page: &str, item: usize) -> String {
    let marker = format!("name=\"item\" value=\"{item}\"><input type=\"hidden\" name=\"nonce\" value=\"");
    let (_, rest) = page.split_once(&marker).unwrap_or_else(|| panic!("no form for item {item} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

/// What a pressed button sends.
pub fn form(item: usize, nonce: &str, ruling: &str) -> String {
    format!("item={item}&nonce={nonce}&ruling={ruling}")
}

pub async fn post(app: &TestApp, path: &str, headers: &[(&str, &str)], form: String) -> Answer {
    let all: Vec<_> = headers.iter().copied().chain([("content-type", "application/x-www-form-urlencoded")]).collect();
    app.send(Method::POST, path, &all, form).await
}

/// Opens the page and presses a button of an item, as a person does.
pub async fn press(app: &TestApp, path: &str, item: usize, ruling: &str) -> Answer {
    let page = app.get(path).await;
    assert_eq!(page.status, 200, "{}", page.text);
    post(app, path, &[("origin", &app.base)], form(item, &nonce(&page.text, item), ruling)).await
}
