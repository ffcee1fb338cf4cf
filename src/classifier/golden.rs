//! Golden examples: a handful of texts whose logits a model's card records when it is made. A build that reads comments otherwise than the
//! one that trained gives other logits, and refuses the model instead of judging by numbers that no longer mean what they say. The texts
//! are ours and nobody's comments, so a card holds no one's words.

use super::features::Features;
use super::format::BadModel;
use super::model::Model;
use crate::text::Reading;
use serde::{Deserialize, Serialize};

/// What a model said of a text when it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Golden {
    pub text: String,
    pub log_odds: f64,
}

/// Between them they reach every family: words, runs in several scripts, links and hosts, form, and what normalising folds.
const TEXTS: [&str; 6] = [
    "Thank you, I tried it with the smaller grinder and it works.",
    "Make MONEY fast!!! Visit http://casino-bonus.example/win?id=7 or www.pills.example, call 55501234567 for $5000",
    "<b>Спасибо</b>, очень полезная статья. Пишите в личку: раbота на дому",
    "加我微信吧，这个方法真的很好用。ขอบคุณมาก",
    "buy v\u{200b}iagra cheeeeap \u{1f600}\u{1f600} — e-mail me at win@spam.example",
    "Ich bin anderer Meinung; siehe https://de.example.org/wiki/Kaffee. Gruß, Jürgen",
];

/// Logarithms differ in their last digits between platforms; what drifts moves a logit far more.
const TOLERANCE: f64 = 1e-5;

/// As a card keeps it: six places, which JSON carries there and back without loss.
fn recorded(log_odds: f64) -> f64 {
    (log_odds * 1e6).round() / 1e6
}

impl Model {
    /// What it says of the golden texts now.
    pub(super) fn golden(&self) -> Vec<Golden> {
        let mut features = Features::default();
        let golden = |text: &str| Golden { text: text.to_owned(), log_odds: recorded(self.log_odds(&mut features, &Reading::of(text))) };
        TEXTS.map(golden).into()
    }

    /// Whether it still says what its card recorded.
    pub(super) fn test_itself(&self) -> Result<(), BadModel> {
        let mut features = Features::default();
        for golden in &self.card.golden {
            let now = self.log_odds(&mut features, &Reading::of(&golden.text));
            if (now - golden.log_odds).abs() > TOLERANCE {
                let (text, recorded, now) = (golden.text.clone(), format!("{:.4}", golden.log_odds), format!("{now:.4}"));
                return Err(BadModel::Golden { text, recorded, now });
            }
        }
        Ok(())
    }
}
