//! Training: a fold of labelled examples in, model out. Naive Bayes by linfa-bayes on folded counts, the stack over it by linfa-logistic;
//! this is the only room that names linfa. It reads no files (see `flow::learn`) and scores nothing (see `model`).
//!
//! linfa-bayes 0.8.1 prints every weight to stderr by a left-over `dbg!`, so [`fit`] is meant to run in a process of its own whose
//! stderr is closed; [`train`] takes it as an argument for that reason.

use super::Label;
use super::blend::blend;
use super::counts::{Counts, SMOOTHING, mass};
use super::evaluate;
use super::features::{DENSE, FEATURES_VERSION};
use super::fold::{Fold, Reach, Row};
use super::model::{Base, Card, Figures, Layer, Model, Source};
use super::stack::{INPUTS, Stack};
use super::table::{Entry, Table};
use super::tracker;
use linfa::prelude::*;
use linfa_bayes::MultinomialNb;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ShapeBuilder};

/// Counts of one family as linfa takes them: one column per bucket seen, in ascending order of bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded {
    pub spam: Vec<f64>,
    pub ham: Vec<f64>,
}

/// ln P(feature | class) per column.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    pub spam: Vec<f64>,
    pub ham: Vec<f64>,
}

/// Why no model came of it.
#[derive(Debug, thiserror::Error)]
pub enum CannotTrain {
    #[error("{spam} spam and {ham} ham examples; training needs at least {EXAMPLES_MIN} of each")]
    TooFew { spam: usize, ham: usize },
    #[error("naive Bayes could not be fitted")]
    Bayes(#[from] linfa_bayes::NaiveBayesError),
    #[error("the stack could not be fitted")]
    Stack(#[from] linfa_logistic::error::Error),
    #[error("linfa-bayes gave its parameters in a shape that is not known: {0}")]
    Parameters(String),
    #[error("the fitting process failed: {0}")]
    Process(String),
}

/// Fewer than this in a class and leave-one-out has nothing to learn from.
pub const EXAMPLES_MIN: usize = 2;

impl Reach {
    /// L2 penalty of the stack, as linfa counts it (half alpha times the squared norm), for rows that stand once. At home 1, or 4 with few
    /// examples (learning curves of public sets; 4 for 1 costs a tenth of the log loss on SMS and Telegram). Abroad words are worth less
    /// than at home, and only what all corpora agree on travels: with 200, 2,000 and 8,000 on 15,000 rows the starter's mean AUC on three public
    /// sets it never saw was .912, .926 and .931.
    fn penalty(self, examples: usize, rows: usize) -> f64 {
        match self {
            Self::Home if examples >= 500 => rows_per(rows, examples),
            Self::Home => 4.0 * rows_per(rows, examples),
            Self::Abroad => 0.25 * count(rows),
        }
    }

    /// So strong a penalty understates. Abroad all logits are stretched until .5 % of the ham of blogs never seen would be rejected at .97.
    fn stretch(self) -> f64 {
        match self {
            Self::Home => 1.0,
            Self::Abroad => 1.6,
        }
    }
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// The dense ratios are halved after standardising: they are many and related, and this measured better than one scale for all.
const DENSE_SCALE: f64 = 0.5;

/// How often every example stands among the rows: once, or twice with its page.
fn rows_per(rows: usize, examples: usize) -> f64 {
    if rows > examples { 2.0 } else { 1.0 }
}

/// Where the stack's gradient counts as nothing. linfa's loss is a sum over rows, so a bound that does not grow with them is never met by
/// many: at 40,000 rows the fit then took half of the training.
const GRADIENT_PER_ROW: f64 = 1e-6;

/// Enough for the stack's gradient to vanish on every set tried.
const STACK_STEPS_MAX: u64 = 500;

/// Trains on what was folded. `fit` turns folded counts into fitted parameters: [`fit`] itself, or a process that runs it.
///
/// # Errors
/// [`CannotTrain`]: too few examples of a class, or a fit that failed.
pub fn train(
    fold: Fold,
    sources: Vec<Source>,
    trained_at: String,
    fit: impl Fn(&[Folded]) -> Result<Vec<Fitted>, CannotTrain>,
) -> Result<Model, CannotTrain> {
    let (spam, ham) = (fold.spam, fold.ham);
    if spam.min(ham) < EXAMPLES_MIN {
        return Err(CannotTrain::TooFew { spam, ham });
    }
    let folded: Vec<Folded> = fold.counts.iter().map(Folded::of).collect();
    let tables = fold.counts.iter().zip(fit(&folded)?).map(|(counts, fitted)| table(counts, &fitted)).collect();
    let rows = fold.rows();
    let mut stack = stack(&rows, fold.reach, spam + ham)?;
    stack.intercept += tracker::correction(spam, ham);
    let scored: Vec<(f64, Label)> = rows.iter().map(|row| (stack.logit(&row.inputs), row.label)).collect();
    let figures = Figures::of(&evaluate::measure(&scored));
    let card = Card {
        trained_at,
        features_version: FEATURES_VERSION,
        spam,
        ham,
        copies: fold.copies,
        sources,
        figures,
        ruling: None,
        terms: None,
        contest: None,
        golden: Vec::new(),
    };
    let counts = (fold.reach == Reach::Home).then_some(fold.counts);
    let base = fold.base.zip(blend(spam + ham, &fold.base_scored));
    let base = base.map(|(model, blend)| Base { id: model.id, layer: model.layer, blend });
    Ok(Model::assemble(card, Layer { hashing: fold.hashing, tables, stack }, base, counts))
}

impl Folded {
    fn of(counts: &Counts) -> Self {
        Self {
            spam: counts.used().map(|(_, cell)| mass(cell.spam)).collect(),
            ham: counts.used().map(|(_, cell)| mass(cell.ham)).collect(),
        }
    }
}

/// Fits one multinomial naive Bayes by linfa-bayes. Prints to stderr (see above).
///
/// # Errors
/// [`CannotTrain`] when linfa refuses the counts or changed the shape of its parameters.
pub fn fit(folded: &Folded) -> Result<Fitted, CannotTrain> {
    Ok(Fitted { spam: fit_class(&folded.spam)?, ham: fit_class(&folded.ham)? })
}

/// One class: what classes share is the prior alone, and that is the stack's. Columns of equal mass have equal probability, so linfa gets every
/// mass once, and the rest of the total in one more column. What it prints was half of the time of a training: of 100,000 comments this
/// makes 30,000 columns of 250,000.
fn fit_class(masses: &[f64]) -> Result<Vec<f64>, CannotTrain> {
    let mut distinct = masses.to_vec();
    distinct.sort_unstable_by(f64::total_cmp);
    distinct.dedup();
    let mut columns = distinct.clone();
    if let Some(others) = (masses.len() - distinct.len()).checked_sub(1) {
        // Sums of mass alone are exact; each column left out would have been smoothed too, and this one will be.
        let others = f64::from(u32::try_from(others).unwrap_or(u32::MAX));
        columns.push(masses.iter().sum::<f64>() - distinct.iter().sum::<f64>() + SMOOTHING * others);
    }
    let log_probabilities = fit_columns(columns)?;
    let of = |mass: &f64| distinct.binary_search_by(|other| other.total_cmp(mass)).ok().and_then(|at| log_probabilities.get(at).copied());
    masses.iter().map(of).collect::<Option<_>>().ok_or_else(|| CannotTrain::Parameters("too few log-probabilities".to_owned()))
}

/// ln P(column | class), as linfa has it.
fn fit_columns(columns: Vec<f64>) -> Result<Vec<f64>, CannotTrain> {
    let n = columns.len();
    if n == 0 {
        return Ok(Vec::new());
    }
    let records = Array2::from_shape_vec((1, n), columns).map_err(|error| CannotTrain::Parameters(error.to_string()))?;
    let dataset = DatasetBase::new(records, Array1::from_vec(vec![CLASS]));
    let model = MultinomialNb::<f64, usize>::params().alpha(SMOOTHING).fit(&dataset)?;
    let parameters = serde_json::to_value(&model).map_err(|error| CannotTrain::Parameters(error.to_string()))?;
    let data = parameters.pointer(&format!("/class_info/{CLASS}/feature_log_prob/data")).and_then(serde_json::Value::as_array);
    let values: Option<Vec<f64>> = data.and_then(|values| values.iter().map(serde_json::Value::as_f64).collect());
    values.filter(|values| values.len() == n).ok_or_else(|| CannotTrain::Parameters("no log-probabilities".to_owned()))
}

const CLASS: usize = 0;

/// Fitted log-odds are ratios less the norm; a table keeps both apart, so that one number moves when an example is learnt.
fn table(counts: &Counts, fitted: &Fitted) -> Table {
    let norm = counts.totals.norm();
    let log_ratios = fitted.spam.iter().zip(&fitted.ham).map(|(spam, ham)| spam - ham + norm);
    Table::new(norm, counts.used().zip(log_ratios).map(|((bucket, cell), log_ratio)| (bucket, Entry::new(log_ratio, cell.documents))))
}

fn stack(rows: &[Row], reach: Reach, examples: usize) -> Result<Stack, CannotTrain> {
    let scale = Scale::of(rows);
    // Input by input, since the gradient runs down each: takes two of seven seconds off a training on 100,000 comments.
    let standard = &scale;
    let cells = (0..INPUTS).flat_map(|index| rows.iter().map(move |row| standard.standardise(index, &row.inputs))).collect();
    let records = Array2::from_shape_vec((rows.len(), INPUTS).f(), cells).map_err(|error| CannotTrain::Parameters(error.to_string()))?;
    let targets: Array1<bool> = rows.iter().map(|row| row.label == Label::Spam).collect();
    let fitted = LogisticRegression::default()
        .alpha(reach.penalty(examples, rows.len()))
        .max_iterations(STACK_STEPS_MAX)
        .gradient_tolerance(GRADIENT_PER_ROW * count(rows.len()))
        .fit(&DatasetBase::new(records, targets))?;
    // linfa names the positive class itself; which of ours that is, it must say.
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 } * reach.stretch();
    let weights: Vec<f64> = fitted.params().iter().map(|weight| sign * weight).collect();
    Ok(scale.fold_into(&weights, sign * fitted.intercept()))
}

/// Mean and deviation of every input, so that the penalty treats all alike.
struct Scale {
    mean: [f64; INPUTS],
    per_unit: [f64; INPUTS],
}

impl Scale {
    fn of(rows: &[Row]) -> Self {
        let n = count(rows.len());
        let mut scale = Self { mean: [0.0; INPUTS], per_unit: [0.0; INPUTS] };
        for (index, (mean, per_unit)) in scale.mean.iter_mut().zip(&mut scale.per_unit).enumerate() {
            let values = || rows.iter().filter_map(move |row| row.inputs.get(index));
            *mean = values().sum::<f64>() / n;
            let deviation = (values().map(|value| (value - *mean).powi(2)).sum::<f64>() / n).sqrt();
            let wanted = if index < INPUTS - DENSE.len() { 1.0 } else { DENSE_SCALE };
            *per_unit = if deviation > 1e-9 { wanted / deviation } else { 0.0 };
        }
        scale
    }

    fn standardise(&self, index: usize, inputs: &[f64; INPUTS]) -> f64 {
        let of = |values: &[f64; INPUTS]| values.get(index).copied().unwrap_or_default();
        (of(inputs) - of(&self.mean)) * of(&self.per_unit)
    }

    /// Weights on standardised inputs become weights on raw ones.
    fn fold_into(&self, weights: &[f64], intercept: f64) -> Stack {
        let mut stack = Stack { intercept, weights: [0.0; INPUTS], typical: self.mean };
        for (((folded, weight), mean), per_unit) in stack.weights.iter_mut().zip(weights).zip(&self.mean).zip(&self.per_unit) {
            *folded = weight * per_unit;
            stack.intercept -= *folded * mean;
        }
        stack
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linfa::traits::Predict;
    use proptest::prelude::*;

    const HAM: usize = 0;
    const SPAM: usize = 1;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn our_weights_decide_as_linfas_own_prediction(
            spam in prop::collection::vec(0u8..9, 6),
            ham in prop::collection::vec(0u8..9, 6),
            document in prop::collection::vec(0u8..2, 6),
        ) {
            let floats = |counts: &[u8]| counts.iter().map(|&count| f64::from(count) + 0.25).collect::<Vec<f64>>();
            let folded = Folded { spam: floats(&spam), ham: floats(&ham) };
            let fitted = fit(&folded).unwrap();
            let ours: f64 = fitted.spam.iter().zip(&fitted.ham).zip(&document).map(|((s, h), &x)| (s - h) * f64::from(x)).sum();
            let cells = folded.ham.iter().chain(&folded.spam).copied().collect();
            let dataset = DatasetBase::new(Array2::from_shape_vec((2, 6), cells).unwrap(), Array1::from_vec(vec![HAM, SPAM]));
            let model = MultinomialNb::<f64, usize>::params().alpha(SMOOTHING).fit(&dataset).unwrap();
            let asked = Array2::from_shape_vec((1, 6), document.iter().map(|&x| f64::from(x)).collect()).unwrap();
            prop_assume!(ours.abs() > 1e-9);
            prop_assert_eq!(model.predict(&asked)[0], if ours > 0.0 { SPAM } else { HAM });
        }
    }
}
