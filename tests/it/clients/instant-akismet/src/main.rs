//! The crate instant-akismet speaks to KEY.HOST; both names are pointed at the daemon under test.

use instant_akismet::{AkismetClient, AkismetOptions, CheckResult, Comment, CommentType, Error};
use std::net::SocketAddr;

const BLOG: &str = "https://blog.example";
const HOST: &str = "hamlet.test";
const WRONG_KEY: &str = "wrongwrong00";

fn client(address: SocketAddr, key: &str) -> AkismetClient {
    let names = [HOST.to_owned(), format!("{key}.{HOST}")];
    let builder = names.iter().fold(reqwest::Client::builder().no_proxy(), |builder, name| builder.resolve(name, address));
    let options = AkismetOptions { host: format!("{HOST}:{}", address.port()), protocol: "http".to_owned(), ..AkismetOptions::default() };
    AkismetClient::new(BLOG.to_owned(), key.to_owned(), builder.build().unwrap(), options)
}

/// What this client sends most of: its times are seconds since 1970.
fn ann() -> Comment<'static> {
    let comment = Comment::new(BLOG, "192.0.2.1").comment_type(CommentType::Comment).comment_author("Ann Lee");
    let comment = comment.comment_author_email("ann@example.org").comment_date(chrono::Utc::now()).blog_charset("UTF-8");
    comment.comment_content("The kettle sings before it boils, sent by instant-akismet.")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let told = |name: &str| std::env::var(name).unwrap();
    let address = told("HAMLET_URL").trim_start_matches("http://").parse().unwrap();
    let akismet = client(address, &told("AKISMET_KEY"));
    akismet.verify_key().await.unwrap();
    assert_eq!(akismet.check_comment(ann()).await.unwrap(), CheckResult::Ham);
    let spam = ann().comment_author("akismet-guaranteed-spam");
    assert_eq!(akismet.check_comment(spam).await.unwrap(), CheckResult::Spam);
    let test = Comment::new(BLOG, "192.0.2.1").user_role("administrator").is_test(true);
    assert_eq!(akismet.check_comment(test).await.unwrap(), CheckResult::Ham);
    akismet.submit_spam(ann()).await.unwrap();
    akismet.submit_ham(ann()).await.unwrap();
    let stranger = client(address, WRONG_KEY);
    assert!(matches!(stranger.verify_key().await, Err(Error::Invalid(_))));
    assert!(matches!(stranger.check_comment(ann()).await, Err(Error::Invalid(_))));
}
