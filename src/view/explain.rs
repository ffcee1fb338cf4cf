//! Explaining one decision on a terminal: the verdict, its reasons, and every part of the model's score with the sum that they add up to.

use super::flip::{changes, probability, threshold};
use super::safe::{isolated, mask_email, plain};
use super::terminal::{Ink, Sheet, Tone, columns, cut, fit};
use super::{Ruled, excerpt, words};
use crate::classifier::Contribution;
use crate::comment::Comment;
use crate::decision::{Decision, Mode, Verdict, logistic, weight_of_facts};
use crate::rules::Effect;

/// Characters of the comment: six lines.
const EXCERPT_CHARS_MAX: usize = 420;

/// Parts that have a line of their own; the others are one line together.
const PARTS_MAX: usize = 24;

/// Parts below this have no line of their own: rounded, they are nothing.
const PART_MIN: f64 = 0.005;

/// Columns of what a part is, and of the bar to each side.
const WHAT: usize = 40;
const BAR: usize = 12;

/// One decision, explained.
#[derive(Debug, Clone, Copy)]
pub struct ExplainView<'a> {
    /// What it is called: its id.
    pub title: &'a str,
    pub comment: &'a Comment,
    pub decision: &'a Decision,
    /// Every part of the model's score, where every comment starts first; empty without a model.
    pub parts: &'a [Contribution],
    /// The share that a model made elsewhere has in the score, in `0.0..=1.0`.
    pub base_share: Option<f64>,
    /// Oldest first.
    pub rulings: &'a [Ruled<'a>],
    /// What would be decided today, where that is something else.
    pub today: Option<&'a Decision>,
    /// What cannot be told, and why.
    pub notes: &'a [String],
    pub ink: Ink,
}

