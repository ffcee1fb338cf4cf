//! A made-up world for tests, in which the truth is known: chance from a seed, and sites whose shares of error follow from a threshold in
//! closed form, so that no second sample is needed to see whether a promise was kept.

use crate::classifier::Label;

/// SplitMix64 (Steele, Lea and Flood 2014): quick enough to simulate years of comments in a test.
pub struct Chance(pub u64);

impl Chance {
    /// Uniform in `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap()) / (f64::from(u32::MAX) + 1.0)
    }

    pub fn hits(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Arrivals of a day (Knuth's product of uniforms).
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let (mut count, mut product, floor) = (0, self.unit(), (-mean).exp());
        while product > floor {
            product *= self.unit();
            count += 1;
        }
        count
    }
}

/// A site whose spam scores below t with probability t^spam, and whose ham scores above 1 - t with probability t^ham. Scores come in
/// `steps` to the whole, as from a coarse model, so that many tie; none are as fine as numbers get.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    pub spam: f64,
    pub ham: f64,
    pub steps: Option<f64>,
}

impl Site {
    pub fn score(self, chance: &mut Chance, label: Label) -> f64 {
        let fine = match label {
            Label::Spam => chance.unit().powf(1.0 / self.spam),
            Label::Ham => 1.0 - chance.unit().powf(1.0 / self.ham),
        };
        self.steps.map_or(fine, |steps| (fine * steps).floor() / steps)
    }

    pub fn labelled(self, chance: &mut Chance, spam: usize, ham: usize) -> Vec<(f64, Label)> {
        let labels = std::iter::repeat_n(Label::Spam, spam).chain(std::iter::repeat_n(Label::Ham, ham));
        labels.map(|label| (self.score(chance, label), label)).collect()
    }

    /// The true share of all spam at or below the threshold.
    pub fn spam_published(self, publish_max: f64) -> f64 {
        let edge = self.steps.map_or(publish_max, |steps| ((publish_max * steps).floor() + 1.0) / steps);
        edge.clamp(0.0, 1.0).powf(self.spam)
    }

    /// The true share of all ham at or above the threshold.
    pub fn ham_rejected(self, reject_min: f64) -> f64 {
        let edge = self.steps.map_or(reject_min, |steps| (reject_min * steps).ceil() / steps);
        (1.0 - edge).clamp(0.0, 1.0).powf(self.ham)
    }
}
