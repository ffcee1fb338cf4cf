//! Edits: a change to the operator's settings file, text in and text out. Comments, order and layout of what is not changed stay as they
//! were. Whether the result makes sense is the check's to say, before anybody writes it.

use std::str::FromStr;
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

/// Keys whose values are text, whatever they look like: the key `123456789012` is no number.
const TEXTS: [&str; 14] = [
    "name",
    "email",
    "mode",
    "api_key",
    "api_key_file",
    "akismet_key",
    "akismet_key_file",
    "webhook_url",
    "webhook_secret",
    "webhook_secret_file",
    "webhook_secret_old",
    "webhook_secret_old_file",
    "hold",
    "thresholds",
];

/// What is to be changed.
#[derive(Debug, Clone)]
pub enum Change {
    AddSite(String, Vec<Written>),
    SetSite(String, Vec<Written>),
    /// The site, and its name in the `sites` of moderators and lists.
    RemoveSite(String),
    AddModerator(String, Vec<Written>),
}

/// A key below its table, like `rules.links_max`, and what it says from now on; none takes it out.
#[derive(Clone)]
pub struct Written {
    key: Vec<String>,
    value: Option<Value>,
}

/// Values may be secrets.
impl std::fmt::Debug for Written {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}=***", self.key.join("."))
    }
}

/// Why a text was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotEdited {
    #[error("line {line} is not TOML: {reason}")]
    NotToml { line: usize, reason: String },
    #[error("there is a [{table}.{id}] already; `set` changes it")]
    There { table: &'static str, id: String },
    #[error("there is no [{table}.{id}] in this file")]
    NotThere { table: &'static str, id: String },
    #[error("{0} is no table in this file")]
    NoTable(String),
    #[error("{0:?} is no setting; write KEY=VALUE, like rules.links_max=5")]
    NoKey(String),
}

impl Written {
    pub fn text(key: &str, value: &str) -> Self {
        Self { key: vec![key.to_owned()], value: Some(Value::from(value)) }
    }

    pub fn texts(key: &str, values: &[String]) -> Self {
        Self { key: vec![key.to_owned()], value: Some(values.iter().map(String::as_str).collect::<Value>()) }
    }

    /// # Errors
    /// [`NotEdited::NoKey`].
    pub fn unset(key: &str) -> Result<Self, NotEdited> {
        let path: Vec<String> = key.split('.').map(|part| part.trim().to_owned()).collect();
        let is_sound = |part: &String| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if path.iter().all(is_sound) { Ok(Self { key: path, value: None }) } else { Err(NotEdited::NoKey(key.to_owned())) }
    }

    pub fn is(&self, key: &str) -> bool {
        self.key.iter().map(String::as_str).eq([key])
    }
}

/// `KEY=VALUE`, where the value is TOML, and what is no TOML is text.
impl FromStr for Written {
    type Err = NotEdited;

    fn from_str(text: &str) -> Result<Self, NotEdited> {
        // What follows the key may be a secret: an error repeats the key alone.
        let (key, value) = text.split_once('=').ok_or_else(|| NotEdited::NoKey("a setting without =".to_owned()))?;
        let Self { key, .. } = Self::unset(key)?;
        let is_text = key.last().is_some_and(|last| TEXTS.contains(&last.as_str()));
        let parsed = if is_text { None } else { value.trim().parse::<Value>().ok() };
        Ok(Self { key, value: Some(parsed.unwrap_or_else(|| Value::from(value.trim()))) })
    }
}

/// The text with the change.
///
/// # Errors
/// [`NotEdited`].
pub fn edit(text: &str, change: &Change) -> Result<String, NotEdited> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        // The error's own words quote the line, and with it perhaps a secret.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        NotEdited::NotToml { line: before.matches('\n').count() + 1, reason: error.message().to_owned() }
    })?;
    match change {
        Change::AddSite(id, keys) => add(&mut document, "sites", id, keys)?,
        Change::AddModerator(id, keys) => add(&mut document, "moderators", id, keys)?,
        Change::SetSite(id, keys) => {
            let site = of(&mut document, "sites")?.get_mut(id).ok_or_else(|| NotEdited::NotThere { table: "sites", id: id.clone() })?;
            set_all(site, &format!("sites.{id}"), keys)?;
        }
        Change::RemoveSite(id) => {
            of(&mut document, "sites")?.remove(id).ok_or_else(|| NotEdited::NotThere { table: "sites", id: id.clone() })?;
            leave(&mut document, "moderators", id);
            leave(&mut document, "lists", id);
        }
    }
    Ok(document.to_string())
}

/// The table of this name, made where there is none.
fn of<'a>(document: &'a mut DocumentMut, name: &'static str) -> Result<&'a mut dyn TableLike, NotEdited> {
    let mut empty = Table::new();
    // Its own header would say nothing.
    empty.set_implicit(true);
    let item = document.entry(name).or_insert(Item::Table(empty));
    item.as_table_like_mut().ok_or_else(|| NotEdited::NoTable(name.to_owned()))
}

fn add(document: &mut DocumentMut, name: &'static str, id: &str, keys: &[Written]) -> Result<(), NotEdited> {
    let tables = of(document, name)?;
    if tables.contains_key(id) {
        return Err(NotEdited::There { table: name, id: id.to_owned() });
    }
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    let mut item = Item::Table(table);
    set_all(&mut item, &format!("{name}.{id}"), keys)?;
    tables.insert(id, item);
    Ok(())
}

fn set_all(item: &mut Item, place: &str, keys: &[Written]) -> Result<(), NotEdited> {
    keys.iter().try_for_each(|written| set(item, place, &written.key, written.value.as_ref()))
}