impl ExplainView<'_> {
    /// Lines of at most 78 columns, safe for any terminal.
    pub fn render(&self) -> String {
        let mut sheet = Sheet::new(self.ink);
        self.head(&mut sheet);
        self.verdict(&mut sheet);
        self.because(&mut sheet);
        self.model(&mut sheet);
        self.people(&mut sheet);
        if let Some(today) = self.today {
            sheet.heading("Judged today");
            let verdict = format!("it would be: {}. ", today.word());
            sheet.words("  ", &plain(&(verdict + &changes(self.decision, today).join("; "))));
        }
        if !self.notes.is_empty() {
            sheet.line("");
        }
        self.notes.iter().for_each(|note| sheet.words("! ", &plain(note)));
        sheet.finish()
    }

    fn head(&self, sheet: &mut Sheet) {
        let comment = self.comment;
        let came = format!("{} {}", comment.received_at.date(), comment.received_at.hour());
        let (title, place) = (isolated(&cut(&plain(self.title), 40)), format!("{}, {came}", comment.site));
        sheet.ends(&sheet.ink.dye(Tone::Faint, &title), &sheet.ink.dye(Tone::Faint, &place));
        let email = comment.author.email.as_deref().map(|email| format!(", {}", mask_email(email, "..."))).unwrap_or_default();
        let page = comment.page.title.as_deref().or(comment.page.url.as_deref());
        let page = page.map(|page| format!(", on “{}”", shown(page, 60))).unwrap_or_default();
        sheet.words("", &format!("{}{email}{page}", shown(words::name(comment), 60)));
        let needles = super::reasons::Reasons::of(self.decision).needles();
        let body = excerpt::excerpt(&comment.body, &needles, EXCERPT_CHARS_MAX).dotted("…", plain);
        sheet.line("");
        if !body.is_empty() {
            sheet.quote(&body);
            sheet.line("");
        }
    }

    fn verdict(&self, sheet: &mut Sheet) {
        let decision = self.decision;
        let word = match decision.verdict {
            Verdict::Publish => sheet.ink.dye(Tone::Ham, "PUBLISH"),
            Verdict::Hold => sheet.ink.dye(Tone::Doubt, "HOLD"),
            Verdict::Reject if decision.discard => sheet.ink.dye(Tone::Spam, "REJECT AND DISCARD"),
            Verdict::Reject => sheet.ink.dye(Tone::Spam, "REJECT"),
        };
        let score = decision.score.map(|score| format!(", probability of spam {}", probability(score))).unwrap_or_default();
        let observed = if decision.mode == Mode::Observe { ", observed only" } else { "" };
        sheet.line(format_args!("{word}  {}{score}{observed}", words::band(Some(decision.band)).to_lowercase()));
        let policy = decision.policy;
        let [publish, reject, discard] = [policy.publish_max, policy.reject_min, policy.discard_min].map(threshold);
        let line = format!("published up to {publish}, rejected from {reject}, discarded from {discard}, held between");
        sheet.line(sheet.ink.dye(Tone::Faint, &line));
    }

    fn because(&self, sheet: &mut Sheet) {
        sheet.heading("Rules");
        if self.decision.findings.is_empty() {
            sheet.line("  no rule found anything");
        }
        for finding in &self.decision.findings {
            let tone = match finding.effect {
                Effect::Reject => Tone::Spam,
                Effect::Hold => Tone::Doubt,
                Effect::Trust => Tone::Ham,
                Effect::Evidence => Tone::Faint,
            };
            let weight = if finding.log_odds == 0.0 { String::new() } else { weight(finding.log_odds) };
            let mark = format!("  {} {weight:>5}  ", sheet.ink.dye(tone, &fit(finding.effect.as_str(), 8)));
            let code = plain(&finding.code);
            sheet.words(&mark, &format!("{} ({code})", isolated(&plain(&finding.text))));
        }
    }

    fn model(&self, sheet: &mut Sheet) {
        let Some(model) = &self.decision.model else { return };
        // Of a model that is gone the strongest parts are on record.
        let is_whole = !self.parts.is_empty();
        let (start, others) = if is_whole { self.parts.split_at(1) } else { self.decision.evidence.split_at(0) };
        if others.is_empty() && !is_whole {
            return;
        }
        sheet.heading(&format!("What model {model} says"));
        let axis = format!("{:>BAR$} {:<BAR$}", "ham ◂", "▸ spam");
        sheet.line(sheet.ink.dye(Tone::Faint, &format!("{:>width$}  {axis}", "log-odds", width = WHAT + 8)));
        let strongest = start.iter().chain(others).map(|part| part.log_odds.abs()).fold(1.0, f64::max);
        let mut others: Vec<&Contribution> = others.iter().filter(|part| part.log_odds != 0.0).collect();
        others.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
        let tells = others.iter().take(PARTS_MAX).take_while(|part| part.log_odds.abs() >= PART_MIN).count();
        let (told, rest) = others.split_at(tells);
        for part in start.iter().chain(told.iter().copied()) {
            let bar = bar(sheet.ink, part.log_odds, strongest);
            sheet.line(format_args!("  {} {:>5}  {bar}", fit(&isolated(&plain(&part.what)), WHAT), weight(part.log_odds)));
        }
        if !rest.is_empty() {
            let sum: f64 = rest.iter().map(|part| part.log_odds).sum();
            let what = words::count(rest.len(), "smaller part", "smaller parts, together");
            sheet.line(format_args!("  {} {:>5}  {}", fit(&what, WHAT), weight(sum), bar(sheet.ink, sum, strongest)));
        }
        if is_whole {
            self.sum(sheet);
        }
    }

    /// The parts add up to the model's logit, and facts are added to that.
    fn sum(&self, sheet: &mut Sheet) {
        let model: f64 = self.parts.iter().map(|part| part.log_odds).sum();
        let rule = format!("  {}", "─".repeat(WHAT + 6));
        sheet.line(sheet.ink.dye(Tone::Faint, &rule));
        let mut row = |what: &str, log_odds: f64, score: &str| {
            sheet.line(format_args!("  {} {:>5}  {score}", fit(what, WHAT), weight(log_odds)));
        };
        row("sum", model, &format!("probability {}", probability(logistic(model))));
        let facts = weight_of_facts(&self.decision.findings);
        if facts != 0.0 {
            row("what rules add", facts, "");
            row("score", model + facts, &format!("probability {}", probability(logistic(model + facts))));
        }
        if let Some(share) = self.base_share {
            let own = 100.0 * (1.0 - share);
            sheet.words("  ", &format!("What this site taught it counts {own:.0} %, the base that it leans on {:.0} %.", 100.0 * share));
        }
    }

    fn people(&self, sheet: &mut Sheet) {
        if self.rulings.is_empty() {
            return;
        }
        sheet.heading("People");
        for ruled in self.rulings {
            let when = format!("{} {}", ruled.at.date(), ruled.at.hour());
            sheet.words("  ", &format!("{when}  {} by {}", words::ruling(ruled.ruling), shown(ruled.by, 40)));
        }
    }
}

/// Log-odds with their sign; what rounds to nothing has none.
fn weight(log_odds: f64) -> String {
    if log_odds.abs() < PART_MIN { "0.00".to_owned() } else { format!("{log_odds:+.2}") }
}

/// One line of a stranger's.
fn shown(text: &str, chars_max: usize) -> String {
    isolated(&excerpt::short(text, chars_max).dotted("…", plain))
}

