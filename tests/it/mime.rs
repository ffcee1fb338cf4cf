//! Mail as a mail program reads it: headers unfolded and decoded, the text and HTML parts decoded.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

#[derive(Debug, Clone)]
pub struct Mail {
    /// As they stand on the wire, folded lines joined.
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub html: String,
}

impl Mail {
    pub fn read(raw: &str) -> Self {
        let (headers, body) = split(raw);
        let kind = find(&headers, "content-type");
        let boundary = kind.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a boundary");
        let mut mail = Self { headers, text: String::new(), html: String::new() };
        for part in body.split(&format!("--{boundary}")).skip(1) {
            let (headers, body) = split(part.trim_start_matches("\r\n"));
            let decoded = decode(&find(&headers, "content-transfer-encoding"), body);
            match find(&headers, "content-type").split(';').next().unwrap_or_default() {
                "text/plain" => mail.text = decoded,
                "text/html" => mail.html = decoded,
                _ => {}
            }
        }
        mail
    }

    /// A header, with its encoded words decoded.
    pub fn header(&self, name: &str) -> String {
        let raw = find(&self.headers, name);
        let mut decoded = String::new();
        let mut rest = raw.as_str();
        while let Some((before, after)) = rest.split_once("=?utf-8?b?") {
            let (word, after) = after.split_once("?=").expect("an encoded word ends");
            if !before.trim().is_empty() || decoded.is_empty() {
                decoded.push_str(before);
            }
            decoded.push_str(&String::from_utf8(STANDARD.decode(word).unwrap()).unwrap());
            rest = after;
        }
        decoded + rest
    }

    /// The review link without an item: the one of the whole mail.
    pub fn link(&self, base: &str) -> String {
        let start = self.text.find(&format!("{base}/d/")).unwrap_or_else(|| panic!("no link to {base} in {}", self.text));
        self.text[start..].split(|c: char| c.is_whitespace() || c == '?').next().unwrap().to_owned()
    }
}

fn split(raw: &str) -> (Vec<(String, String)>, &str) {
    let (head, body) = raw.split_once("\r\n\r\n").unwrap_or((raw, ""));
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let headers = unfolded.lines().filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    (headers.collect(), body)
}

fn find(headers: &[(String, String)], name: &str) -> String {
    headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone()).unwrap_or_default()
}

fn decode(encoding: &str, body: &str) -> String {
    match encoding {
        "base64" => String::from_utf8(STANDARD.decode(body.split_whitespace().collect::<String>()).unwrap()).unwrap(),
        "quoted-printable" => quoted_printable(body),
        _ => body.to_owned(),
    }
}

fn quoted_printable(body: &str) -> String {
    let joined = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'=' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
