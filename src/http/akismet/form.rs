//! Forms as browsers and Akismet's clients send them: urlencoded or multipart, in whatever charset they declare. Bytes in, named texts
//! out; total on any bytes and linear in their number. What the names mean is told in `comment`.

use encoding_rs::{Encoding, UTF_8};
use memchr::memmem;
use percent_encoding::percent_decode;
use std::borrow::Cow;

/// WordPress sends a hundred with all its server variables; PHP, which most forms are written for, drops what comes after a thousand.
pub const FIELDS_MAX: usize = 1_000;

/// RFC 2046, 5.1.1.
const BOUNDARY_BYTES_MAX: usize = 70;

/// The fields of a form in their order. Of several under one name the last counts, as for PHP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

/// Why bytes are no form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("the content type is no form; send application/x-www-form-urlencoded or multipart/form-data")]
    NoForm,
    #[error("the charset is unknown, and the text is no UTF-8; send UTF-8")]
    Charset,
    #[error("the multipart form has no boundary, or one of more than {BOUNDARY_BYTES_MAX} bytes")]
    Boundary,
    #[error("a part of the multipart form is encoded; send its bytes as they are")]
    Encoded,
    #[error("the multipart form was cut off")]
    CutOff,
    #[error("the form has more than {FIELDS_MAX} fields")]
    TooManyFields,
}

/// A field before its charset is known.
struct Raw<'a> {
    name: Cow<'a, [u8]>,
    value: Cow<'a, [u8]>,
    charset: Option<&'a str>,
}

impl Form {
    /// Reads a body. Without a content type it is taken for urlencoded.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn parse(content_type: Option<&str>, body: &[u8]) -> Result<Self, Unreadable> {
        let content_type = content_type.unwrap_or(URLENCODED);
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let fields = if essence.eq_ignore_ascii_case(URLENCODED) {
            urlencoded(body)?
        } else if essence.eq_ignore_ascii_case("multipart/form-data") {
            multipart(body, parameter(content_type, "boundary").unwrap_or_default())?
        } else {
            return Err(Unreadable::NoForm);
        };
        Self::decode(&fields, parameter(content_type, "charset"))
    }

    /// Reads the query of a URL, which is UTF-8.
    ///
    /// # Errors
    /// [`Unreadable::TooManyFields`].
    pub fn of_query(query: &str) -> Result<Self, Unreadable> {
        Self::decode(&urlencoded(query.as_bytes())?, None)
    }

    /// What the request declares holds. `blog_charset` is only asked where it declares nothing and the bytes are no UTF-8: clients repeat
    /// there what the blog is set to, whatever they send.
    fn decode(fields: &[Raw<'_>], declared: Option<&str>) -> Result<Self, Unreadable> {
        let blog = fields.iter().rev().find(|field| *field.name == *b"blog_charset").map(|field| String::from_utf8_lossy(&field.value));
        let decode = |bytes: &[u8], of_part: Option<&str>| match (of_part.or(declared), std::str::from_utf8(bytes)) {
            (None, Ok(text)) => Ok(text.to_owned()),
            (None, Err(_)) => {
                Ok(encoding(blog.as_deref().unwrap_or_default()).unwrap_or(UTF_8).decode_without_bom_handling(bytes).0.into())
            }
            (Some(label), text) => match (encoding(label), text) {
                (Some(encoding), _) => Ok(encoding.decode_without_bom_handling(bytes).0.into_owned()),
                (None, Ok(text)) => Ok(text.to_owned()),
                (None, Err(_)) => Err(Unreadable::Charset),
            },
        };
        let field = |field: &Raw<'_>| Ok((decode(&field.name, field.charset)?, decode(&field.value, field.charset)?));
        Ok(Self(fields.iter().map(field).collect::<Result<_, _>>()?))
    }

    /// The text under a name; none where it is not there or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.written(name).filter(|value| !value.is_empty())
    }

    /// The text under a name, be it empty.
    pub fn written(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The texts of a list as PHP and its imitators write one: `name`, `name[]`, `name[0]`.
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let is_of_list = move |found: &str| found.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('['));
        self.0.iter().filter(move |(found, value)| is_of_list(found) && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}

const URLENCODED: &str = "application/x-www-form-urlencoded";

/// Forms are sent in UTF-8 by pages in UTF-16, and a charset that stands for nothing decodable is none (WHATWG Encoding, 4.3).
fn encoding(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label_no_replacement(label.as_bytes()).map(Encoding::output_encoding)
}

/// A parameter of a header such as `multipart/form-data; boundary="x"`.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let mut parameters = header.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let value = parameters.find(|(found, _)| found.trim().eq_ignore_ascii_case(name))?.1.trim();
    Some(value.strip_prefix('"').map_or(value, |quoted| quoted.split('"').next().unwrap_or_default()))
}

