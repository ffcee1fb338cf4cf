//! Disqus's XML export: threads first, then posts that name theirs. It says what is spam, and not whether a person said so.

use super::xml::{Node, walk};
use super::{Broken, Found, Reason, Skipped, Take, field};
use crate::comment::Submission;
use crate::decision::Ruling;
use std::collections::HashMap;
use std::io::BufRead;
use std::ops::ControlFlow;

/// Threads whose address and title are held, some 150 bytes each: a blog of 200,000 pages fits in 30 MB. Posts under others have no page.
const THREADS_MAX: usize = 200_000;

type Page = (Option<String>, Option<String>);

#[derive(Default)]
struct Place {
    threads: HashMap<String, Page>,
    thread: Option<(String, Page)>,
    post: Option<Post>,
}

#[derive(Default)]
struct Post {
    line: u64,
    id: String,
    thread: Option<String>,
    submission: Submission,
    is_deleted: bool,
    is_spam: bool,
    is_pending: bool,
    skipped: Option<Skipped>,
}

pub fn read(input: impl BufRead, take: &mut Take<'_>) -> Result<(), Broken> {
    let mut place = Place::default();
    walk(input, &mut |line, node| match node {
        Node::Open { name, id } => {
            place.open(line, name, id);
            ControlFlow::Continue(())
        }
        Node::Close { name: "post", .. } => match place.post.take() {
            Some(post) => take(post.line, post.found(&place.threads)),
            None => ControlFlow::Continue(()),
        },
        Node::Close { name, text } => {
            place.close(name, text.map_err(Skipped::because));
            ControlFlow::Continue(())
        }
    })
}

impl Place {
    fn open(&mut self, line: u64, name: &str, id: Option<String>) {
        match (name, &mut self.post) {
            ("post", _) => self.post = Some(Post { line, id: id.unwrap_or_default(), ..Post::default() }),
            ("thread", Some(post)) => post.thread = id,
            ("thread", None) => self.thread = id.map(|id| (id, (None, None))),
            _ => {}
        }
    }

    fn close(&mut self, name: &str, text: Result<&str, Skipped>) {
        if let Some(post) = &mut self.post {
            match text {
                Ok(text) => post.close(name, text),
                Err(why) => post.skipped = Some(why),
            }
            return;
        }
        let Some((_, page)) = &mut self.thread else { return };
        let text = || field(text.as_ref().map_or("", |text| text.trim()).to_owned());
        match name {
            "link" => page.0 = text(),
            "title" => page.1 = text(),
            "thread" if self.threads.len() < THREADS_MAX => self.threads.extend(self.thread.take()),
            _ => {}
        }
    }
}

impl Post {
    fn close(&mut self, name: &str, text: &str) {
        let is_true = || text.trim() == "true";
        let said = &mut self.submission;
        match name {
            "message" => said.body = field(text.to_owned()),
            "createdAt" => said.submitted_at = field(text.to_owned()),
            "name" => said.name = field(text.to_owned()),
            "email" => said.email = field(text.to_owned()),
            "ipAddress" => said.ip = field(text.to_owned()),
            "isDeleted" => self.is_deleted = is_true(),
            "isSpam" => self.is_spam = is_true(),
            "isApproved" => self.is_pending = text.trim() == "false",
            _ => {}
        }
    }

    fn found(self, threads: &HashMap<String, Page>) -> Result<Found, Skipped> {
        if let Some(skipped) = self.skipped {
            return Err(skipped);
        }
        let states = [(self.is_spam, Reason::ByMachine), (self.is_deleted, Reason::Deleted), (self.is_pending, Reason::Undecided)];
        if let Some((_, reason)) = states.into_iter().find(|(is_so, _)| *is_so) {
            return Err(Skipped::because(reason));
        }
        if self.submission.body.is_none() {
            return Err(Skipped::because(Reason::NoText));
        }
        let (page_url, page_title) = self.thread.and_then(|thread| threads.get(&thread).cloned()).unwrap_or_default();
        let submission = Submission { page_url, page_title, ..self.submission };
        Ok(Found { source_id: field(self.id), submission, ruling: Ruling::Publish, machine: None })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all, told};
    use super::super::{Format, Options};

    #[test]
    fn posts_that_stand_are_ham_and_know_their_page() {
        let post = |id: u32, more: &str| {
            format!(
                "<post dsq:id=\"{id}\"><message><![CDATA[<p>hi {id}</p>]]></message><author><name>Ana</name></author>{more}<thread dsq:id=\"9\" /></post>\n"
            )
        };
        let posts = [
            post(1, ""),
            post(2, "<isSpam>true</isSpam>"),
            post(3, "<isDeleted>true</isDeleted>"),
            post(4, "<isApproved>false</isApproved>"),
        ];
        let text = format!(
            "<disqus xmlns:dsq=\"x\"><thread dsq:id=\"9\"><id>how</id><link>https://blog.example/how</link><title>How</title></thread>\n{}</disqus>",
            posts.concat()
        );
        assert_eq!(
            told(Format::Disqus, &text, &Options::default()),
            ["2 publish Ana: <p>hi 1</p>", "3 by_machine", "4 deleted", "5 undecided"]
        );
        let (entries, _) = all(Format::Disqus, text.as_bytes(), &Options::default());
        let found = entries[0].1.as_ref().unwrap();
        assert_eq!((found.source_id.as_deref(), found.submission.page_url.as_deref()), (Some("1"), Some("https://blog.example/how")));
    }
}
