//! Callbacks: what Akismet's own servers post to a blog whose comment they think otherwise of by now. The shape is what the WordPress
//! plugin reads since 5.4: the key that says who calls, the call that the word corrects, and comments by the `guid` of their first answer.
//! Who is called and when is `flow::tell`'s; how a post leaves is the webhook's carrier's.

use super::webhook::Carrier;
use crate::clock::Timestamp;
use crate::config::Site;
use crate::delivery::{Callback, Outcome};
use serde_json::json;

impl Carrier {
    pub async fn call_back(&self, site: &Site, callback: &Callback, now: Timestamp) -> Outcome {
        let Some(key) = &site.akismet_key else { return Outcome::GiveUp { reason: "the site speaks no Akismet any more".to_owned() } };
        let result = if callback.is_spam { "true" } else { "false" };
        let comment = json!({ "guid": callback.comment.to_string(), "result": result });
        let body = json!({ "key": key.text(), "endpoint": "comment-check", "comments": [comment] });
        self.post(&site.reach, &callback.url, &[], body.to_string(), now).await
    }
}