/// To the left of the axis for ham, to the right for spam, in eighths of a column.
fn bar(ink: Ink, log_odds: f64, strongest: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let wide = u32::try_from(BAR * 8).unwrap_or(u32::MAX);
    let eighths = (0..wide).take_while(|n| f64::from(*n) + 0.5 < log_odds.abs() / strongest * f64::from(wide)).count();
    let (whole, part) = (eighths / 8, eighths % 8);
    if log_odds < 0.0 {
        // There are no blocks that fill from the right but the half.
        let half = if part >= 4 { "▐" } else { "" };
        let drawn = format!("{half}{}", "█".repeat(whole));
        let blanks = " ".repeat(BAR.saturating_sub(columns(&drawn)));
        return format!("{blanks}{}│", ink.dye(Tone::Ham, &drawn));
    }
    let drawn = format!("{}{}", "█".repeat(whole), EIGHTHS.get(part).unwrap_or(&""));
    format!("{}│{}", " ".repeat(BAR), ink.dye(Tone::Spam, &drawn))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, Sample};
    use super::*;
    use crate::decision::Ruling;

    fn view<'a>(sample: &'a Sample, parts: &'a [Contribution], ink: Ink) -> ExplainView<'a> {
        let Sample { comment, decision, .. } = sample;
        ExplainView { title: "ID", comment, decision, parts, base_share: None, rulings: &[], today: None, notes: &[], ink }
    }

    fn parts(sample: &Sample, start: f64) -> Vec<Contribution> {
        let start = Contribution { what: crate::classifier::explain::START.into(), log_odds: start };
        [start].into_iter().chain(sample.decision.evidence.clone()).collect()
    }

    #[test]
    fn a_held_comment_and_what_became_of_it() {
        let jane = samples::jane();
        let (parts, today) = (parts(&jane, 0.2), samples::decision(Some(-4.0), &[], &[]));
        let rulings = [Ruled { ruling: Ruling::Spam, by: "Ana", at: samples::now() }];
        let notes = ["only the strongest parts of the score are on record".to_owned()];
        let view = ExplainView { rulings: &rulings, today: Some(&today), notes: &notes, ..view(&jane, &parts, Ink::Plain) };
        insta::assert_snapshot!(view.render());
    }

    #[test]
    fn what_rules_add_is_added_to_the_sum_of_the_parts() {
        let omar = samples::omar();
        let parts = parts(&omar, 1.3);
        insta::assert_snapshot!(ExplainView { base_share: Some(0.75), ..view(&omar, &parts, Ink::Plain) }.render());
    }

    #[test]
    fn of_a_model_that_is_gone_the_record_is_shown_without_a_sum() {
        let salma = samples::salma();
        let text = view(&salma, &[], Ink::Plain).render();
        assert!(text.contains("link to salma[.]example") && !text.contains("sum"), "{text}");
    }

    #[test]
    fn no_escape_of_a_stranger_and_no_line_over_the_edge() {
        let evil = "\x1b[2J\x07\u{202e}\u{9b}31m\u{200b}加我微信 ".repeat(40);
        let comment = samples::comment(&evil, "e@e.example", &evil, &evil, 5);
        let decision = samples::decision(Some(1.0), &[(&evil, Effect::Hold, &evil, 0.5)], &[(&evil, 3.0), ("שלום", -3.0)]);
        let sample = Sample { comment, decision, history: super::super::History::default() };
        let parts = parts(&sample, 1.0);
        let rulings = [Ruled { ruling: Ruling::Remove, by: &evil, at: samples::now() }];
        let notes = [evil.clone()];
        let plain = ExplainView { rulings: &rulings, notes: &notes, title: &evil, ..view(&sample, &parts, Ink::Plain) };
        let text = plain.render();
        assert!(!text.contains(['\x1b', '\x07', '\u{202e}', '\u{9b}', '\u{200b}']), "{text}");
        assert!(text.lines().all(|line| columns(line) <= super::super::terminal::COLUMNS), "{text}");
        let coloured = ExplainView { ink: Ink::Colour, ..plain }.render();
        let ours = ["1", "2", "31", "32", "33", "0"].map(|code| format!("{code}m"));
        assert!(coloured.split("\x1b[").skip(1).all(|piece| ours.iter().any(|code| piece.starts_with(code))));
    }

    #[test]
    fn bars_grow_from_the_axis() {
        let check = |log_odds, expected: &str| assert_eq!(bar(Ink::Plain, log_odds, 2.0), expected);
        check(2.0, "            │████████████");
        check(-2.0, "████████████│");
        check(-1.0, "      ██████│");
        check(0.6, "            │███▋");
        check(0.0, "            │");
        check(99.0, "            │████████████");
    }
}
