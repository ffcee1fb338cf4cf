//! `hamlet model shadow`: what the model in a site's shadow would have decided otherwise, before anybody promotes it; and `hamlet model drop`.

use super::card::share;
use crate::classifier::Label;
use crate::cli::evaluate::table::percent;
use crate::cli::listing::DryRun;
use crate::decision::{Ruling, Verdict};
use crate::id::{ModelId, SiteId};
use crate::shelf::Shelf;
use crate::store::{Beside, Reader, Sides};
use crate::text::cut;
use crate::view::{Ink, Sheet, probability, terminal_text};
use anyhow::{Context, bail};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Json,
}

/// Characters of a comment: a line.
const EXCERPT_CHARS_MAX: usize = 70;

/// What a model in the shadow has come to.
struct Shadow {
    at_work: ModelId,
    model: ModelId,
    since: String,
    sides: Vec<Sides>,
    examples: Vec<Beside>,
}

pub fn show(data: &Path, site: &SiteId, limit: usize, format: Format, ink: Ink) -> anyhow::Result<()> {
    let (shelf, reader) = (Shelf::of(data), Reader::open(data)?);
    let nobody = || format!("no model stands in {site}'s shadow; `hamlet retrain --site {site} --promote shadow` puts one there");
    let model = shelf.shadow_id(site)?.with_context(nobody)?;
    let (sides, since) = reader.sides(site, &model)?;
    let Some(since) = since else { bail!("model {model} stands in {site}'s shadow, and no comment has come since") };
    let at_work = crate::shelf::current_or_starter(&shelf, site)?.id;
    let examples = reader.beside(site, &model, limit)?;
    let shadow = Shadow { at_work, model, since: since.to_string(), sides, examples };
    crate::cli::say(match format {
        Format::Table => shadow.table(ink),
        Format::Json => shadow.document().to_string(),
    })?;
    Ok(())
}

pub fn drop(data: &Path, site: &SiteId, dry: DryRun) -> anyhow::Result<()> {
    let shelf = Shelf::of(data);
    let model = shelf.shadow_id(site)?.with_context(|| format!("no model stands in {site}'s shadow"))?;
    if dry.ends(format_args!("take {model} out of {site}'s shadow"))? {
        return Ok(());
    }
    shelf.put_in_shadow(site, None)?;
    super::hand_over(data, site, &crate::shelf::current_or_starter(&shelf, site)?.id)
}

impl Shadow {
    /// Comments that this is true of.
    fn count(&self, is_so: impl Fn(&Sides) -> bool) -> usize {
        self.sides.iter().filter(|sides| is_so(sides)).map(|sides| sides.comments).sum()
    }

    /// By the model at work, and by the one in the shadow.
    fn both(&self, verdict: Verdict, label: Option<Label>) -> (usize, usize) {
        let is_of = |sides: &Sides| label.is_none() || sides.ruled.and_then(Label::of) == label;
        (self.count(|sides| is_of(sides) && sides.at_work == verdict), self.count(|sides| is_of(sides) && sides.shadow == verdict))
    }

    /// Pairs of verdicts that differ, most frequent first: how many, and how many of them were ruled publish and spam.
    fn differences(&self) -> Vec<((Verdict, Verdict), [usize; 3])> {
        let all = [Verdict::Publish, Verdict::Hold, Verdict::Reject];
        let pairs = all.into_iter().flat_map(|from| all.into_iter().map(move |to| (from, to))).filter(|(from, to)| from != to);
        let of = |pair: (Verdict, Verdict)| {
            let count = |ruled: Option<Ruling>| {
                self.count(|sides| (sides.at_work, sides.shadow) == pair && (ruled.is_none() || sides.ruled == ruled))
            };
            (pair, [count(None), count(Some(Ruling::Publish)), count(Some(Ruling::Spam))])
        };
        let mut differences: Vec<_> = pairs.map(of).filter(|(_, [count, ..])| *count > 0).collect();
        differences.sort_by_key(|(_, [count, ..])| std::cmp::Reverse(*count));
        differences
    }

