//! `hamlet backup` and `hamlet restore`: a copy of store and models while the daemon runs, and back again while none does.

use super::listing::DryRun;
use super::{Environment, Place};
use crate::clock::Clock;
use crate::dice::Dice;
use crate::flow::backup::{self, Force};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Backup {
    /// The directory to make
    target: PathBuf,
    #[command(flatten)]
    place: Place,
}

impl Backup {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let manifest = backup::back_up(&self.place.data(environment)?, &self.target, Clock::System.now())?;
        let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
        eprintln!("{} files, {} KiB; the settings file is not among them", manifest.files.len(), bytes.div_ceil(1024));
        super::say(self.target.display())?;
        Ok(())
    }
}

#[derive(Debug, Args)]
pub struct Restore {
    /// The directory that `hamlet backup` made
    backup: PathBuf,
    /// Move the store aside that is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    place: Place,
}

impl Restore {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        if self.dry.dry_run {
            let manifest = backup::verify(&self.backup)?;
            super::say(format_args!("whole: made {} by hamlet {}, schema {}", manifest.made_at, manifest.hamlet, manifest.schema))?;
            return Ok(());
        }
        let data = self.place.data(environment)?;
        let force = if self.force { Force::Yes } else { Force::No };
        let restored = backup::restore(&self.backup, &data, force, Clock::System.now(), &Dice::system()?)?;
        if let Some(aside) = &restored.aside {
            eprintln!("what was there lies in {}; delete it when you no longer need it", aside.display());
        }
        if restored.forgotten > 0 {
            eprintln!("{} comments had been forgotten since, and are gone from it again; retrain the sites", restored.forgotten);
        }
        super::say(format_args!("{} as of {}", data.display(), restored.manifest.made_at))?;
        Ok(())
    }
}
