//! `hamlet model`: the models on the shelf; which one judges a site, which one stands in its shadow, and changes of both, which the running
//! daemon takes at once.

pub mod card;
mod shadow;

use super::listing::{DryRun, Output};
use super::{Environment, Place, refusal};
use crate::classifier::Model;
use crate::control::{self, Command, Reply};
use crate::flow::{forget, guarding};
use crate::id::{ModelId, SiteId};
use crate::shelf::{self, Shelf};
use crate::store::Reader;
use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::json;
use std::path::Path;

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// The models of each site that is set: what judges, what judged before, what stands in the shadow
    List {
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        place: Place,
    },
    /// The model that judges a site: what it learnt from, how it did against the one before, which thresholds it was certified for
    Show {
        #[arg(long, value_name = "SITE")]
        site: String,
        /// Another model of the shelf, by its name
        #[arg(long, value_name = "MODEL")]
        model: Option<String>,
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
        #[command(flatten)]
        place: Place,
    },
    /// What the model in a site's shadow would have decided otherwise: how often, examples, and what people said of them
    Shadow {
        #[arg(long, value_name = "SITE")]
        site: String,
        /// Examples, at most
        #[arg(long, default_value_t = 20)]
        limit: usize,
        #[arg(long, value_enum, default_value_t = shadow::Format::Table)]
        format: shadow::Format,
        #[command(flatten)]
        place: Place,
    },
    /// Take the model out of a site's shadow; it stays on the shelf
    Drop {
        #[arg(long, value_name = "SITE")]
        site: String,
        #[command(flatten)]
        dry: DryRun,
        #[command(flatten)]
        place: Place,
    },
    /// Let a model of the shelf judge a site from now on
    Promote {
        #[arg(long, value_name = "SITE")]
        site: String,
        /// Its name [default: the one in the shadow]
        #[arg(value_name = "MODEL")]
        model: Option<String>,
        #[command(flatten)]
        dry: DryRun,
        #[command(flatten)]
        place: Place,
    },
    /// Back to the model that judged a site before, and to its thresholds
    Rollback {
        #[arg(long, value_name = "SITE")]
        site: String,
        #[command(flatten)]
        dry: DryRun,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Table,
    /// The model's card as it is in the file
    Json,
}

impl ModelCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        match self {
            Self::List { output, place } => list(&place, environment, output),
            Self::Show { site, model, format, place } => show(&SiteId::new(site), model, format, &place, environment),
            Self::Shadow { site, limit, format, place } => {
                shadow::show(&place.data(environment)?, &SiteId::new(site), limit, format, super::ink(environment))
            }
            Self::Drop { site, dry, place } => shadow::drop(&place.data(environment)?, &SiteId::new(site), dry),
            Self::Promote { site, model, dry, place } => promote(&place.data(environment)?, &SiteId::new(site), model, dry),
            Self::Rollback { site, dry, place } => roll_back(&place.data(environment)?, &SiteId::new(site), dry),
        }
    }
}

/// A model of a site, and what it is there for.
struct Placed {
    site: SiteId,
    model: ModelId,
    place: &'static str,
}

fn list(place: &Place, environment: &Environment, output: Output) -> anyhow::Result<()> {
    let shelf = Shelf::of(&place.data(environment)?);
    let starter = shelf::starter()?.id;
    let mut placed = Vec::new();
    for site in place.settings(environment)?.check()?.sites.keys() {
        let history = shelf.history(site)?;
        let (current, before) = history.split_last().map_or((&starter, &[][..]), |(last, before)| (last, before));
        let mut put = |model: &ModelId, place| placed.push(Placed { site: site.clone(), model: model.clone(), place });
        put(current, "judges");
        before.iter().rev().for_each(|model| put(model, "judged before"));
        shelf.shadow_id(site)?.iter().for_each(|model| put(model, "in the shadow"));
    }
    let document = |Placed { site, model, place }: &Placed| json!({ "site": site.as_str(), "model": model.as_str(), "place": place });
    output.list(&placed, &["site", "model", "place"], document, |Placed { site, model, place }| format!("{site} {model} {place}"))
}

fn show(site: &SiteId, model: Option<String>, format: Format, place: &Place, environment: &Environment) -> anyhow::Result<()> {
    let shelf = Shelf::of(&place.data(environment)?);
    let model = match model {
        Some(id) => shelf.model(&ModelId::new(id))?,
        None => shelf::current_or_starter(&shelf, site)?,
    };
    if format == Format::Json {
        super::say(serde_json::to_string_pretty(&model.card)?)?;
        return Ok(());
    }
    super::say(card::shown(&model, &place.site(environment, site)?).trim_end())?;
    let aside = guarding::waiting(&Reader::open(&place.data(environment)?)?, &shelf, site)?.len();
    if aside > 0 {
        super::say(format_args!("{aside} labels wait in quarantine and are not learnt: hamlet quarantine list --site {site}"))?;
    }
    Ok(())
}

fn promote(data: &Path, site: &SiteId, model: Option<String>, dry: DryRun) -> anyhow::Result<()> {
    let shelf = Shelf::of(data);
    let shadow = shelf.shadow_id(site)?;
    let id = model.map(ModelId::new).or_else(|| shadow.clone()).with_context(|| format!("no model stands in {site}'s shadow; name one"))?;
    if shelf.current_id(site)?.as_ref() == Some(&id) {
        bail!("{id} judges {site} already");
    }
    has_forgotten(data, site, &shelf.model(&id)?)?;
    if dry.ends(format_args!("let {id} judge {site}"))? {
        return Ok(());
    }
    shelf.promote(site, &id)?;
    if shadow.as_ref() == Some(&id) {
        shelf.put_in_shadow(site, None)?;
    }
    hand_over(data, site, &id)
}

fn roll_back(data: &Path, site: &SiteId, dry: DryRun) -> anyhow::Result<()> {
    let shelf = Shelf::of(data);
    if let Some(before) = shelf.before(site)?.map(|id| shelf.model(&id)).transpose()? {
        has_forgotten(data, site, &before)?;
    }
    let before = shelf.before(site)?.map_or_else(|| "the starter".to_owned(), |before| before.to_string());
    if dry.ends(format_args!("let {before} judge {site} again"))? {
        return Ok(());
    }
    shelf.roll_back(site)?;
    hand_over(data, site, &shelf::current_or_starter(&shelf, site)?.id)
}

/// A model that learnt from what was forgotten since does not come to judge.
fn has_forgotten(data: &Path, site: &SiteId, model: &Model) -> anyhow::Result<()> {
    if let Some(at) = forget::known_to(&Reader::open(data)?, site, model)? {
        bail!("model {} learnt from what was forgotten on {}; train anew with `hamlet retrain --site {site}`", model.id, at.date());
    }
    Ok(())
}

/// Lets the running daemon judge a site with the model that is now its current one.
pub fn hand_over(data: &Path, site: &SiteId, id: &ModelId) -> anyhow::Result<()> {
    let command = Command::SwapModel { site: site.to_string() };
    match control::ask(data, &command).context("the daemon did not answer; restart it to use the new model")? {
        Some(Reply::Model { id: taken }) if taken == id.as_str() => eprintln!("{site}: the running daemon judges with it"),
        Some(reply) => {
            return Err(refusal(reply).context(format!("the daemon refused {site}'s model {id} and goes on with the one it has")));
        }
        None => eprintln!("{site}: no daemon runs on {}; the next start uses it", data.display()),
    }
    super::say(format_args!("{site} {id}"))?;
    Ok(())
}
