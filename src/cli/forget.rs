//! `hamlet forget`: a person, a comment, a time, a campaign or a moderator's rulings go for good.

use super::listing::DryRun;
use super::owner::Owner;
use super::since::Since;
use super::{Environment, Place};
use crate::clock::{Clock, Timestamp};
use crate::control::{Command, Reply};
use crate::flow::forget::{BATCH_MAX, members};
use crate::id::{CampaignId, CommentId, SiteId};
use crate::store::{Reader, Target};
use crate::view::count;
use anyhow::bail;
use clap::Args;

#[derive(Debug, Args)]
pub struct Forget {
    #[command(flatten)]
    what: What,
    /// The end of the time, not included; with --from [default: now]
    #[arg(long, value_name = "WHEN", requires = "from")]
    to: Option<Since>,
    /// Only of this site [default: every site]
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// A person: everything under this email address, and it does not come back with a backup or an import
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// One comment
    #[arg(long, value_name = "ID")]
    comment: Option<String>,
    /// A moderator's rulings, by the name they were given under; the comments stay and stand as without them
    #[arg(long, value_name = "NAME")]
    moderator: Option<String>,
    /// What was received from this time on: 2026-11-22, an RFC 3339 time, or a while ago as 30d
    #[arg(long, value_name = "WHEN")]
    from: Option<Since>,
    /// The comments of a campaign, as `hamlet campaigns list` names it
    #[arg(long, value_name = "CAMPAIGN")]
    campaign: Option<String>,
}

impl Forget {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let reader = Reader::open(&self.place.data(environment)?)?;
        let now = Clock::System.now();
        let sites = self.site.as_ref().map_or_else(|| reader.sites(), |site| Ok(vec![SiteId::new(site)]))?;
        let mut meant = Vec::new();
        for site in sites {
            let ids = self.meant(environment, &reader, &site, now)?;
            meant.push((site, ids));
        }
        let comments: usize = meant.iter().map(|(_, ids)| ids.len()).sum();
        if self.dry.dry_run {
            meant.iter().filter(|(_, ids)| !ids.is_empty()).try_for_each(|(site, ids)| super::say(format_args!("{site} {}", ids.len())))?;
            let would = if self.what.moderator.is_some() { "would lose rulings" } else { "would be forgotten" };
            eprintln!("{} {would}", count(comments, "comment", "comments"));
            return Ok(());
        }
        // A person who never wrote is remembered as one to forget all the same: an old backup may know better.
        if comments == 0 && self.what.email.is_none() {
            bail!("nothing is meant by that; nothing changed");
        }
        let owner = Owner::of_store(&self.place, environment)?;
        drop(reader);
        let (mut went, mut labels) = (0, 0);
        for (site, ids) in &meant {
            let (comments, of_these) = self.send(&owner, site, ids)?;
            (went, labels) = (went + comments, labels + of_these);
            if of_these > 0 {
                let gone = count(of_these, "label", "labels");
                eprintln!("{site}: {gone} went; `hamlet retrain --site {site}` takes the last of it out of the model");
            }
        }
        super::say(format_args!("{}, {}", count(went, "comment", "comments"), count(labels, "label", "labels")))?;
        Ok(())
    }

    fn meant(&self, environment: &Environment, reader: &Reader, site: &SiteId, now: Timestamp) -> anyhow::Result<Vec<CommentId>> {
        let What { email, comment, moderator, from, campaign } = &self.what;
        if let Some(campaign) = campaign {
            let Ok(id) = u64::from_str_radix(campaign, 16) else {
                bail!("{campaign:?} is no campaign; `hamlet campaigns list` names them")
            };
            let bounds = self.place.settings(environment)?.check()?.memory;
            return Ok(members(reader, site, CampaignId(id), bounds, now)?);
        }
        let target = match (email, comment, moderator, from) {
            (Some(email), ..) => Target::Author(email.clone()),
            (_, Some(id), ..) => Target::Comment(id.parse()?),
            (_, _, Some(by), _) => Target::Ruler(by.clone()),
            (.., Some(from)) => Target::Span(from.time(now), self.to.map_or(now, |to| to.time(now))),
            _ => bail!("say what to forget"),
        };
        Ok(reader.meant(site, &target)?)
    }

    /// In batches, the last of which also cleans up.
    fn send(&self, owner: &Owner, site: &SiteId, ids: &[CommentId]) -> anyhow::Result<(usize, usize)> {
        let (mut went, mut labels, mut rest) = (0, 0, ids);
        loop {
            let (batch, after) = rest.split_at(rest.len().min(BATCH_MAX));
            rest = after;
            let (site, ids, is_last) = (site.to_string(), batch.iter().map(ToString::to_string).collect(), after.is_empty());
            let command = match &self.what.moderator {
                Some(by) => Command::Unrule { site, ids, by: by.clone(), is_last },
                None => Command::Forget { site, ids, author: self.what.email.clone(), is_last },
            };
            let Reply::Forgotten { comments, labels: more } = owner.obeys(command)? else { bail!("the daemon answered something else") };
            (went, labels) = (went + comments, labels + more);
            if is_last {
                return Ok((went, labels));
            }
        }
    }
}
