//! Which settings are in force, and which layer each comes from: the defaults, the operator's file or the environment. No secret is shown.

use super::problem::{Invalid, Problem};
use super::secret::HIDDEN;
use super::settings::{DEFAULTS, not_toml, read};
use ::config::{Config, Environment, File, FileFormat, Source, Value, ValueKind};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A layer; a later one has the last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Defaults,
    File,
    Environment,
}

impl Origin {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Defaults => "default",
            Self::File => "file",
            Self::Environment => "environment",
        }
    }
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub key: String,
    /// As TOML has it; a secret as `***`.
    pub value: String,
    pub origin: Origin,
}

impl Setting {
    fn is_secret(&self) -> bool {
        self.value == HIDDEN
    }

    /// The file that holds a secret, where this names one.
    pub fn secret_file(&self) -> Option<PathBuf> {
        let is_of_secret = self.key.strip_suffix("_file").is_some_and(names_a_secret);
        let path = self.value.trim_matches('"');
        (is_of_secret && !path.is_empty()).then(|| PathBuf::from(path))
    }

    /// Whether the operator's file itself holds a secret by it.
    pub fn is_secret_of_file(&self) -> bool {
        self.is_secret() && self.origin == Origin::File
    }
}

/// Every setting in force, by its key.
///
/// # Errors
/// [`Invalid`] for a file that cannot be read or is no TOML. Whether a value makes sense is not asked here.
pub fn settings(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Vec<Setting>, Invalid> {
    let place = file.map_or_else(|| "the settings".to_owned(), |file| file.display().to_string());
    let text = file.map(read).transpose()?.unwrap_or_default();
    let variables = Environment::with_prefix("HAMLET").prefix_separator("__").separator("__").source(Some(environment.collect()));
    let layers = [
        (Origin::Defaults, flat(File::from_str(DEFAULTS, FileFormat::Toml), &place)?),
        (Origin::File, flat(File::from_str(&text, FileFormat::Toml), &place)?),
        (Origin::Environment, flat(variables, &place)?),
    ];
    let mut settings = BTreeMap::new();
    for (origin, layer) in layers {
        settings.extend(layer.into_iter().map(|(key, value)| (key.clone(), Setting { key, value, origin })));
    }
    Ok(settings.into_values().collect())
}

fn flat(source: impl Source + Send + Sync + 'static, place: &str) -> Result<BTreeMap<String, String>, Problem> {
    let collected = Config::builder().add_source(source).build().and_then(|config| config.collect());
    let mut settings = BTreeMap::new();
    for (key, value) in collected.map_err(|error| not_toml(&error, place))? {
        spread(key, &value, &mut settings);
    }
    Ok(settings)
}

fn spread(key: String, value: &Value, settings: &mut BTreeMap<String, String>) {
    if let ValueKind::Table(table) = &value.kind {
        for (name, value) in table {
            spread(format!("{key}.{name}"), value, settings);
        }
        return;
    }
    let shown = written(value);
    let is_set = !matches!(&value.kind, ValueKind::String(text) if text.is_empty());
    let hides = is_set && (names_a_secret(&key) || holds_a_login(&shown));
    settings.insert(key, if hides { HIDDEN.to_owned() } else { shown });
}

fn written(value: &Value) -> String {
    match &value.kind {
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Array(values) => format!("[{}]", values.iter().map(written).collect::<Vec<_>>().join(", ")),
        ValueKind::Nil
        | ValueKind::Boolean(_)
        | ValueKind::I64(_)
        | ValueKind::I128(_)
        | ValueKind::U64(_)
        | ValueKind::U128(_)
        | ValueKind::Float(_)
        | ValueKind::Table(_) => value.to_string(),
    }
}

/// By the last part of a key. A zone of a DNS list may hold a key that the admin pays for.
fn names_a_secret(key: &str) -> bool {
    let name = key.rsplit('.').next().unwrap_or(key);
    let name = name.trim_end_matches("_old");
    ["key", "secret", "password", "zone"].iter().any(|word| name.ends_with(word))
}

/// `https://name:password@host`.
fn holds_a_login(value: &str) -> bool {
    value.split_once("://").and_then(|(_, rest)| rest.split('/').next()).is_some_and(|authority| authority.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, variables: &[(&str, &str)]) -> Vec<Setting> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hamlet.toml");
        std::fs::write(&file, text).unwrap();
        settings(Some(&file), variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).unwrap()
    }

    #[test]
    fn the_last_layer_that_speaks_of_a_setting_is_named() {
        let text =
            "[mail]\nfrom = 'a@blog.example'\n[sites.blog]\napi_key_file = '/run/key'\nwebhook_url = 'https://me:pw@blog.example/x'\n";
        let settings = shown(text, &[("HAMLET__SITES__BLOG__API_KEY", "hunter2"), ("HAMLET__DATA__DIR", "/srv")]);
        let check = |key: &str, value: &str, origin: &str| {
            let found = settings.iter().find(|setting| setting.key == key).unwrap();
            assert_eq!((found.value.as_str(), found.origin.as_str()), (value, origin), "{key}");
        };
        check("mail.from", "\"a@blog.example\"", "file");
        check("mail.transport", "\"none\"", "default");
        check("data.dir", "\"/srv\"", "environment");
        check("sites.blog.api_key", HIDDEN, "environment");
        check("sites.blog.webhook_url", HIDDEN, "file");
        check("mail.smtp.password", "\"\"", "default");
        let files: Vec<PathBuf> = settings.iter().filter_map(Setting::secret_file).collect();
        assert_eq!(files, [PathBuf::from("/run/key")]);
        assert!(settings.iter().filter(|setting| setting.is_secret_of_file()).count() == 1, "the URL");
    }

    /// A secret that is added to the settings is hidden here too.
    #[test]
    fn every_secret_is_known_by_its_name() {
        let sources = [include_str!("settings.rs"), include_str!("dns.rs")];
        let fields =
            sources.iter().flat_map(|source| source.lines()).filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(": Secret"));
        let names: Vec<&str> = fields.map(|(name, _)| name).collect();
        assert!(names.len() > 3, "{names:?}");
        for name in names {
            assert!(names_a_secret(&format!("sites.blog.{name}")), "{name}");
        }
    }
}
