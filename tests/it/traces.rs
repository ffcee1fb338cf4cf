//! Traces by OTLP, to a collector on loopback; and what a program without them says to who asks for them.

use crate::app::{BLOG_KEY, Setup, TestApp, stranger};

#[cfg(not(feature = "opentelemetry"))]
#[tokio::test]
async fn who_asks_a_program_without_traces_for_them_is_told_so() {
    let app = TestApp::start(Setup::default().variable("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")).await;
    assert!(app.log().contains("log.no_traces") && app.log().contains("--features opentelemetry"), "{}", app.log());
    assert_eq!(app.submit(BLOG_KEY, &stranger("Does it rust?")).await.status, 200);
}

#[cfg(feature = "opentelemetry")]
mod built {
    use super::*;
    use crate::wait::until;
    use axum::Router;
    use axum::body::Bytes;
    use axum::routing::post;
    use std::sync::{Arc, Mutex};
    use tokio::net::TcpListener;

    /// A collector: every body that was posted to it.
    async fn collector() -> (String, Arc<Mutex<Vec<u8>>>) {
        let got = Arc::new(Mutex::new(Vec::new()));
        let taking = Arc::clone(&got);
        let take = post(async move |body: Bytes| taking.lock().unwrap().extend_from_slice(&body));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/traces", take)).await });
        (url, got)
    }

    fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
        bytes.windows(wanted.len()).any(|window| window == wanted)
    }

    #[tokio::test]
    async fn a_collector_gets_requests_batches_and_deliveries_and_nothing_of_a_comment() {
        let (url, got) = collector().await;
        let setup = Setup::default().variable("OTEL_EXPORTER_OTLP_ENDPOINT", &url).variable("OTEL_BSP_SCHEDULE_DELAY", "100");
        let mut app = TestApp::start(setup).await;
        // What a caller began goes on in its trace.
        let parent = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
        let answer = app.submit_with(BLOG_KEY, &parent, &stranger("A word about the secretkettle.")).await;
        app.get("/d/secrettoken").await;
        let names =
            ["POST /v1/comments", "GET /d/{token}", "judge.batch", "store.facts", "store.commit", "http.response.status_code", "hamlet"];
        let trace = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes();
        until("the collector has them", || {
            let got = got.lock().unwrap();
            let all = names.iter().all(|name| holds(&got, name.as_bytes())) && holds(&got, &trace);
            std::future::ready(all.then_some(()))
        })
        .await;
        assert!(app.stop().await);
        for secret in ["secretkettle", "secrettoken", "jane@strangers.example", "Jane", "203.0.113.9", BLOG_KEY] {
            assert!(!holds(&got.lock().unwrap(), secret.as_bytes()), "{secret}");
        }
        assert_eq!(answer.status, 200);
    }

    #[tokio::test]
    async fn without_its_collector_the_daemon_judges_says_so_and_ends() {
        let setup = Setup::default().variable("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
        let mut app = TestApp::start(setup.variable("OTEL_BSP_SCHEDULE_DELAY", "50")).await;
        assert_eq!(app.submit(BLOG_KEY, &stranger("Does it rust?")).await.status, 200);
        until("the log says so", || std::future::ready(app.log().contains("ExportError").then_some(()))).await;
        assert!(app.stop().await);
    }
}