    fn table(&self, ink: Ink) -> String {
        let mut sheet = Sheet::new(ink);
        let (all, differ) = (self.count(|_| true), self.count(|sides| sides.at_work != sides.shadow));
        sheet.line(format_args!("{} in the shadow of {}, {all} comments since {}", self.model, self.at_work, self.since));
        sheet.line(format_args!("  {:<34} {:>9} {:>9}", "", "at work", "shadow"));
        let mut row = |what: &str, (at_work, shadow): (usize, usize)| sheet.line(format_args!("  {what:<34} {at_work:>9} {shadow:>9}"));
        for (what, verdict) in [("published", Verdict::Publish), ("held for people", Verdict::Hold), ("rejected", Verdict::Reject)] {
            row(what, self.both(verdict, None));
        }
        let ruled = |label| self.count(|sides| sides.ruled.and_then(Label::of) == Some(label));
        row(&format!("of {} ruled spam, published", ruled(Label::Spam)), self.both(Verdict::Publish, Some(Label::Spam)));
        row(&format!("of {} ruled ham, rejected", ruled(Label::Ham)), self.both(Verdict::Reject, Some(Label::Ham)));
        sheet.heading(&format!("{differ} would be decided otherwise, {}", percent(share(differ, all))));
        for ((from, to), [count, publish, spam]) in self.differences() {
            let flip = format!("{} → {}", from.as_str(), to.as_str());
            sheet.line(format_args!("  {flip:<24} {count:>7}   ruled publish: {publish}, ruled spam: {spam}"));
        }
        self.examples.iter().for_each(|one| example(&mut sheet, one));
        sheet.finish()
    }

    fn document(&self) -> Value {
        let differences: Vec<Value> = self
            .differences()
            .into_iter()
            .map(|((from, to), [count, publish, spam])| {
                json!({ "at_work": from.as_str(), "shadow": to.as_str(), "comments": count, "ruled_publish": publish, "ruled_spam": spam })
            })
            .collect();
        let sides = |verdict, label| {
            let (at_work, shadow) = self.both(verdict, label);
            json!({ "at_work": at_work, "shadow": shadow })
        };
        let examples: Vec<Value> = self
            .examples
            .iter()
            .map(|Beside { record, at_work, shadow }| {
                json!({
                    "id": record.comment.id.to_string(),
                    "at_work": { "verdict": at_work.0.as_str(), "score": at_work.1 },
                    "shadow": { "verdict": shadow.0.as_str(), "score": shadow.1 },
                    "ruling": record.ruled.as_ref().map(|ruled| ruled.ruling.as_str()),
                })
            })
            .collect();
        json!({
            "model": self.model.as_str(), "at_work": self.at_work.as_str(), "since": self.since, "comments": self.count(|_| true),
            "published": sides(Verdict::Publish, None), "held": sides(Verdict::Hold, None), "rejected": sides(Verdict::Reject, None),
            "ruled_spam_published": sides(Verdict::Publish, Some(Label::Spam)),
            "ruled_ham_rejected": sides(Verdict::Reject, Some(Label::Ham)),
            "differences": differences, "examples": examples,
        })
    }
}

fn example(sheet: &mut Sheet, Beside { record, at_work, shadow }: &Beside) {
    let ruled = record.ruled.as_ref().map(|ruled| format!("   ruled {}", ruled.ruling.as_str())).unwrap_or_default();
    let score = |score: Option<f64>| score.map_or_else(|| "no score".to_owned(), probability);
    sheet.line("");
    let flip = format!("{} → {} (score {} → {}){ruled}", at_work.0.as_str(), shadow.0.as_str(), score(at_work.1), score(shadow.1));
    sheet.ends(&flip, &record.comment.received_at.date());
    sheet.line(format_args!("  {}", record.comment.id));
    let text: String = terminal_text(cut(&record.comment.body, EXCERPT_CHARS_MAX * 8)).chars().take(EXCERPT_CHARS_MAX).collect();
    sheet.quote(&text);
}
