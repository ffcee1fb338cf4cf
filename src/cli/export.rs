//! `hamlet export`: everything of a site or of a person as JSONL, which `hamlet import` takes back. The whole address stands in it: it is for
//! the admin, and for the person who asks what is kept of them.

use super::{Environment, Place};
use crate::classifier::Label;
use crate::clock::Timestamp;
use crate::flow::document::Document;
use crate::id::SiteId;
use crate::store::{Reader, Record, Span, Target};
use clap::Args;
use serde_json::{Value, json};
use std::io::Write;

/// Comments read at a time: a bound on memory.
const PAGE: usize = 500;

#[derive(Debug, Args)]
pub struct Export {
    /// Only of this site [default: every site]
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// Only what this person wrote, by the email address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Only what people ruled publish or spam
    #[arg(long)]
    labels: bool,
    #[command(flatten)]
    place: Place,
}

impl Export {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let reader = Reader::open(&self.place.data(environment)?)?;
        let mut output = std::io::BufWriter::new(std::io::stdout().lock());
        let count = match &self.email {
            Some(email) => self.person(&reader, email, &mut output)?,
            None => self.everything(&reader, &mut output)?,
        };
        output.flush()?;
        eprintln!("comments: {count}");
        Ok(())
    }

    fn everything(&self, reader: &Reader, output: &mut impl Write) -> anyhow::Result<u64> {
        let span = Span { site: self.site.as_ref().map(SiteId::new), since: Timestamp::from_ms(i64::MIN) };
        let (mut after, mut count) = (0, 0);
        loop {
            let page = reader.history(&span, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(count) };
            after = last.seq;
            for record in &page {
                count += self.write(reader, record, output)?;
            }
        }
    }

    fn person(&self, reader: &Reader, email: &str, output: &mut impl Write) -> anyhow::Result<u64> {
        let sites = self.site.as_ref().map_or_else(|| reader.sites(), |site| Ok(vec![SiteId::new(site)]))?;
        let mut count = 0;
        for site in sites {
            for id in reader.meant(&site, &Target::Author(email.to_owned()))? {
                if let Some(record) = reader.comment(&site, id)? {
                    count += self.write(reader, &record, output)?;
                }
            }
        }
        Ok(count)
    }

    fn write(&self, reader: &Reader, record: &Record, output: &mut impl Write) -> anyhow::Result<u64> {
        let label = record.ruled.as_ref().and_then(|ruled| Label::of(ruled.ruling));
        if self.labels && label.is_none() {
            return Ok(0);
        }
        serde_json::to_writer(&mut *output, &line(reader, record, label)?)?;
        output.write_all(b"\n")?;
        Ok(1)
    }
}

/// One comment with all that is kept of it, by the names that `import` and `train` know.
fn line(reader: &Reader, record: &Record, label: Option<Label>) -> anyhow::Result<Value> {
    let (comment, author) = (&record.comment, &record.comment.author);
    let edits = reader.earlier(record.seq)?;
    let edits = edits.iter().map(|earlier| {
        let until = earlier.until.to_string();
        json!({ "author": earlier.name, "email": earlier.email, "url": earlier.url, "content": earlier.body, "until": until })
    });
    let objections = reader.objections(record.seq)?;
    let objections = objections
        .iter()
        .map(|objected| json!({ "objection": objected.objection.as_str(), "text": objected.text, "at": objected.at.to_string() }));
    let rulings = reader.rulings(record.seq)?;
    let rulings = rulings
        .iter()
        .map(|ruled| json!({ "ruling": ruled.ruling.as_str(), "by": ruled.by, "via": ruled.via, "at": ruled.at.to_string() }));
    Ok(json!({
        "id": comment.id.to_string(),
        "site": comment.site.as_str(),
        "label": label.map(|label| match label { Label::Spam => "spam", Label::Ham => "ham" }),
        "ruling": record.ruled.as_ref().map(|ruled| ruled.ruling.as_str()),
        "author": author.name,
        "email": author.email,
        "url": author.url,
        "ip": author.ip.map(|ip| ip.to_string()),
        "user_agent": author.user_agent,
        "role": author.role,
        "kind": comment.kind.as_str(),
        "content": comment.body,
        "group": comment.page.url,
        "page_title": comment.page.title,
        "page_excerpt": comment.page.excerpt,
        "page_published_at": comment.page.published_at.map(|at| at.to_string()),
        "parent_id": comment.parent_id,
        "parent_body": comment.parent_body,
        "date": comment.submitted_at.unwrap_or(comment.received_at).to_string(),
        "received_at": comment.received_at.to_string(),
        "status": record.status.as_str(),
        "decision": record.decision.as_ref().map(|_| Document::of_record(record)),
        "rulings": rulings.collect::<Value>(),
        "edits": edits.collect::<Value>(),
        "objections": objections.collect::<Value>(),
    }))
}
