//! Meters: what is counted while the daemon works, for Prometheus to read. Labels are sites and words of our own, never anything that a comment
//! brought: what can take any value would fill the memory of whoever collects it. `http::metrics` shows them.

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::time::Duration;

/// What moves by itself. Clones count as one.
#[derive(Debug, Clone)]
pub struct Meters {
    judged: Family<Judged, Counter>,
    batch_seconds: Histogram,
    carried: Family<Carried, Counter>,
    models: Family<Judging, Gauge>,
}

/// What is true at the moment that somebody asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Comments in the durable queue.
    pub queued: u64,
    /// Parcels on their way, and given up.
    pub parcels: (u64, u64),
    /// Comments that wait for a person, by site.
    pub held: Vec<(String, u64)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Judged {
    site: String,
    verdict: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Carried {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Judging {
    site: String,
    model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSite {
    site: String,
}

impl Default for Meters {
    fn default() -> Self {
        // 1 ms to 8 s: a batch is a few milliseconds on a disk that obeys, and seconds on one that is ill.
        Self {
            judged: Family::default(),
            batch_seconds: Histogram::new(exponential_buckets(0.001, 2.0, 14)),
            carried: Family::default(),
            models: Family::default(),
        }
    }
}

impl Meters {
    /// A comment got its verdict, and both are written down.
    pub fn judged(&self, site: &str, verdict: &'static str) {
        self.judged.get_or_create(&Judged { site: site.to_owned(), verdict }).inc();
    }

    /// From the first look at a batch to its commit.
    pub fn batch(&self, took: Duration) {
        self.batch_seconds.observe(took.as_secs_f64());
    }

    /// An attempt to deliver a parcel ended.
    pub fn carried(&self, kind: &'static str, outcome: &'static str) {
        self.carried.get_or_create(&Carried { kind, outcome }).inc();
    }

    /// These judge now, by site; whatever did before does not.
    pub fn judging(&self, models: impl Iterator<Item = (String, String)>) {
        self.models.clear();
        models.for_each(|(site, model)| _ = self.models.get_or_create(&Judging { site, model }).set(1));
    }

    /// Everything in the OpenMetrics text format.
    pub fn page(&self, standing: &Standing) -> String {
        let mut registry = Registry::with_prefix("hamlet");
        registry.register("comments_judged", "Comments that got a verdict, by site and verdict", self.judged.clone());
        registry.register("batch_seconds", "Seconds from the first look at a batch of comments to its commit", self.batch_seconds.clone());
        registry.register("parcels_carried", "Attempts to deliver a webhook or a mail, by how they ended", self.carried.clone());
        registry.register("model", "1 for the model that judges a site's comments, by site and model", self.models.clone());
        let gauge = |registry: &mut Registry, name: &str, help: &str, value: u64| {
            let gauge: Gauge = Gauge::default();
            gauge.set(whole(value));
            registry.register(name, help, gauge);
        };
        gauge(&mut registry, "queue_comments", "Comments in the durable queue", standing.queued);
        gauge(&mut registry, "parcels_waiting", "Webhooks and mails on their way", standing.parcels.0);
        gauge(&mut registry, "parcels_dead", "Webhooks and mails that were given up", standing.parcels.1);
        let held = Family::<OfSite, Gauge>::default();
        for (site, count) in &standing.held {
            held.get_or_create(&OfSite { site: site.clone() }).set(whole(*count));
        }
        registry.register("held_comments", "Comments that wait for a person, by site", held);
        let mut page = String::new();
        // Writing into a string cannot fail.
        let _ = text::encode(&mut page, &registry);
        page
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_what_was_counted_and_what_stands() {
        let meters = Meters::default();
        meters.judged("blog", "hold");
        meters.judged("blog", "hold");
        meters.batch(Duration::from_millis(3));
        meters.carried("webhook", "retry");
        for model in ["0123456789ab", "ba9876543210"] {
            meters.judging([("blog".to_owned(), model.to_owned())].into_iter());
        }
        let standing = Standing { queued: 5, parcels: (2, 1), held: vec![("blog".to_owned(), 7)] };
        let page = meters.page(&standing);
        for line in [
            "hamlet_comments_judged_total{site=\"blog\",verdict=\"hold\"} 2",
            "hamlet_batch_seconds_bucket{le=\"0.004\"} 1",
            "hamlet_batch_seconds_bucket{le=\"0.002\"} 0",
            "hamlet_parcels_carried_total{kind=\"webhook\",outcome=\"retry\"} 1",
            "hamlet_model{site=\"blog\",model=\"ba9876543210\"} 1",
            "hamlet_queue_comments 5",
            "hamlet_parcels_waiting 2",
            "hamlet_parcels_dead 1",
            "hamlet_held_comments{site=\"blog\"} 7",
            "# EOF",
        ] {
            assert!(page.lines().any(|is| is == line), "{line}\n{page}");
        }
        assert!(!page.contains("0123456789ab"), "the model before judges no more");
    }
}
