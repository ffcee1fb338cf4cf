//! A moderator at the desk as a browser is one: a cookie, and forms sent from our own pages with what they carry.

use crate::app::{Answer, TestApp};
use crate::mime::Mail;
use crate::smtp::SmtpServer;
use crate::wait::until;
use reqwest::Method;

pub struct Moderator<'a> {
    pub app: &'a TestApp,
    pub cookie: String,
}

/// What a form's hidden field of this name holds.
pub fn field(page: &str, name: &str) -> String {
    let marker = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&marker).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

pub async fn post(app: &TestApp, path: &str, cookie: &str, form: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", &*app.base), ("cookie", cookie)];
    app.send(Method::POST, path, &headers, form.to_owned()).await
}

/// The session that an answer puts into the browser.
pub fn session(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(cookie.len() > 40, "{}", answer.text);
    cookie
}

/// Login mails that the server took for somebody.
fn login_mails(server: &SmtpServer, email: &str) -> Vec<Mail> {
    let letters = server.taken().into_iter().filter(|letter| letter.raw.contains(email));
    letters.map(|letter| Mail::read(&letter.raw)).filter(|mail| mail.text.contains("/desk/login/")).collect()
}

/// The path of the link in the `number`th login mail to somebody, from 1.
pub async fn login_link(server: &SmtpServer, email: &str, number: usize) -> String {
    let mail = until("a login mail", || std::future::ready(login_mails(server, email).get(number - 1).cloned())).await;
    let start = mail.text.find("/desk/login/").unwrap();
    mail.text[start..].split_whitespace().next().unwrap().to_owned()
}

impl<'a> Moderator<'a> {
    /// Logs in by a mailed link.
    pub async fn by_mail(app: &'a TestApp, server: &SmtpServer, email: &str) -> Self {
        let number = login_mails(server, email).len() + 1;
        let asked = post(app, "/desk/login", "", &format!("email={email}")).await;
        assert!(asked.status == 200 && asked.text.contains("Look into your mail."), "{}", asked.text);
        let link = login_link(server, email, number).await;
        let used = post(app, &link, "", "").await;
        assert_eq!((used.status, used.header("location")), (303, "/desk/"), "{}", used.text);
        Self { app, cookie: session(&used) }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.app.send(Method::GET, path, &[("cookie", &self.cookie)], "").await
    }

    /// Sends a form of a page, with the page's own proof.
    pub async fn send(&self, page: &str, path: &str, form: &str) -> Answer {
        post(self.app, path, &self.cookie, &format!("csrf={}&{form}", field(page, "csrf"))).await
    }

    /// Opens a comment and presses a button.
    pub async fn rule(&self, id: &str, ruling: &str) -> Answer {
        let path = format!("/desk/c/{id}");
        let page = self.get(&path).await.text;
        let version = field(&page, "version");
        self.send(&page, &path, &format!("version={version}&ruling={ruling}")).await
    }
}
