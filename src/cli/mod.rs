//! The command line: one file a command. Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 the answer is no or it could
//! not be done, 2 usage, 3 configuration, 4 unreachable, 5 busy, 10 partly done; and 75 of `mail-in`, which asks a mail server to try again.

mod backup;
mod campaigns;
mod config_check;
mod diff;
mod digest;
mod doctor;
mod evaluate;
mod explain;
mod export;
mod fit_counts;
mod forget;
mod import;
mod init;
mod listing;
mod lists;
mod log;
mod mail_in;
mod manual;
mod model;
mod moderator;
mod outbox;
mod owner;
mod quarantine;
mod queue;
mod reload;
mod replay;
mod retrain;
mod score;
mod serve;
mod since;
mod site;
mod site_key;
mod submit;
mod train;
mod train_site;

use crate::config::settings::Settings;
use crate::config::{Invalid, Site, Source};
use crate::daemon::CannotServe;
use crate::flow::backup::CannotCopy;
use crate::flow::learn::CannotLearn;
use crate::id::SiteId;
use crate::store::StoreError;
use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Comment moderation beside your blog: rules, naive Bayes and people, all on your machine.
#[derive(Debug, Parser)]
#[command(name = "hamlet", version, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon: take comments, judge them, write to moderators
    Serve(serve::Serve),
    /// Write a commented configuration file to start from
    Init(init::Init),
    /// Look at the configuration
    #[command(subcommand)]
    Config(config_check::ConfigCommand),
    /// Have the running daemon read its settings again, with lists and models
    Reload(reload::Reload),
    /// The sites: add one, change one, and their keys
    #[command(subcommand)]
    Site(site::SiteCommand),
    /// The people who rule, and whether they get mail
    #[command(subcommand)]
    Moderator(moderator::ModeratorCommand),
    /// Put comments of a file into the queue of the daemon: JSONL in
    Submit(submit::Submit),
    /// Make a model file from labelled comments; needs no store
    Train(train::Train),
    /// Measure how well models of labelled comments judge comments they have not seen
    Evaluate(evaluate::Evaluate),
    /// Score comments with a model: JSONL in, JSONL out
    Score(score::Score),
    /// Why a comment was decided as it was, with every part of its score
    Explain(explain::Explain),
    /// What another configuration or model would have decided of the last days' comments
    Replay(replay::Replay),
    /// Learn from the moderators' rulings and put the new model to work
    Retrain(retrain::Retrain),
    /// The models on the shelf
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// Take in comments that another program kept, with what people decided there; mails nobody
    Import(import::Import),
    /// Look at everything that the daemon leans on, and say what to mend; 1 when something is broken
    Doctor(doctor::Doctor),
    /// Everything of a site or of a person as JSONL, which `hamlet import` takes back
    Export(export::Export),
    /// Copy store and models while the daemon runs
    Backup(backup::Backup),
    /// Put a back-up in place of the store, while no daemon runs
    Restore(backup::Restore),
    /// Take a person, a comment, a time, a campaign or a moderator's rulings out of store and model, for good
    Forget(forget::Forget),
    /// Labels that look like poison, and wait before they are learnt
    #[command(subcommand)]
    Quarantine(quarantine::QuarantineCommand),
    /// Comments that wait for a person
    #[command(subcommand)]
    Queue(queue::QueueCommand),
    /// Webhooks and mails that have not arrived
    #[command(subcommand)]
    Outbox(outbox::OutboxCommand),
    /// Blocklists and allowlists from files
    #[command(subcommand)]
    Lists(lists::ListsCommand),
    /// Comments that are alike
    #[command(subcommand)]
    Campaigns(campaigns::CampaignsCommand),
    /// The mail that moderators get
    #[command(subcommand)]
    Digest(digest::DigestCommand),
    /// Read a delivery report on stdin, for a mail server's pipe
    MailIn(mail_in::MailIn),
    /// Completions for a shell: bash, elvish, fish, powershell or zsh, on stdout
    Completions(manual::Completions),
    /// Manual pages, written into a directory
    Man(manual::Man),
    /// The fit alone: folded counts on stdin, fitted parameters on stdout. Its stderr is thrown away: linfa-bayes prints there
    #[command(name = crate::flow::learn::FIT_COMMAND, hide = true)]
    FitCounts,
    /// A site's training alone, for the daemon: what is wanted on stdin, how it went on stdout
    #[command(name = crate::flow::schedule::TRAIN_COMMAND, hide = true)]
    TrainSite,
}

