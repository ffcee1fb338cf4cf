//! Scales: from a value to a place on an axis, and where an axis has its ticks.

/// A stretch of values laid along a stretch of places.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    kind: Kind,
    from: f64,
    to: f64,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Linear,
    Log,
    Root,
}

/// The smallest value on a logarithmic axis: below a billionth no share means anything.
const LOG_MIN: f64 = 1e-9;

impl Scale {
    pub fn linear(from: f64, to: f64) -> Self {
        Self { kind: Kind::Linear, from, to }
    }

    /// Each tenfold as long as the next.
    pub fn log(from: f64, to: f64) -> Self {
        Self { kind: Kind::Log, from, to }
    }

    /// Square roots, either side of zero: small counts are seen beside large ones.
    pub fn root(from: f64, to: f64) -> Self {
        Self { kind: Kind::Root, from, to }
    }

    /// The share of the axis at which a value stands, in `0.0..=1.0`; beyond the axis its end, and NaN for what is no number.
    pub fn share(self, value: f64) -> f64 {
        if value.is_nan() {
            return f64::NAN;
        }
        let (from, to) = (self.laid(self.from), self.laid(self.to));
        let share = (self.laid(value) - from) / (to - from);
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
    }

    fn laid(self, value: f64) -> f64 {
        match self.kind {
            Kind::Linear => value,
            Kind::Log => value.max(LOG_MIN).ln(),
            Kind::Root => value.abs().sqrt().copysign(value),
        }
    }
}

/// Ticks from 0 to at least `max`, in steps of 1, 2 or 5 and their tenfolds, about so many. Of counts: no step is below one `unit`.
pub fn linear_ticks(max: f64, about: u32, unit: f64) -> Vec<f64> {
    let max = if max.is_finite() && max > 0.0 { max.clamp(unit, 1e15) } else { unit };
    let rough = max / f64::from(about.max(1));
    let tenfold = 10_f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * tenfold).find(|step| *step >= rough * 0.999).unwrap_or(rough).max(unit);
    let mut ticks = vec![0.0];
    for times in 1..=2 * about.max(1) + 1 {
        let tick = step * f64::from(times);
        ticks.push(tick);
        if tick >= max * 0.999 {
            break;
        }
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_numbers_that_people_count_in() {
        let check = |max, about, unit, expected: &[f64]| assert_eq!(linear_ticks(max, about, unit), expected, "{max}");
        check(288.0, 3, 1.0, &[0.0, 100.0, 200.0, 300.0]);
        check(19.0, 2, 1.0, &[0.0, 10.0, 20.0]);
        check(1.0, 4, 1.0, &[0.0, 1.0]);
        check(0.0, 4, 1.0, &[0.0, 1.0]);
        check(f64::NAN, 4, 0.01, &[0.0, 0.01]);
        check(0.17, 4, 0.001, &[0.0, 0.05, 0.1, 3.0 * 0.05, 0.2]);
    }

    #[test]
    fn values_stand_where_they_belong() {
        let check = |scale: Scale, value, expected: f64| assert!((scale.share(value) - expected).abs() < 1e-12, "{scale:?} {value}");
        check(Scale::linear(0.0, 10.0), 5.0, 0.5);
        check(Scale::linear(0.0, 10.0), 50.0, 1.0);
        check(Scale::linear(3.0, 3.0), 3.0, 0.0);
        check(Scale::log(0.01, 1.0), 0.1, 0.5);
        check(Scale::log(0.01, 1.0), 0.0, 0.0);
        check(Scale::root(-100.0, 100.0), 25.0, 0.75);
        assert!(Scale::linear(0.0, 1.0).share(f64::NAN).is_nan());
    }

    proptest! {
        #[test]
        fn ticks_reach_what_is_shown_and_are_few(max in 0.0..1e12, about in 1_u32..8) {
            let ticks = linear_ticks(max, about, 1.0);
            prop_assert!(ticks.last().is_some_and(|last| *last >= max * 0.99) && ticks.len() <= 2 + 2 * about as usize, "{ticks:?}");
        }
    }
}
