//! Every part of one decision, as a table: what rules found, and what adds up to the score.

use super::{Around, Frame, line};
use crate::classifier::Contribution;
use crate::comment::Comment;
use crate::decision::{Decision, logistic, weight_of_facts};
use crate::view::safe::Html;
use crate::view::{rendered, words};
use askama::Template;

/// `/desk/explain/ID`.
#[derive(Debug, Clone, Copy)]
pub struct DeskExplainPage<'a> {
    pub frame: Frame<'a>,
    pub comment: &'a Comment,
    pub decision: &'a Decision,
    /// Every part of the model's score; empty where the model is gone.
    pub parts: &'a [Contribution],
    /// What cannot be told, and why.
    pub notes: &'a [String],
}

impl DeskExplainPage<'_> {
    pub fn render(&self) -> String {
        let is_whole = !self.parts.is_empty();
        let mut parts: Vec<&Contribution> = if is_whole { self.parts.iter().collect() } else { self.decision.evidence.iter().collect() };
        parts.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
        let model: f64 = parts.iter().map(|part| part.log_odds).sum();
        let facts = weight_of_facts(&self.decision.findings);
        rendered(&Explained {
            around: self.frame.around(),
            path: format!("/desk/c/{}", self.comment.id),
            name: line(words::name(self.comment), 80),
            word: self.decision.word(),
            findings: self
                .decision
                .findings
                .iter()
                .map(|finding| (line(&finding.text, 200), finding.effect.as_str(), weight(finding.log_odds)))
                .collect(),
            parts: parts.iter().map(|part| (line(&part.what, 120), weight(part.log_odds), part.log_odds >= 0.0)).collect(),
            is_whole,
            sum: weight(model),
            facts: weight(facts),
            score: format!("{:.1} %", 100.0 * logistic(model + facts)),
            notes: self.notes.iter().map(|note| line(note, 300)).collect(),
        })
    }
}

fn weight(log_odds: f64) -> String {
    format!("{log_odds:+.2}")
}

#[derive(Template)]
#[template(path = "desk_explain.html")]
struct Explained {
    around: Around,
    path: String,
    name: Html,
    word: &'static str,
    findings: Vec<(Html, &'static str, String)>,
    parts: Vec<(Html, String, bool)>,
    is_whole: bool,
    sum: String,
    facts: String,
    score: String,
    notes: Vec<Html>,
}