fn set(item: &mut Item, place: &str, key: &[String], value: Option<&Value>) -> Result<(), NotEdited> {
    let table = item.as_table_like_mut().ok_or_else(|| NotEdited::NoTable(place.to_owned()))?;
    let Some((first, rest)) = key.split_first() else { return Ok(()) };
    if !rest.is_empty() {
        if value.is_none() && !table.contains_key(first) {
            return Ok(());
        }
        let below = table.entry(first).or_insert(Item::Table(Table::new()));
        return set(below, &format!("{place}.{first}"), rest, value);
    }
    match value {
        None => _ = table.remove(first),
        Some(value) => {
            let mut value = value.clone();
            // A comment behind the old value stays behind the new one.
            if let Some(old) = table.get(first).and_then(Item::as_value) {
                *value.decor_mut() = old.decor().clone();
            }
            match table.get_mut(first) {
                Some(old) => *old = Item::Value(value),
                None => _ = table.insert(first, Item::Value(value)),
            }
        }
    }
    Ok(())
}

/// Takes a site out of the `sites` of every table below this one.
fn leave(document: &mut DocumentMut, name: &str, site: &str) {
    let Some(tables) = document.get_mut(name).and_then(Item::as_table_like_mut) else { return };
    for (_, table) in tables.iter_mut() {
        let sites = table.as_table_like_mut().and_then(|table| table.get_mut("sites")).and_then(Item::as_array_mut);
        sites.into_iter().for_each(|sites| sites.retain(|listed| listed.as_str() != Some(site)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: &str = "\
# Ours.
[sites.blog] # the first
api_key = 'an-api-key-00'
mode = \"observe\" # until March
[sites.blog.rules]
links_max = 5

# Who rules.
[moderators.ana]
name = \"Ana\"
sites = [\"blog\", \"shop\"]
";

    fn written(texts: &[&str]) -> Vec<Written> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_value_changes_and_everything_else_stays() {
        let change = Change::SetSite(
            "blog".into(),
            written(&["mode=enforce", "rules.links_max=7", "policy.reject_min=0.98", "api_key=123456789012"]),
        );
        let expected = FILE.replace("\"observe\"", "\"enforce\"").replace("= 5", "= 7").replace("'an-api-key-00'", "\"123456789012\"");
        let expected = expected.replace("\n# Who rules", "\n[sites.blog.policy]\nreject_min = 0.98\n\n# Who rules");
        assert_eq!(edit(FILE, &change).unwrap(), expected);
        let unset =
            Change::SetSite("blog".into(), vec![Written::unset("rules.links_max").unwrap(), Written::unset("policy.reject_min").unwrap()]);
        assert_eq!(edit(FILE, &unset).unwrap(), FILE.replace("links_max = 5\n", ""));
    }

    #[test]
    fn sites_come_and_go() {
        let with = edit(FILE, &Change::AddSite("shop".into(), written(&["name=Our shop", "api_key=a-second-key-0"]))).unwrap();
        assert!(with.contains("\n[sites.shop]\nname = \"Our shop\"\napi_key = \"a-second-key-0\"\n"), "{with}");
        let without = edit(&with, &Change::RemoveSite("shop".into())).unwrap();
        assert_eq!(without, FILE.replace("[\"blog\", \"shop\"]", "[\"blog\"]"));
        let first = edit("", &Change::AddSite("blog".into(), written(&["mode=observe"]))).unwrap();
        assert_eq!(first, "\n[sites.blog]\nmode = \"observe\"\n");
        let bob = Change::AddModerator("bob".into(), vec![Written::text("name", "Bob"), Written::texts("sites", &["blog".to_owned()])]);
        assert!(edit(FILE, &bob).unwrap().ends_with("\n[moderators.bob]\nname = \"Bob\"\nsites = [\"blog\"]\n"));
    }

    #[test]
    fn what_cannot_be_changed_is_named_and_secrets_are_not() {
        let check = |text: &str, change: Change, expected: &str| assert_eq!(edit(text, &change).unwrap_err().to_string(), expected);
        check(FILE, Change::AddSite("blog".into(), vec![]), "there is a [sites.blog] already; `set` changes it");
        check(FILE, Change::SetSite("shop".into(), vec![]), "there is no [sites.shop] in this file");
        check(FILE, Change::RemoveSite("shop".into()), "there is no [sites.shop] in this file");
        check("sites = 1", Change::AddSite("blog".into(), vec![]), "sites is no table in this file");
        let NotEdited::NotToml { line, reason } = edit("a = 1\nb = 'hush", &Change::RemoveSite("x".into())).unwrap_err() else { panic!() };
        assert!(line == 2 && !reason.contains("hush"), "{line}: {reason}");
        assert!(!format!("{:?}", written(&["api_key=hush-hush-hush"])).contains("hush"));
        assert!("api_key hush".parse::<Written>().is_err_and(|error| !error.to_string().contains("hush")));
    }

    proptest! {
        #[test]
        fn any_text_is_edited_or_refused(text in "[\\[\\]a-c.={}\"' \n#1,]{0,40}", id in "[a-c.\"\\]]{1,3}") {
            for change in [Change::AddSite(id.clone(), written(&["a.b=1"])), Change::SetSite(id.clone(), written(&["a.b=1"])), Change::RemoveSite(id)] {
                if let Ok(edited) = edit(&text, &change) {
                    prop_assert!(edited.parse::<DocumentMut>().is_ok(), "{edited}");
                }
            }
        }
    }
}
