//! Spot checks: whether what people say of automatic decisions contradicts the shares of error that a site allows. The draw is
//! `budget::audit`'s and made at the decision; this looks at the answers, and the log is where it is told.

use super::App;
use crate::budget::audit::{Drift, Inclusion};
use crate::classifier::Label;
use crate::config::{self, Site, Thresholds};
use crate::decision::{Decision, Mode, Verdict};
use crate::id::{ModelId, SiteId};
use crate::shelf::Shelf;
use crate::store::{Audit, Reader, StoreError};
use std::collections::BTreeSet;
use std::fmt;

/// The chance of ever warning about one kind of decision of one model while it errs no more than is allowed.
const FALSE_ALARM_MAX: f64 = 0.05;

/// Whether a decision becomes a spot check; `draw` is uniform in `0.0..1.0`. Only what a score decided is checked, and only where verdicts are
/// carried out: who merely observes sees everything published and gets no mail.
pub fn choose(site: &Site, decision: &Decision, draw: f64) -> Inclusion {
    if decision.mode != Mode::Enforce {
        return Inclusion::NONE;
    }
    let chosen = site.audit.rates.choose(decision.verdict, draw);
    if decision.is_by_score() { chosen } else { Inclusion { floor: chosen.floor, ..Inclusion::NONE } }
}

/// More errors among one kind of decision than the site allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alarm {
    pub verdict: Verdict,
    /// Answered spot checks of this kind.
    pub audits: usize,
    pub errors: usize,
    /// The share of errors that is allowed.
    pub error_max: f64,
}

/// What the answers, in the order of the decisions, contradict.
pub fn alarms(audits: &[Audit], allowed: &config::Audit) -> Vec<Alarm> {
    let kinds = [(Verdict::Publish, Label::Spam, allowed.published_spam_max), (Verdict::Reject, Label::Ham, allowed.rejected_ham_max)];
    let alarm = |(verdict, wrong, error_max): (Verdict, Label, f64)| {
        let errors: Vec<bool> = audits.iter().filter(|audit| audit.verdict == verdict).map(|audit| audit.label == wrong).collect();
        let mut drift = Drift::default();
        for error in &errors {
            drift.observe(*error, error_max);
        }
        let alarm = Alarm { verdict, audits: errors.len(), errors: errors.iter().filter(|error| **error).count(), error_max };
        drift.alarms(FALSE_ALARM_MAX).then_some(alarm)
    };
    kinds.into_iter().filter_map(alarm).collect()
}

/// What was warned of already: site, model, verdict.
pub type Warned = BTreeSet<(SiteId, String, &'static str)>;

/// Warns in the log of every site whose audits contradict what it allows, once for each model and kind of decision.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn watch(app: &App, warned: &mut Warned) -> Result<(), StoreError> {
    for site in app.config().sites.values() {
        for (model, alarm) in alarms_of(app.store.read(), &app.shelf, site)? {
            if warned.insert((site.id.clone(), model.to_string(), alarm.verdict.as_str())) {
                tracing::warn!(
                    site = %site.id, model.id = %model, verdict = alarm.verdict.as_str(), audits = alarm.audits, errors = alarm.errors,
                    error_share_max = alarm.error_max, "audit.bound_contradicted"
                );
            }
        }
    }
    Ok(())
}

/// The alarms about the model that decided a site's last spot check. What is allowed follows from the model's certificate, where that is
/// what the site goes by.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn alarms_of(reader: &Reader, shelf: &Shelf, site: &Site) -> Result<Vec<(ModelId, Alarm)>, StoreError> {
    let Some(model) = reader.last_audited(&site.id)? else { return Ok(Vec::new()) };
    let audits = reader.audits(&site.id, &model)?;
    Ok(alarms(&audits, &allowed(shelf, site, &model)).into_iter().map(|alarm| (model.clone(), alarm)).collect())
}

fn allowed(shelf: &Shelf, site: &Site, model: &ModelId) -> config::Audit {
    // A model that cannot be read has been told of where it should have judged.
    let current = shelf.current(&site.id).ok().flatten().filter(|current| current.id == *model && site.thresholds == Thresholds::Budget);
    let terms = current.and_then(|current| current.card.terms).filter(|terms| terms.budget == site.budget);
    match terms.and_then(|terms| terms.error_shares_max()) {
        Some((published_spam_max, rejected_ham_max)) => config::Audit { published_spam_max, rejected_ham_max, ..site.audit },
        None => site.audit,
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (done, wrong) = if self.verdict == Verdict::Publish { ("published", "spam") } else { ("rejected", "ham") };
        let Self { audits, errors, error_max, .. } = self;
        write!(
            out,
            "audits contradict the bound: of {audits} {done} that people checked {errors} were {wrong}, allowed are {:.1} %",
            100.0 * error_max
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::audit::Rates;

    const ALLOWED: config::Audit = config::Audit { rates: Rates::NONE, published_spam_max: 0.02, rejected_ham_max: 0.02 };

    fn audits(verdict: Verdict, label: Label, n: usize) -> Vec<Audit> {
        vec![Audit { verdict, label }; n]
    }

    #[test]
    fn answers_that_contradict_what_is_allowed_raise_an_alarm_of_their_kind() {
        let good = [audits(Verdict::Publish, Label::Ham, 200), audits(Verdict::Reject, Label::Spam, 200)].concat();
        assert_eq!(alarms(&good, &ALLOWED), []);
        assert_eq!(alarms(&[good.clone(), audits(Verdict::Reject, Label::Ham, 2)].concat(), &ALLOWED), []);
        let bad = [good, audits(Verdict::Reject, Label::Ham, 20)].concat();
        let told = alarms(&bad, &ALLOWED).first().map(ToString::to_string);
        assert_eq!(
            told.as_deref(),
            Some("audits contradict the bound: of 220 rejected that people checked 20 were ham, allowed are 2.0 %")
        );
        assert_eq!(alarms(&bad, &ALLOWED), [Alarm { verdict: Verdict::Reject, audits: 220, errors: 20, error_max: 0.02 }]);
    }
}
