//! The span that a request is told under: its id, before every line that the log has of it. Where traces are built in it also has method, route
//! (never the path, which may hold a token) and status, and goes on with the trace that the caller began (W3C Trace Context).

pub use built::{answered, of};

#[cfg(not(feature = "opentelemetry"))]
mod built {
    use axum::extract::Request;
    use axum::http::StatusCode;
    use tracing::Span;

    pub fn of(id: &str, _: &Request) -> Span {
        tracing::error_span!("request", request.id = id)
    }

    pub fn answered(_: &Span, _: StatusCode) {}
}

#[cfg(feature = "opentelemetry")]
mod built {
    use axum::extract::{MatchedPath, Request};
    use axum::http::{HeaderMap, HeaderName, StatusCode};
    use opentelemetry::propagation::{Extractor, TextMapPropagator};
    use opentelemetry_sdk::propagation::TraceContextPropagator;
    use tracing::Span;
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    pub fn of(id: &str, request: &Request) -> Span {
        let route = request.extensions().get::<MatchedPath>().map_or("no route", MatchedPath::as_str);
        let name = format!("{} {route}", request.method());
        let span = tracing::error_span!("request", request.id = id, otel.name = name, otel.kind = "server");
        // Where nobody traces, neither has an effect.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&Headers(request.headers())));
        span.set_attribute("http.request.method", request.method().to_string());
        span.set_attribute("http.route", route.to_owned());
        span
    }

    pub fn answered(span: &Span, status: StatusCode) {
        span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
    }

    struct Headers<'a>(&'a HeaderMap);

    impl Extractor for Headers<'_> {
        fn get(&self, name: &str) -> Option<&str> {
            self.0.get(name).and_then(|value| value.to_str().ok())
        }

        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(HeaderName::as_str).collect()
        }
    }
}
