//! `hamlet retrain`: a model for each site from its own rulings, set against the one that judges; the running daemon takes it unless it is worse.

use super::listing::DryRun;
use super::model::{self, card};
use super::since::Since;
use super::{Environment, Place};
use crate::classifier::Model;
use crate::classifier::contest::{Place as Went, Promote};
use crate::classifier::train::CannotTrain;
use crate::clock::Clock;
use crate::dice::Dice;
use crate::flow::audit;
use crate::flow::certify::Asked;
use crate::flow::learn::CannotLearn;
use crate::flow::training::{Trained, Training};
use crate::id::SiteId;
use crate::shelf::{self, Shelf};
use crate::store::Reader;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use std::fmt::Write;

#[derive(Debug, Args)]
pub struct Retrain {
    /// Only this site [default: every site with rulings]
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// Learn from comments that came since then alone: a while like 180d, a date, or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// What becomes of the new model
    #[arg(long, value_enum, default_value_t = Becomes::IfBetter)]
    promote: Becomes,
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Becomes {
    /// It judges, unless it does worse than the present one on what neither has learnt from
    IfBetter,
    /// It scores beside the present one, without effect: `hamlet model shadow` shows where they differ
    Shadow,
    /// It stays on the shelf
    Never,
    /// It judges, whatever the test says
    Force,
}

impl From<Becomes> for Promote {
    fn from(becomes: Becomes) -> Self {
        match becomes {
            Becomes::IfBetter => Self::IfBetter,
            Becomes::Shadow => Self::Shadow,
            Becomes::Never => Self::Never,
            Becomes::Force => Self::Force,
        }
    }
}

impl Retrain {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        super::train_site::step_back();
        let data = self.place.data(environment)?;
        let (reader, shelf) = (Reader::open(&data)?, Shelf::of(&data));
        let named = self.site.as_ref().map(SiteId::new);
        let sites = named.clone().map_or_else(|| reader.ruled_sites(), |site| Ok(vec![site]))?;
        if sites.is_empty() {
            bail!("nobody has ruled on a comment yet; the starter model goes on");
        }
        self.warn(environment, &reader, &shelf)?;
        if self.dry.dry_run {
            return sites.iter().try_for_each(|site| self.would(&reader, site));
        }
        let (mut trained, mut refused) = (0, Vec::new());
        for site in &sites {
            match self.train(environment, (&reader, &shelf), site) {
                // One young site among several keeps nobody from learning; asked for by name it is the answer.
                Err(error) if named.is_none() && is_too_few(&error) => eprintln!("{site}: {error}; the model it has goes on"),
                Err(error) => return Err(error).with_context(|| format!("{site} keeps the model it has")),
                Ok(Trained { model, place: went, put_aside }) => {
                    trained += 1;
                    if put_aside > 0 {
                        eprintln!(
                            "{site}: {put_aside} labels were put in quarantine and not learnt; look: hamlet quarantine list --site {site}"
                        );
                    }
                    tell(site, &model, went);
                    match went {
                        Went::AtWork | Went::Shadow => model::hand_over(&data, site, &shelf::current_or_starter(&shelf, site)?.id)?,
                        Went::Shelf if self.promote == Becomes::IfBetter => refused.push(site.to_string()),
                        Went::Shelf => super::say(format_args!("{site} {}", model.id))?,
                    }
                }
            }
        }
        if trained == 0 {
            bail!("no site has enough rulings to learn from");
        }
        if !refused.is_empty() {
            bail!("the model before goes on for {}, since the new one does worse", refused.join(", "));
        }
        Ok(())
    }

    fn train(&self, environment: &Environment, (reader, shelf): (&Reader, &Shelf), site: &SiteId) -> Result<Trained, anyhow::Error> {
        let set = self.place.site(environment, site)?;
        let program = std::env::current_exe().context("cannot find this program to run the fit in a process of its own")?;
        let training = Training {
            reader,
            shelf,
            site,
            program: &program,
            drawn: Dice::system()?.bytes(),
            at: Clock::System.now(),
            since: self.since.as_ref().map(|since| since.time(Clock::System.now())),
            asked: Asked { budget: set.budget, fixed: set.policy, rates: set.audit.rates },
            promote: self.promote.into(),
        };
        Ok(training.run()?)
    }

    fn would(&self, reader: &Reader, site: &SiteId) -> anyhow::Result<()> {
        let (spam, ham) = reader.labels(site)?;
        self.dry.ends(format_args!("train {site} on its {} labels, {spam} spam and {ham} ham", spam + ham))?;
        Ok(())
    }

    /// What spot checks say of the models so far, where the settings tell what is allowed; a demo has none.
    fn warn(&self, environment: &Environment, reader: &Reader, shelf: &Shelf) -> anyhow::Result<()> {
        let Ok(config) = self.place.settings(environment)?.check() else { return Ok(()) };
        for site in config.sites.values() {
            for (model, alarm) in audit::alarms_of(reader, shelf, site)? {
                eprintln!("{}: model {model}: {alarm}", site.id);
            }
        }
        Ok(())
    }
}

fn is_too_few(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(CannotLearn::Train(CannotTrain::TooFew { .. })))
}

fn tell(site: &SiteId, model: &Model, went: Went) {
    let (card, figures) = (&model.card, model.card.figures);
    let copies = if card.copies > 0 { format!(", {} copies left out", card.copies) } else { String::new() };
    let mut text = format!("learnt from {} rulings, {} spam and {} ham{copies}\n", card.spam + card.ham, card.spam, card.ham);
    // Writing to a string does not fail.
    if let Some(base) = &model.base {
        let _ = writeln!(text, "the starter's word still counts {:.0} %", 100.0 * base.blend.share);
    }
    let (accuracy, auc, log_loss) = (figures.accuracy, figures.auc, figures.log_loss);
    let _ = writeln!(text, "each scored unseen by its own words: accuracy {accuracy:.4}, AUC {auc:.4}, log loss {log_loss:.4}");
    text += &card.terms.as_ref().map(card::told).unwrap_or_default();
    text += &card.contest.as_ref().map(card::against).unwrap_or_default();
    let id = &model.id;
    let now = match went {
        Went::AtWork => format!("{id} judges; undo: hamlet model rollback --site {site}"),
        Went::Shadow => format!("{id} scores in the shadow; look: hamlet model shadow --site {site}"),
        Went::Shelf => format!("{id} is on the shelf; to let it judge: hamlet model promote --site {site} {id}"),
    };
    text.lines().chain([now.as_str()]).for_each(|line| eprintln!("{site}: {line}"));
}
