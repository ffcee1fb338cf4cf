//! Traces of requests, batches and deliveries, handed to a collector by OTLP over HTTP, as the variables that OpenTelemetry's specification
//! names say (`OTEL_EXPORTER_OTLP_ENDPOINT` and its kin). They are built in by the feature `opentelemetry` alone; without it this file only says
//! so to who asks for them. A collector that is down costs traces and nothing else.

pub use built::Traces;

use super::Environment;

/// Where a collector is; the first that is set counts.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Whether anybody asks for traces.
fn are_wanted(environment: &Environment) -> bool {
    let is = |wanted: &str, value: &str| environment.iter().any(|(name, given)| name == wanted && given.eq_ignore_ascii_case(value));
    let names_endpoint = environment.iter().any(|(name, value)| ENDPOINTS.contains(&name.as_str()) && !value.is_empty());
    names_endpoint && !is("OTEL_SDK_DISABLED", "true") && !is("OTEL_TRACES_EXPORTER", "none")
}

#[cfg(not(feature = "opentelemetry"))]
mod built {
    use super::{Environment, are_wanted};
    use tracing_subscriber::layer::Identity;

    /// Nothing: this program was built without traces.
    pub enum Traces {}

    impl Traces {
        /// # Errors
        /// When traces are asked for.
        pub fn start(environment: &Environment) -> Result<Option<Self>, String> {
            if are_wanted(environment) {
                return Err("a collector is named, and this program was built without `--features opentelemetry`".to_owned());
            }
            Ok(None)
        }

        pub fn layer(&self) -> Identity {
            match *self {}
        }
    }
}

#[cfg(feature = "opentelemetry")]
mod built {
    use super::{Environment, are_wanted};
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use std::time::Duration;
    use tracing::Subscriber;
    use tracing::level_filters::LevelFilter;
    use tracing_subscriber::Layer;
    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::registry::LookupSpan;

    /// A daemon that was told to stop does not wait longer for a collector.
    const LAST_TRACES_MAX: Duration = Duration::from_secs(3);

    /// The way to the collector, with a thread of its own.
    pub struct Traces(SdkTracerProvider);

    impl Traces {
        /// None where nobody asks for them. Sampling and limits are read from the environment by the SDK.
        ///
        /// # Errors
        /// When the way to the collector cannot be set up, and why.
        pub fn start(environment: &Environment) -> Result<Option<Self>, String> {
            if !are_wanted(environment) {
                return Ok(None);
            }
            let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary).build();
            let exporter = exporter.map_err(|error| error.to_string())?;
            let named = environment.iter().any(|(name, _)| name == "OTEL_SERVICE_NAME");
            let resource = if named { Resource::builder() } else { Resource::builder().with_service_name("hamlet") };
            Ok(Some(Self(SdkTracerProvider::builder().with_resource(resource.build()).with_batch_exporter(exporter).build())))
        }

        /// Of our own rooms only: the exporter itself speaks HTTP, and must not be traced for it.
        pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
            let layer = tracing_opentelemetry::layer().with_tracer(self.0.tracer("hamlet")).with_location(false).with_threads(false);
            layer.with_filter(Targets::new().with_target("hamlet", LevelFilter::DEBUG))
        }
    }

    impl Drop for Traces {
        fn drop(&mut self) {
            // Whatever stands in the way of the last ones was told by the exporter.
            let _ = self.0.shutdown_with_timeout(LAST_TRACES_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_wanted_where_a_collector_is_named_and_nobody_said_no() {
        let check = |variables: &[(&str, &str)], wanted: bool| {
            let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(are_wanted(&environment), wanted, "{variables:?}");
        };
        let (all, traces) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        check(&[], false);
        check(&[(all, "")], false);
        check(&[(all, "http://127.0.0.1:4318")], true);
        check(&[(traces, "http://127.0.0.1:4318/v1/traces")], true);
        check(&[(all, "http://127.0.0.1:4318"), ("OTEL_SDK_DISABLED", "True")], false);
        check(&[(all, "http://127.0.0.1:4318"), ("OTEL_TRACES_EXPORTER", "none")], false);
    }
}
