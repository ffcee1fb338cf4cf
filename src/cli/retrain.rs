//! `hamlet retrain`: a model for each site from its own rulings, and the running daemon takes it; or back to the model before.

use super::{Environment, Place};
use crate::classifier::train::CannotTrain;
use crate::clock::Clock;
use crate::control::{self, Command, Reply};
use crate::dice::Dice;
use crate::flow::certify::Asked;
use crate::flow::learn::{self, CannotLearn};
use crate::flow::{audit, forget};
use crate::id::{ModelId, SiteId};
use crate::shelf::{self, Shelf};
use crate::store::Reader;
use anyhow::{Context, bail};
use clap::Args;
use std::path::Path;

#[derive(Debug, Args)]
pub struct Retrain {
    /// Only this site [default: every site with rulings]
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// Learn nothing: go back to the model that judged this site before
    #[arg(long, requires = "site")]
    roll_back: bool,
    #[command(flatten)]
    place: Place,
}

impl Retrain {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let data = self.place.data(environment)?;
        let (reader, shelf) = (Reader::open(&data)?, Shelf::of(&data));
        let named = self.site.as_ref().map(SiteId::new);
        if let (true, Some(site)) = (self.roll_back, &named) {
            let before = shelf.before(site)?.map(|id| shelf.model(&id)).transpose()?;
            if let Some(at) = before.map(|model| forget::known_to(&reader, site, &model)).transpose()?.flatten() {
                bail!("the model before learnt from what was forgotten on {}; train anew with `hamlet retrain --site {site}`", at.date());
            }
            shelf.roll_back(site)?;
            return hand_over(&data, site, &shelf::current_or_starter(&shelf, site)?.id);
        }
        let sites = named.clone().map_or_else(|| reader.ruled_sites(), |site| Ok(vec![site]))?;
        if sites.is_empty() {
            bail!("nobody has ruled on a comment yet; the starter model goes on");
        }
        let program = std::env::current_exe().context("cannot find this program to run the fit in a process of its own")?;
        let dice = Dice::system()?;
        let mut trained = 0;
        self.warn(environment, &reader, &shelf)?;
        for site in &sites {
            let set = self.place.site(environment, site)?;
            let asked = Asked { budget: set.budget, fixed: set.policy, rates: set.audit.rates };
            match learn::retrain((&reader, &shelf), site, &program, dice.bytes(), Clock::System.now().to_string(), &asked) {
                // One young site among several keeps nobody from learning; asked for by name it is the answer.
                Err(CannotLearn::Train(few @ CannotTrain::TooFew { .. })) if named.is_none() => {
                    eprintln!("{site}: {few}; the model it has goes on");
                }
                Err(error) => return Err(error).with_context(|| format!("{site} keeps the model it has")),
                Ok(model) => {
                    tell(site, &model);
                    hand_over(&data, site, &model.id)?;
                    trained += 1;
                }
            }
        }
        if trained == 0 {
            bail!("no site has enough rulings to learn from");
        }
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

fn tell(site: &SiteId, model: &crate::classifier::Model) {
    let (card, figures) = (&model.card, model.card.figures);
    let copies = if card.copies > 0 { format!(", {} copies left out", card.copies) } else { String::new() };
    eprintln!("{site}: learnt from {} rulings, {} spam and {} ham{copies}", card.spam + card.ham, card.spam, card.ham);
    if let Some(base) = &model.base {
        eprintln!("{site}: the starter's word still counts {:.0} %", 100.0 * base.blend.share);
    }
    let (accuracy, auc, log_loss) = (figures.accuracy, figures.auc, figures.log_loss);
    eprintln!("{site}: each scored unseen by its own words: accuracy {accuracy:.4}, AUC {auc:.4}, log loss {log_loss:.4}");
    if let Some(terms) = &card.terms {
        super::model::told(terms).lines().for_each(|line| eprintln!("{site}: {line}"));
    }
}

/// Lets the running daemon judge a site with the model that is now its current one.
fn hand_over(data: &Path, site: &SiteId, id: &ModelId) -> anyhow::Result<()> {
    let command = Command::SwapModel { site: site.to_string() };
    match control::ask(data, &command).context("the daemon did not answer; restart it to use the new model")? {
        Some(Reply::Model { id: taken }) if taken == id.as_str() => eprintln!("{site}: the running daemon judges with it"),
        Some(Reply::Failed { reason }) => bail!("the daemon refused {site}'s model {id} and goes on with the one it has: {reason}"),
        Some(reply) => bail!("the daemon answered something else: {reply:?}"),
        None => eprintln!("{site}: no daemon runs on {}; the next start uses it", data.display()),
    }
    super::say(format_args!("{site} {id}"))?;
    Ok(())
}