fn urlencoded(body: &[u8]) -> Result<Vec<Raw<'_>>, Unreadable> {
    let mut fields = Vec::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if fields.len() == FIELDS_MAX {
            return Err(Unreadable::TooManyFields);
        }
        let at = memchr::memchr(b'=', pair).unwrap_or(pair.len());
        let (name, value) = pair.split_at(at);
        fields.push(Raw { name: unescaped(name), value: unescaped(value.strip_prefix(b"=").unwrap_or(value)), charset: None });
    }
    Ok(fields)
}

/// `+` is a space and `%41` an A; a percent sign that begins no such escape stays.
fn unescaped(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'+', b'%', bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Cow::Owned(percent_decode(&spaced).collect())
}

/// The parts of a multipart form (RFC 7578) that are fields; files are left out.
fn multipart<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Raw<'a>>, Unreadable> {
    if boundary.is_empty() || boundary.len() > BOUNDARY_BYTES_MAX {
        return Err(Unreadable::Boundary);
    }
    let delimiter = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(&delimiter);
    let mut rest = match body.strip_prefix(delimiter.trim_start().as_bytes()) {
        Some(rest) => rest,
        None => split_once(body, &finder).ok_or(Unreadable::CutOff)?.1,
    };
    let mut fields = Vec::new();
    for parts in 0.. {
        if rest.starts_with(b"--") {
            break;
        }
        if parts == FIELDS_MAX {
            return Err(Unreadable::TooManyFields);
        }
        let (part, after) = split_once(rest, &finder).ok_or(Unreadable::CutOff)?;
        fields.extend(part_field(part)?);
        rest = after;
    }
    Ok(fields)
}

/// The field that a part holds; none for a file, or for what has no name.
fn part_field(part: &[u8]) -> Result<Option<Raw<'_>>, Unreadable> {
    let (head, value) = split_once(part, &memmem::Finder::new("\r\n\r\n")).ok_or(Unreadable::CutOff)?;
    let (mut name, mut charset) = (None, None);
    for line in head.split(|byte| *byte == b'\n') {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (header, content) = line.split_at(colon);
        let content = content.strip_prefix(b":").unwrap_or(content).trim_ascii();
        match header.trim_ascii().to_ascii_lowercase().as_slice() {
            b"content-disposition" => name = field_name(content),
            b"content-type" => charset = std::str::from_utf8(content).ok().and_then(|content| parameter(content, "charset")),
            b"content-transfer-encoding" if is_encoded(content) => return Err(Unreadable::Encoded),
            _ => {}
        }
    }
    Ok(name.map(|name| Raw { name: Cow::Borrowed(name), value: Cow::Borrowed(value), charset }))
}

fn is_encoded(content: &[u8]) -> bool {
    ![b"7bit".as_slice(), b"8bit", b"binary"].iter().any(|plain| content.eq_ignore_ascii_case(plain))
}

/// The name in `form-data; name="x"`, as bytes of the form's charset; none for a file.
fn field_name(disposition: &[u8]) -> Option<&[u8]> {
    let mut parameters = disposition.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    if parameters.clone().any(|parameter| parameter.starts_with(b"filename")) {
        return None;
    }
    let name = parameters.find_map(|parameter| parameter.strip_prefix(b"name="))?;
    Some(name.strip_prefix(b"\"").map_or(name, |quoted| quoted.split(|byte| *byte == b'"').next().unwrap_or_default()))
}

