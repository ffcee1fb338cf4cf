//! `hamlet explain`: why a stored comment was decided as it was, or what would be decided of a comment that is handed in.

use super::{Environment, Place};
use crate::classifier::Model;
use crate::clock::{Clock, Timestamp};
use crate::comment::{Comment, Limits};
use crate::config::{Config, Site};
use crate::dice::Dice;
use crate::flow::explain::Explanation;
use crate::flow::replay::{Bench, By};
use crate::flow::submission::SubmissionBody;
use crate::id::{CommentId, SiteId};
use crate::shelf::{self, Shelf};
use crate::store::Reader;
use crate::view::{ExplainView, Ink, Ruled};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["id", "input"]))]
pub struct Explain {
    /// A stored comment, by the id that the API and `hamlet queue list` give
    id: Option<String>,
    /// Comments in JSON as the API takes them, or JSONL as `hamlet train` does, judged without any past; - is stdin
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// With --input: by this site's rules, thresholds and model [default: those of all sites, and the starter model]
    #[arg(long, value_name = "SITE", requires = "input")]
    site: Option<String>,
    /// With --input: by this model, `starter` or a file
    #[arg(long, value_name = "MODEL", requires = "input")]
    model: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    /// One object a comment, with every contribution
    Json,
}

impl Explain {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let ink = super::ink(environment);
        match (&self.id, &self.input) {
            (Some(id), _) => self.stored(environment, id, ink),
            (None, Some(input)) => self.given(environment, input, ink),
            (None, None) => Ok(()),
        }
    }

    fn stored(&self, environment: &Environment, id: &str, ink: Ink) -> anyhow::Result<()> {
        let id: CommentId = id.parse()?;
        let data = self.place.data(environment)?;
        let (reader, shelf) = (Reader::open(&data)?, Shelf::of(&data));
        let record = reader.site_of(id)?.map(|site| reader.comment(&site, id)).transpose()?.flatten();
        let Some(record) = record else { bail!("no comment has this id; `hamlet queue list` shows those that wait") };
        let config = self.config(environment)?;
        let mut bench = config.as_ref().map(|config| Bench::new(&reader, config, &shelf, By::Now));
        let explained = Explanation::of_record(record, (&reader, &shelf), bench.as_mut())?;
        let Some(mut explained) = explained else { bail!("nobody judged it: it waits in the queue, or people were faster") };
        if config.is_none() {
            explained.notes.push("without settings nothing can be said of how it would be judged today: --config FILE".to_owned());
        }
        self.tell(&id.to_string(), &explained, ink)
    }

    /// Settings that were named must be good; without any, what is on record is told all the same.
    fn config(&self, environment: &Environment) -> anyhow::Result<Option<Config>> {
        let config = self.place.settings(environment)?.check().and_then(Config::with_lists);
        Ok(if self.place.config.is_some() { Some(config?) } else { config.ok() })
    }

    fn given(&self, environment: &Environment, input: &Path, ink: Ink) -> anyhow::Result<()> {
        let settings = self.place.settings(environment)?;
        let limits = settings.limits()?;
        let site = match &self.site {
            None => settings.site_of_defaults()?,
            Some(name) => site_named(settings.check()?.with_lists()?, name)?,
        };
        let model = Arc::new(self.model_for(environment, &site)?);
        let (dice, now) = (Dice::system()?, Clock::System.now());
        let comments = serde_json::Deserializer::from_reader(super::open_input(input)?).into_iter::<Value>();
        let mut comments = (1..).zip(comments).peekable();
        if comments.peek().is_none() {
            bail!("{} holds no comment; write one as JSON, {{\"body\":\"...\"}}", super::input_name(input));
        }
        for (number, json) in comments {
            let place = || format!("{}, comment {number}", super::input_name(input));
            let json = json.with_context(|| super::input_name(input))?;
            let title = json.get("id").map_or_else(|| format!("comment {number}"), |id| id.as_str().map_or(id.to_string(), str::to_owned));
            let comment = comment(json, &site, (CommentId::new(now, &dice), now), limits).with_context(place)?;
            self.tell(&title, &Explanation::of_comment(comment, &site, &model), ink)?;
            if self.format == Format::Text {
                super::say("")?;
            }
        }
        Ok(())
    }

    fn model_for(&self, environment: &Environment, site: &Site) -> anyhow::Result<Model> {
        match (&self.model, &self.site) {
            (Some(name), _) => super::model_named(name),
            (None, Some(_)) => Ok(shelf::current_or_starter(&Shelf::of(&self.place.data(environment)?), &site.id)?),
            (None, None) => Ok(shelf::starter()?),
        }
    }

    fn tell(&self, title: &str, explained: &Explanation, ink: Ink) -> anyhow::Result<()> {
        if self.format == Format::Json {
            let document = explained.document();
            super::say(serde_json::to_string(&document)?)?;
            return Ok(());
        }
        let mut rulings = Vec::with_capacity(explained.rulings.len());
        for ruled in &explained.rulings {
            rulings.push(Ruled { ruling: ruled.ruling, by: &ruled.by, at: ruled.at });
        }
        let view = ExplainView {
            title,
            comment: &explained.comment,
            decision: &explained.decision,
            parts: &explained.parts,
            base_share: explained.base_share,
            rulings: &rulings,
            today: explained.today.as_ref(),
            notes: &explained.notes,
            ink,
        };
        super::say(view.render())?;
        Ok(())
    }
}

fn site_named(mut config: Config, name: &str) -> anyhow::Result<Site> {
    let site = config.sites.remove(&SiteId::new(name));
    site.map(Arc::unwrap_or_clone).with_context(|| format!("no site is called {name:?}; the settings have: {}", super::site_names(&config)))
}

/// Training data calls the text `content` and the name `author`.
fn comment(mut json: Value, site: &Site, (id, now): (CommentId, Timestamp), limits: Limits) -> anyhow::Result<Comment> {
    if let Some(fields) = json.as_object_mut() {
        for (of_training, of_api) in [("content", "body"), ("author", "name")] {
            if let Some(value) = fields.remove(of_training) {
                fields.entry(of_api).or_insert(value);
            }
        }
    }
    let submission: SubmissionBody = serde_json::from_value(json)?;
    Ok(Comment::parse(submission.into(), id, SiteId::new(site.id.as_str()), now, limits)?)
}