/// Where settings and data come from.
#[derive(Debug, Clone, Default, Args)]
struct Place {
    /// Settings file (TOML); without it the defaults and HAMLET__ variables of the environment
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of the store and the models [default: ./data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

type Environment = Vec<(String, String)>;

impl Place {
    fn settings(&self, environment: &Environment) -> Result<Settings, Invalid> {
        Settings::load(self.config.as_deref(), environment.iter().cloned())
    }

    /// Where a daemon reads its settings that is started from this place.
    fn source(&self, environment: &Environment) -> Source {
        Source { file: self.config.clone(), environment: environment.clone(), listen: None, data: self.data.clone() }
    }

    /// A site as set; one that the settings do not name has what all sites have.
    fn site(&self, environment: &Environment, id: &SiteId) -> Result<Site, Invalid> {
        let settings = self.settings(environment)?;
        let set = settings.clone().check().ok().and_then(|mut config| config.sites.remove(id)).map(Arc::unwrap_or_clone);
        set.map_or_else(|| settings.site_of_defaults(), Ok)
    }

    /// The data directory: as named here, else as set.
    fn data(&self, environment: &Environment) -> Result<PathBuf, Invalid> {
        match &self.data {
            Some(data) => Ok(data.clone()),
            None => Ok(self.settings(environment)?.data_dir()),
        }
    }
}

/// Runs a command line with the process's environment and answers the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are what was asked for; anything else is a wrong use.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match obey(cli.command, environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hamlet: {}", told(&error));
            ExitCode::from(code(&error))
        }
    }
}

fn obey(command: Command, environment: &Environment) -> anyhow::Result<()> {
    match command {
        Command::Serve(serve) => serve.run(environment),
        Command::Init(init) => init.run(),
        Command::Config(config) => config.run(environment),
        Command::Reload(reload) => reload.run(environment),
        Command::Site(site) => site.run(environment),
        Command::Moderator(moderator) => moderator.run(environment),
        Command::Submit(submit) => submit.run(environment),
        Command::Train(train) => train.run(),
        Command::Evaluate(evaluate) => evaluate.run(),
        Command::Score(score) => score.run(environment),
        Command::Explain(explain) => explain.run(environment),
        Command::Replay(replay) => replay.run(environment),
        Command::Retrain(retrain) => retrain.run(environment),
        Command::Model(model) => model.run(environment),
        Command::Import(import) => import.run(environment),
        Command::Doctor(doctor) => doctor.run(environment),
        Command::Export(export) => export.run(environment),
        Command::Backup(backup) => backup.run(environment),
        Command::Restore(restore) => restore.run(environment),
        Command::Forget(forget) => forget.run(environment),
        Command::Quarantine(quarantine) => quarantine.run(environment),
        Command::Queue(queue) => queue.run(environment),
        Command::Outbox(outbox) => outbox.run(environment),
        Command::Lists(lists) => lists.run(environment),
        Command::Campaigns(campaigns) => campaigns.run(environment),
        Command::Digest(digest) => digest.run(environment),
        Command::MailIn(mail_in) => mail_in.run(environment),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
        Command::FitCounts => fit_counts::run(),
        Command::TrainSite => train_site::run(),
    }
}

/// The error with its causes in one line; several problems of the configuration each on a line of its own.
fn told(error: &anyhow::Error) -> String {
    match error.chain().find_map(|cause| cause.downcast_ref::<Invalid>()) {
        Some(invalid) if invalid.problems.len() > 1 => format!("the configuration has {} problems:\n{invalid}", invalid.problems.len()),
        _ => format!("{error:#}"),
    }
}

/// Who reads our output may stop reading; that is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn code(error: &anyhow::Error) -> u8 {
    error.chain().find_map(code_of).unwrap_or(1)
}

