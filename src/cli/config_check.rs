//! `hamlet config`: every problem of the settings at once, and what is in force with where it comes from.

use super::listing::Output;
use super::{Environment, Place};
use crate::clock::Clock;
use crate::config::origins::{self, Origin, Setting};
use crate::http::Tls;
use crate::view::{Ink, Tone, kept};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Name every problem with its key, its value and what to write instead
    Check(Place),
    /// Every setting that is in force; secrets as ***
    Show(Show),
}

#[derive(Debug, Args)]
pub struct Show {
    /// Also which layer each comes from: the defaults, the file or the environment
    #[arg(long)]
    origins: bool,
    /// Only what the file or the environment says
    #[arg(long)]
    changed: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    place: Place,
}

impl ConfigCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        match self {
            Self::Check(place) => check(&place, environment),
            Self::Show(show) => show.run(environment),
        }
    }
}

fn check(place: &Place, environment: &Environment) -> anyhow::Result<()> {
    let config = place.settings(environment)?.check()?.with_lists()?;
    if let Some(files) = &config.tls {
        super::serve::install_tls();
        Tls::open(files.clone(), Clock::System.now())?;
    }
    let (sites, moderators) = (config.sites.len(), config.moderators.len());
    let data = config.data.display();
    super::say(format_args!("the configuration is good (sites: {sites}, moderators: {moderators}, data in {data})"))?;
    let bad_lines: usize = config.lists().map(|list| list.bad_count).sum();
    if bad_lines > 0 {
        eprintln!("bad lines in lists, which are passed over: {bad_lines}; `hamlet lists check` names them");
    }
    Ok(())
}

impl Show {
    fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let mut settings = origins::settings(self.place.config.as_deref(), environment.iter().cloned())?;
        settings.retain(|setting| !self.changed || setting.origin != Origin::Defaults);
        let (ink, with_origins) = (super::ink(environment), self.origins);
        self.output.list(&settings, &["key", "value", "origin"], document, |setting| {
            let line = format!("{} = {}", setting.key, kept(&setting.value));
            if with_origins { format!("{line}  {}", origin(setting, ink)) } else { line }
        })
    }
}

fn origin(setting: &Setting, ink: Ink) -> String {
    let tone = if setting.origin == Origin::Defaults { Tone::Faint } else { Tone::Strong };
    ink.dye(tone, &format!("# {}", setting.origin.as_str()))
}

fn document(setting: &Setting) -> Value {
    json!({ "key": setting.key, "value": setting.value, "origin": setting.origin.as_str() })
}