fn split_once<'a>(bytes: &'a [u8], at: &memmem::Finder<'_>) -> Option<(&'a [u8], &'a [u8])> {
    let found = at.find(bytes)?;
    Some((bytes.get(..found)?, bytes.get(found + at.needle().len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(content_type: &str, body: &[u8]) -> Result<Vec<(String, String)>, Unreadable> {
        Form::parse(Some(content_type), body).map(|form| form.0)
    }

    fn check(content_type: &str, body: &[u8], expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(parse(content_type, body), Ok(expected), "{content_type} {}", String::from_utf8_lossy(body));
    }

    fn refuse(content_type: &str, body: &[u8], expected: Unreadable) {
        assert_eq!(parse(content_type, body), Err(expected), "{content_type} {}", String::from_utf8_lossy(body));
    }

    #[test]
    fn urlencoded_fields_come_out_as_they_were_typed() {
        check(
            URLENCODED,
            b"a=1&b=x+y%21&&c&=d&e=%zz%4&f=1=2",
            &[("a", "1"), ("b", "x y!"), ("c", ""), ("", "d"), ("e", "%zz%4"), ("f", "1=2")],
        );
        check("Application/X-WWW-Form-URLencoded ; Charset=\"utf-8\"", b"a=%C3%A9", &[("a", "é")]);
        check(URLENCODED, b"", &[]);
        assert_eq!(Form::parse(None, b"a=1").unwrap().get("a"), Some("1"));
        assert_eq!(Form::of_query("a=b&c=%C3%A9").unwrap().get("c"), Some("é"));
    }

    #[test]
    fn a_declared_charset_is_decoded() {
        check("application/x-www-form-urlencoded; charset=ISO-8859-1", b"a=%E9+%80", &[("a", "é €")]);
        check("application/x-www-form-urlencoded; charset=windows-1251", b"a=%CF%F0%E8", &[("a", "При")]);
        check("application/x-www-form-urlencoded; charset=Shift_JIS", b"a=%83n%83%80", &[("a", "ハム")]);
        check("application/x-www-form-urlencoded; charset=utf-16le", b"a=%C3%A9", &[("a", "é")]);
        check(URLENCODED, b"a=%E9&blog_charset=latin1", &[("a", "é"), ("blog_charset", "latin1")]);
        check(URLENCODED, b"a=%C3%A9&blog_charset=latin1", &[("a", "é"), ("blog_charset", "latin1")]);
        check(URLENCODED, b"a=%E9%00", &[("a", "\u{fffd}\0")]);
        check("application/x-www-form-urlencoded; charset=nonsense", b"a=%C3%A9", &[("a", "é")]);
        refuse("application/x-www-form-urlencoded; charset=nonsense", b"a=%E9", Unreadable::Charset);
        refuse("application/x-www-form-urlencoded; charset=hz-gb-2312", b"a=%E9", Unreadable::Charset);
    }

    #[test]
    fn the_last_of_a_name_counts_and_lists_are_told_apart() {
        let form = Form::parse(None, b"a=1&a=2&b=&c[]=x&c[1]=y&c=z&cd=no&c[]=").unwrap();
        assert_eq!((form.get("a"), form.get("b"), form.written("b"), form.get("d")), (Some("2"), None, Some(""), None));
        assert_eq!(form.list("c").collect::<Vec<_>>(), ["x", "y", "z"]);
    }

    const MULTIPART: &str = "multipart/form-data; boundary=\"b-1\"";

    #[test]
    fn multipart_fields_come_out_and_files_do_not() {
        let body = b"preamble\r\n--b-1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--b-\r\ntwo\r\n--b-1\r\n\
            content-disposition: form-data; filename=\"x\"; name=\"file\"\r\n\r\nbytes\r\n--b-1\r\n\
            Content-Disposition: form-data; name=c\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xe9\r\n--b-1--\r\nepilogue";
        check(MULTIPART, body, &[("a", "one\r\n--b-\r\ntwo"), ("c", "é")]);
        check(MULTIPART, b"--b-1--", &[]);
        check(MULTIPART, b"--b-1\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n\r\n--b-1--", &[("", "")]);
    }

    #[test]
    fn what_is_no_form_is_named() {
        refuse("application/json", b"{}", Unreadable::NoForm);
        refuse("", b"a=1", Unreadable::NoForm);
        refuse("multipart/form-data", b"--b-1--", Unreadable::Boundary);
        refuse(&format!("multipart/form-data; boundary={}", "b".repeat(71)), b"", Unreadable::Boundary);
        refuse(MULTIPART, b"", Unreadable::CutOff);
        refuse(MULTIPART, b"--b-1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none", Unreadable::CutOff);
        refuse(MULTIPART, b"--b-1\r\nContent-Disposition: form-data; name=\"a\"\r\n--b-1--", Unreadable::CutOff);
        let base64 = b"--b-1\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--b-1--";
        refuse(MULTIPART, base64, Unreadable::Encoded);
        assert_eq!(parse(URLENCODED, "a&".repeat(FIELDS_MAX).as_bytes()).unwrap().len(), FIELDS_MAX);
        refuse(URLENCODED, "a&".repeat(FIELDS_MAX + 1).as_bytes(), Unreadable::TooManyFields);
        let part = "\r\n\r\n\r\n--b-1";
        refuse(MULTIPART, format!("--b-1{}--", part.repeat(FIELDS_MAX + 1)).as_bytes(), Unreadable::TooManyFields);
    }

    proptest! {
        #[test]
        fn fields_of_any_text_come_through_both_ways(fields in proptest::collection::vec(("[a-z\\[\\]]{0,8}", "\\PC{0,20}"), 0..8)) {
            let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
            let urlencoded: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
            let part = |(name, value): &(String, String)| format!("--b-1\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            let parts: String = fields.iter().map(part).collect();
            prop_assert_eq!(&parse(URLENCODED, urlencoded.join("&").as_bytes()).unwrap(), &fields);
            prop_assert_eq!(&parse(MULTIPART, format!("{parts}--b-1--\r\n").as_bytes()).unwrap(), &fields);
        }

        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..300), label in "\\PC{0,12}") {
            let _ = parse(&format!("{URLENCODED}; charset={label}"), &body);
            let mut cut = b"--b-1\r\nContent-Disposition: form-data; name=\"".to_vec();
            cut.extend(&body);
            let _ = parse(&format!("multipart/form-data; boundary=b-1; charset={label}"), &cut);
        }
    }
}
