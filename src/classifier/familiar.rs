//! Familiarity: whether a model has met anything like a text. What it has not met says nothing to it, so a text in a script that it never saw,
//! or of noise, scores near where every comment starts, and that is below the publishing threshold. What is done about it is `flow::judge`'s.

use super::features::{Family, Features};
use super::model::{Layer, Model};
use crate::text::Reading;

/// Shorter texts, like a smiley, have too few runs to tell.
const RUNS_MIN: usize = 4;

/// Of the runs of three characters in a language that is written in letters and was learnt, any text shares more than half: the lowest of the
/// starter's own ham, each by the others, is .53.
const RUNS_MET_MAX: f64 = 0.5;

/// In Chinese and Japanese runs of three are mostly new, and words are single signs that are not: of words and pairs more than so many were met.
const WORDS_MET_MAX: f64 = 0.3;

/// ln(1 + documents) of a bucket that at least two had: where one in two words of the starter's table is taken, one meeting may be chance.
const TWICE_DEPTH: f64 = 1.0;

impl Model {
    /// Whether neither the model nor its base knows what a text is made of. A site's own model that stands alone has met what its site writes,
    /// and is never in doubt.
    pub fn is_stranger_to(&self, features: &mut Features, reading: &Reading) -> bool {
        let stands_alone = self.base.is_none() && self.card.ruling.is_some();
        let mut layers = std::iter::once(&self.layer).chain(self.base.as_ref().map(|base| &base.layer));
        !stands_alone && layers.all(|layer| is_strange(layer, features, reading))
    }
}

fn is_strange(layer: &Layer, features: &mut Features, reading: &Reading) -> bool {
    features.read(reading, &layer.hashing);
    let met = |family, depth_min| share_met(layer, features, family, depth_min);
    features.family(Family::Threes).len() >= RUNS_MIN
        && met(Family::Threes, 0.0) <= RUNS_MET_MAX
        && met(Family::Words, TWICE_DEPTH) <= WORDS_MET_MAX
}

/// Of a text's distinct features of one family, those that the layer met so often; 0 for a text without any.
fn share_met(layer: &Layer, features: &Features, family: Family, depth_min: f64) -> f64 {
    let buckets = features.family(family);
    let entries = buckets.iter().filter_map(|bucket| Some(layer.tables.get(family as usize)?.entry(*bucket)));
    let met = entries.filter(|entry| entry.is_seen() && entry.depth() >= depth_min).count();
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    count(met) / count(buckets.len().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_starter_knows_scripts_that_it_learnt_from_others_and_from_noise() {
        let starter = crate::shelf::starter().unwrap();
        let mut features = Features::default();
        let mut check = |text: &str, expected| assert_eq!(starter.is_stranger_to(&mut features, &Reading::of(text)), expected, "{text}");
        check("Ευχαριστώ πολύ, το δοκίμασα χθες και δούλεψε με την πρώτη.", true);
        check("תודה רבה, ניסיתי את זה אתמול וזה עבד מיד.", true);
        check("감사합니다. 어제 해봤는데 바로 됐어요.", true);
        check("9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c", true);
        check("谢谢分享，昨天试了一下，马上就成功了。", false);
        check("昨日試したらすぐに動きました。", false);
        check("Köszönöm a részletes leírást, nekem pont ez a rész okozott gondot tegnap este.", false);
        check("Thanks!", false);
        check(":)", false);
        check("", false);
    }
}
