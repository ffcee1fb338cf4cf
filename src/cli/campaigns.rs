//! `hamlet campaigns`: near-copies of one text, and comments that share a link or a contact, the largest first.

use super::listing::Output;
use super::{Environment, Place};
use crate::clock::Clock;
use crate::comment::Campaign;
use crate::flow::campaigns::{Seen, largest};
use crate::id::SiteId;
use crate::rules::span;
use crate::store::Reader;
use crate::text::cut;
use crate::view::terminal_text;
use clap::Subcommand;
use serde::Serialize;

#[derive(Debug, Subcommand)]
pub enum CampaignsCommand {
    /// The largest campaigns among the comments that are remembered
    List {
        #[command(flatten)]
        place: Place,
        /// Of this site only
        #[arg(long, value_name = "SITE")]
        site: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 10)]
        limit: usize,
        #[command(flatten)]
        output: Output,
    },
}

const COLUMNS: [&str; 13] = [
    "id",
    "site",
    "shares",
    "size",
    "published",
    "sources",
    "pages",
    "first_at",
    "last_at",
    "ruled_spam",
    "ruled_publish",
    "comment",
    "text",
];

/// Characters of the sample in the table.
const SAMPLE_CHARS_MAX: usize = 72;

#[derive(Serialize)]
struct Document<'a> {
    id: String,
    site: &'a str,
    /// What its members have in common: `text`, `link`, `phone`, `mail`, `name` or `code`.
    shares: &'static str,
    size: u32,
    published: u32,
    sources: u32,
    pages: u32,
    first_at: String,
    last_at: String,
    ruled_spam: u32,
    ruled_publish: u32,
    /// The latest of them.
    comment: Option<String>,
    /// Its text, made harmless for a terminal.
    text: Option<String>,
}

impl CampaignsCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let Self::List { place, site, limit, output } = self;
        let bounds = place.settings(environment)?.memory()?;
        let reader = Reader::open(&place.data(environment)?)?;
        let sites = match site {
            Some(site) => vec![SiteId::new(site)],
            None => reader.traced_sites()?,
        };
        let seen = largest(&reader, &sites, bounds, limit, Clock::System.now())?;
        output.list(&seen, &COLUMNS, |seen| serde_json::to_value(document(seen)).unwrap_or_default(), rows)?;
        match seen.len() {
            0 => eprintln!("no two comments are alike"),
            1 => eprintln!("1 campaign"),
            n => eprintln!("{n} campaigns"),
        }
        Ok(())
    }
}

/// Two lines: what it is, and how it reads.
fn rows(seen: &Seen) -> String {
    let Seen { site, campaign, pages, .. } = seen;
    let time = span(campaign.last_at.since(campaign.first_at));
    let rulings = format!("ruled spam: {}, ruled publish: {}", campaign.rulings.spam, campaign.rulings.publish);
    let sources = format!("sources: about {}, pages: {pages}", campaign.sources);
    let text: String = text(seen).unwrap_or_default().chars().take(SAMPLE_CHARS_MAX).collect();
    let Campaign { id, size, published, shared, .. } = campaign;
    format!("{id}  {size:>6} comments  {site}  same {}, {time}, {sources}, published: {published}, {rulings}\n    {text}", shared.words())
}

fn text(seen: &Seen) -> Option<String> {
    seen.sample.as_ref().map(|record| terminal_text(cut(&record.comment.body, SAMPLE_CHARS_MAX * 8)))
}

fn document(seen: &Seen) -> Document<'_> {
    let campaign = &seen.campaign;
    Document {
        id: campaign.id.to_string(),
        site: seen.site.as_str(),
        shares: campaign.shared.as_str(),
        size: campaign.size,
        published: campaign.published,
        sources: campaign.sources,
        pages: seen.pages,
        first_at: campaign.first_at.to_string(),
        last_at: campaign.last_at.to_string(),
        ruled_spam: campaign.rulings.spam,
        ruled_publish: campaign.rulings.publish,
        comment: seen.sample.as_ref().map(|record| record.comment.id.to_string()),
        text: text(seen),
    }
}
