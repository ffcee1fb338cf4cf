//! The whole daemon from outside: the real binary, real HTTP, real SMTP, a real blog, `kill -9`. Loopback only, and every wait has a
//! deadline: a condition is looked at until it holds, nothing sleeps for a guess.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may stop at the first surprise, and they live in the machine's own time"
)]

mod akismet;
mod akismet_clients;
mod akismet_hostile;
mod apart;
mod api;
mod app;
mod around;
mod audit;
mod backup;
mod behaviour;
mod beside;
mod blog;
mod browser;
mod budget;
mod campaigns;
mod commands;
mod crash;
mod daemon;
mod demo;
mod desk;
mod desk_states;
mod digests;
mod dns;
mod edits;
mod evaluate;
mod explain;
mod fields;
mod figures;
mod first_hour;
mod forget;
mod forms;
mod ground;
mod help;
mod hostile_http;
mod idempotency;
mod import;
mod listing;
mod listings;
mod lists;
mod mail_readers;
mod mail_speed;
mod mailboxes;
mod mails;
mod mime;
mod moderator;
mod objections;
mod openapi;
mod page;
mod receivers;
mod reload;
mod replay;
mod resolver;
mod retrain;
mod review;
mod scanners;
mod scene;
mod sender;
mod service;
mod simulation;
mod sites;
mod smtp;
mod store;
mod submit;
mod tls;
mod traces;
mod wait;
mod webdriver;
mod webhooks;
mod wire;
mod wordpress;