fn code_of(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if let Some(error) = cause.downcast_ref::<reload::NotReloaded>() {
        return Some(error.code());
    }
    if let Some(error) = cause.downcast_ref::<submit::NotAll>() {
        return Some(error.code());
    }
    if cause.is::<Invalid>() || cause.is::<crate::http::NoTls>() {
        return Some(3);
    }
    if cause.is::<NoDaemon>() {
        return Some(4);
    }
    if cause.is::<mail_in::TryLater>() {
        return Some(75);
    }
    if cause.is::<evaluate::WrongUse>() {
        return Some(2);
    }
    if cause.is::<Partly>() {
        return Some(10);
    }
    match cause.downcast_ref::<CannotServe>() {
        Some(CannotServe::Config(_) | CannotServe::Tls(_)) => return Some(3),
        Some(CannotServe::Store(error)) => return code_of(error),
        _ => {}
    }
    if let Some(CannotLearn::Store(error)) = cause.downcast_ref() {
        return code_of(error);
    }
    if let Some(CannotCopy::Store(error)) = cause.downcast_ref() {
        return code_of(error);
    }
    match cause.downcast_ref::<StoreError>() {
        Some(StoreError::Missing(_)) => Some(4),
        Some(StoreError::Locked(_) | StoreError::Busy | StoreError::Held(_)) => Some(5),
        _ => None,
    }
}

/// What only a daemon can do was asked where none runs.
#[derive(Debug, thiserror::Error)]
#[error("no daemon runs on {data}; start `hamlet serve` first, since {since}")]
struct NoDaemon {
    data: String,
    since: &'static str,
}

/// Has the daemon do what only it can.
fn ask_daemon(data: &Path, command: &crate::control::Command, since: &'static str) -> anyhow::Result<crate::control::Reply> {
    let reply = crate::control::ask(data, command).context("the daemon does not answer")?;
    reply.ok_or_else(|| NoDaemon { data: data.display().to_string(), since }.into())
}

/// Why a command came to nothing: the daemon's reason, or that it answered what was not asked, as one of another version might.
fn refusal(reply: crate::control::Reply) -> anyhow::Error {
    let crate::control::Reply::Failed { reason } = reply else { return anyhow::anyhow!("the daemon answered something else") };
    anyhow::anyhow!(reason)
}

/// Some of it is done and the rest is not.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Partly(String);

/// A line of the result. Unlike `println!` it does not panic when nobody reads any more.
fn say(line: impl std::fmt::Display) -> io::Result<()> {
    use io::Write;
    writeln!(io::stdout(), "{line}")
}

/// Colours are for people who look at a terminal and did not ask for none (<https://no-color.org>).
fn ink(environment: &Environment) -> crate::view::Ink {
    use io::IsTerminal;
    let refused = environment.iter().any(|(name, value)| (name == "NO_COLOR" && !value.is_empty()) || (name == "TERM" && value == "dumb"));
    if io::stdout().is_terminal() && !refused { crate::view::Ink::Colour } else { crate::view::Ink::Plain }
}

fn site_names(config: &crate::config::Config) -> String {
    config.sites.keys().map(crate::id::SiteId::as_str).collect::<Vec<_>>().join(", ")
}

/// `-` is stdin.
fn open_input(input: &Path) -> anyhow::Result<Box<dyn io::BufRead>> {
    use anyhow::Context;
    if input == Path::new("-") {
        return Ok(Box::new(io::BufReader::new(io::stdin())));
    }
    let file = std::fs::File::open(input).with_context(|| format!("cannot read {}", input.display()))?;
    Ok(Box::new(io::BufReader::with_capacity(1 << 16, file)))
}

/// How messages and cards name an input.
fn input_name(input: &Path) -> String {
    if input == Path::new("-") { "stdin".to_owned() } else { input.display().to_string() }
}

/// `starter`, or a model file.
fn model_named(name: &Path) -> anyhow::Result<crate::classifier::Model> {
    Ok(if name == Path::new("starter") { crate::shelf::starter()? } else { crate::shelf::read(name)? })
}
