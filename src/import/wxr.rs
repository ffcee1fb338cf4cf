//! WXR: what WordPress exports. It holds approved comments, pending ones and the trash, and leaves spam out: a site that starts from one
//! has ham alone.

use super::wordpress::Row;
use super::xml::{Node, walk};
use super::{Broken, Skipped, Take, field};
use std::io::BufRead;
use std::ops::ControlFlow;

/// Where the walk is.
#[derive(Default)]
struct Place {
    /// The blog's address, which tells its ids from another's.
    blog: String,
    in_item: bool,
    link: Option<String>,
    title: Option<String>,
    /// The comment that is open, with its line; why it cannot be taken, if one of its fields cannot.
    comment: Option<(u64, Row, Option<Skipped>)>,
    meta_key: String,
}

pub fn read(input: impl BufRead, take: &mut Take<'_>) -> Result<(), Broken> {
    let mut place = Place::default();
    walk(input, &mut |line, node| match node {
        Node::Open { name, .. } => {
            place.open(line, name);
            ControlFlow::Continue(())
        }
        Node::Close { name, text } => {
            let text = text.map_err(Skipped::because);
            if name != "comment" {
                place.close(name, text);
                return ControlFlow::Continue(());
            }
            let Some((line, row, skipped)) = place.comment.take() else { return ControlFlow::Continue(()) };
            let row = Row { page_url: place.link.clone(), page_title: place.title.clone(), ..row };
            take(line, skipped.map_or_else(|| row.found(&format!("{}#", place.blog)), Err))
        }
    })
}

impl Place {
    fn open(&mut self, line: u64, name: &str) {
        match name {
            "item" => (self.in_item, self.link, self.title) = (true, None, None),
            "comment" => self.comment = Some((line, Row::default(), None)),
            _ => {}
        }
    }

    fn close(&mut self, name: &str, text: Result<&str, Skipped>) {
        let Some((_, row, skipped)) = &mut self.comment else { return self.close_outside(name, text.unwrap_or_default()) };
        let text = match text {
            Ok(text) => text.to_owned(),
            Err(why) => {
                *skipped = Some(why);
                return;
            }
        };
        match name {
            "comment_id" => row.id = text,
            "comment_author" => row.author = text,
            "comment_author_email" => row.email = text,
            "comment_author_url" => row.url = text,
            "comment_author_IP" => row.ip = text,
            "comment_date_gmt" => row.date_gmt = text,
            "comment_content" => row.content = text,
            "comment_approved" => row.approved = text,
            "comment_type" => row.kind = text,
            "meta_key" => self.meta_key = text,
            "meta_value" => row.said.note(&self.meta_key, &text),
            _ => {}
        }
    }

    fn close_outside(&mut self, name: &str, text: &str) {
        match name {
            "item" => self.in_item = false,
            "link" if self.in_item => self.link = field(text.trim().to_owned()),
            "title" if self.in_item => self.title = field(text.trim().to_owned()),
            "base_blog_url" => text.trim().clone_into(&mut self.blog),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all, told};
    use super::super::{Format, Options};

    fn export(comments: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<rss xmlns:wp=\"x\"><channel><title>Blog</title>\
             <wp:base_blog_url>https://blog.example</wp:base_blog_url>\n<item><title>How &amp; why</title><link>https://blog.example/how</link>\n\
             {comments}</item></channel></rss>"
        )
    }

    fn comment(id: u32, approved: &str, content: &str, more: &str) -> String {
        format!(
            "<wp:comment><wp:comment_id>{id}</wp:comment_id><wp:comment_author><![CDATA[Ana]]></wp:comment_author>\
             <wp:comment_author_email>ana@mail.example</wp:comment_author_email><wp:comment_date_gmt>2020-01-31 08:15:00</wp:comment_date_gmt>\
             <wp:comment_content><![CDATA[{content}]]></wp:comment_content><wp:comment_approved>{approved}</wp:comment_approved>{more}</wp:comment>\n"
        )
    }

    fn meta(key: &str, value: &str) -> String {
        format!("<wp:commentmeta><wp:meta_key>{key}</wp:meta_key><wp:meta_value><![CDATA[{value}]]></wp:meta_value></wp:commentmeta>")
    }

    #[test]
    fn approved_comments_are_ham_and_nothing_else_is_a_label() {
        let text = export(
            &[
                comment(1, "1", "Thanks <b>a lot</b>", ""),
                comment(2, "0", "waits", ""),
                comment(3, "trash", "gone", ""),
                comment(4, "spam", "buy", &meta("akismet_result", "true")),
                comment(5, "spam", "buy", &meta("akismet_user_result", "true")),
                comment(6, "spam", "buy", &meta("akismet_history", "a:2:{s:5:\"event\";s:11:\"report-spam\";s:4:\"user\";s:3:\"ida\";}")),
                comment(7, "1", "  ", ""),
            ]
            .concat(),
        );
        let expected = [
            "4 publish Ana: Thanks <b>a lot</b>",
            "5 undecided",
            "6 deleted",
            "7 by_machine",
            "8 spam Ana: buy",
            "9 spam Ana: buy",
            "10 no_text",
        ];
        assert_eq!(told(Format::Wxr, &text, &Options::default()), expected);
    }

    #[test]
    fn a_comment_knows_its_page_its_blog_and_what_a_machine_said() {
        let text = export(&comment(7, "1", "hi", &meta("akismet_result", "true")));
        let (entries, _) = all(Format::Wxr, text.as_bytes(), &Options::default());
        let found = entries[0].1.as_ref().unwrap();
        assert_eq!(found.source_id.as_deref(), Some("https://blog.example#7"));
        assert_eq!(found.machine.as_deref(), Some("akismet: spam"));
        let said = &found.submission;
        assert_eq!((said.page_url.as_deref(), said.page_title.as_deref()), (Some("https://blog.example/how"), Some("How & why")));
        assert_eq!(said.submitted_at.as_deref(), Some("2020-01-31T08:15:00Z"));
    }

    #[test]
    fn bad_bytes_cost_one_comment_and_a_cut_file_what_follows() {
        let text = export(&[comment(1, "1", "caf@", ""), comment(2, "1", "fine", "")].concat());
        let bytes: Vec<u8> = text.bytes().map(|byte| if byte == b'@' && text.contains("caf@") { 0xe9 } else { byte }).collect();
        let (entries, broken) = all(Format::Wxr, &bytes, &Options::default());
        assert!(broken.is_none() && entries.len() == 2 && entries[0].1.is_err());
        let cut = &text[..text.find("fine").unwrap()];
        let (entries, broken) = all(Format::Wxr, cut.as_bytes(), &Options::default());
        assert_eq!((entries.len(), broken.unwrap().line), (1, 5));
    }
}
