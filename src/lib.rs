//! Hamlet lets the ham through: comment moderation beside a blog, on one machine, with nothing leaving it.
//!
//! > Comments come in at the shells, are judged by a pure core, are written down once, and leave through one outbox.
//!
//! The rooms, in the order a newcomer reads them:
//!
//! - **Ground**: [`clock`], [`dice`] and [`id`]. Time and chance are arguments; these are their one source. [`meters`] count for those who watch.
//! - **Core**, pure and synchronous, without I/O, clock, chance or log: [`text`] folds tricks away; [`comment`] is what everybody reads;
//!   [`rules`] find; the [`classifier`] scores; [`decision`] decides; the [`budget`]
//!   turns allowed errors into thresholds; a [`trace`] is what is kept of a comment, by which [`traffic`] counts floods and [`campaign`]
//!   finds near-copies; [`action`] signs links; [`access`] is what a key allows; [`delivery`] says when to try again, [`bounce`] what
//!   came back; [`pace`] counts how often somebody comes.
//! - **[`dns`]** and **[`import`]** stand lowest of the shells: what lists of others say of a comment before it is judged, and readers of the files in
//!   which other programs kept comments.
//! - **Keepers**: [`config`] (what runs), [`store`] (what is written down), [`shelf`] (models), [`view`] (mails and pages).
//! - **[`flow`]**: the stories. [`flow::intake`] takes a comment to its verdict, [`flow::digest`] puts the doubtful before people,
//!   [`flow::review`] takes their rulings, [`flow::learn`] learns from them.
//! - **Shells**, which know the world and nothing of the trade: [`http`], [`outbox`], [`control`], [`service`], [`demo`]; then [`daemon`], which starts
//!   and stops them, and [`cli`].
//!
//! ## A comment walks through
//!
//! 1. [`http`] reads bytes into a [`comment::Submission`], bounded, its key checked.
//! 2. [`flow::intake`] parses it and hands it to the judge loop, which takes what waits as one batch: one read of facts, a pure
//!    [`flow::judge::judge`] each, one write with one fsync.
//! 3. Only then comes the reply; or, for those who asked not to wait, a 202 once the submission lies in the durable queue.
//! 4. [`outbox`] tells the blog by a signed webhook, in order for each comment.
//! 5. [`flow::digest`] writes what is held into a mail; the outbox sends it.
//! 6. The link in the mail shows a page and changes nothing; the page's POST rules, through [`flow::review`].
//! 7. The outbox tells the blog of the ruling.
//! 8. [`flow::learn`] trains on the rulings; the daemon takes the new model without a restart.
//!
//! Two promises hold everywhere: what was acknowledged is on disk, and a person's ruling is never overridden by the machine.

pub mod access;
pub mod action;
pub mod bounce;
pub mod budget;
pub mod campaign;
pub mod classifier;
pub mod cli;
pub mod clock;
pub mod comment;
pub mod config;
pub mod control;
pub mod daemon;
pub mod decision;
pub mod delivery;
pub mod demo;
pub mod dice;
pub mod dns;
pub mod flow;
pub mod http;
pub mod id;
pub mod import;
pub mod meters;
pub mod outbox;
pub mod pace;
pub mod rules;
pub mod service;
pub mod shelf;
pub mod store;
pub mod text;
pub mod trace;
pub mod traffic;
pub mod view;
