//! `hamlet completions` and `hamlet man`: what shells and `man` know of the commands. Made from the commands themselves, so they cannot disagree.

use super::Cli;
use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct Completions {
    /// The shell that will read them
    shell: Shell,
}

#[derive(Debug, Args)]
pub struct Man {
    /// Directory for the pages, one a command; made if it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Completions {
    pub fn run(self) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut visible(), "hamlet", &mut script);
        Ok(io::stdout().write_all(&script)?)
    }
}

impl Man {
    pub fn run(self) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.directory).with_context(|| format!("cannot make {}", self.directory.display()))?;
        let mut hamlet = visible().disable_help_subcommand(true);
        hamlet.build();
        let pages = write(&hamlet, &self.directory)?;
        super::say(format_args!(
            "{pages} pages in {}; read one by `man {}`",
            self.directory.display(),
            self.directory.join("hamlet.1").display()
        ))?;
        Ok(())
    }
}

/// The commands that are for people.
fn visible() -> clap::Command {
    let all = Cli::command();
    let about = all.get_about().cloned().unwrap_or_default();
    let visible = all.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    clap::Command::new("hamlet").version(env!("CARGO_PKG_VERSION")).about(about).subcommands(visible)
}

/// A command's page and those below it; answers how many.
fn write(command: &clap::Command, directory: &Path) -> anyhow::Result<usize> {
    let file = directory.join(format!("{}.1", command.get_display_name().unwrap_or(command.get_name())));
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    std::fs::write(&file, page).with_context(|| format!("cannot write {}", file.display()))?;
    command.get_subcommands().map(|command| write(command, directory)).try_fold(1, |pages, below| Ok(pages + below?))
}
