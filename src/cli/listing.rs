//! How results are printed: for people, or for programs as JSON, JSONL or CSV, by one flag that is the same for every command that lists
//! something. Also the one flag of every command that changes something: to say what it would do.

use clap::{Args, ValueEnum};
use serde_json::Value;
use std::fmt::Display;
use std::io::{self, Write};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct Output {
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// One document
    Json,
    /// One object a line
    Jsonl,
    /// A line that names the columns, then one line each
    Csv,
}

impl Output {
    /// Prints a list. `document` makes the object for programs, whose fields `columns` are those of a CSV table; `person` the lines for people.
    pub fn list<T>(
        self,
        items: &[T],
        columns: &[&str],
        document: impl Fn(&T) -> Value,
        person: impl Fn(&T) -> String,
    ) -> anyhow::Result<()> {
        let mut output = io::stdout().lock();
        match self.format {
            Format::Table => items.iter().try_for_each(|item| writeln!(output, "{}", person(item)))?,
            Format::Json => writeln!(output, "{}", serde_json::to_string_pretty(&items.iter().map(document).collect::<Value>())?)?,
            Format::Jsonl => items.iter().try_for_each(|item| writeln!(output, "{}", document(item)))?,
            Format::Csv => output.write_all(&table(columns, items.iter().map(document))?)?,
        }
        Ok(())
    }

    /// Prints one thing; as JSON it is no list.
    pub fn one<T>(self, item: &T, columns: &[&str], document: impl Fn(&T) -> Value, person: impl Fn(&T) -> String) -> anyhow::Result<()> {
        match self.format {
            Format::Json => Ok(super::say(serde_json::to_string_pretty(&document(item))?)?),
            Format::Table | Format::Jsonl | Format::Csv => self.list(std::slice::from_ref(item), columns, document, person),
        }
    }
}

/// What a spreadsheet would take for a formula (CWE-1236).
const FORMULA: [char; 5] = ['=', '+', '-', '@', '\t'];

fn table(columns: &[&str], documents: impl Iterator<Item = Value>) -> anyhow::Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(columns)?;
    for document in documents {
        table.write_record(columns.iter().map(|column| document.get(column).map(cell).unwrap_or_default()))?;
    }
    Ok(table.into_inner()?)
}

/// What is no text or number stands as JSON. Some texts are strangers'.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with(FORMULA) => format!("'{text}"),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[derive(Debug, Clone, Copy, Args)]
pub struct DryRun {
    /// Say what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl DryRun {
    /// Whether the command ends here, having said what it would do.
    pub fn ends(self, would: impl Display) -> io::Result<bool> {
        if self.dry_run {
            super::say(format_args!("would {would}"))?;
        }
        Ok(self.dry_run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_has_its_heads_without_rows_and_no_formula() {
        let written = |documents: Vec<Value>| String::from_utf8(table(&["site", "what", "n"], documents.into_iter()).unwrap()).unwrap();
        assert_eq!(written(vec![]), "site,what,n\n");
        let documents = vec![
            json!({ "site": "blog", "what": "a \"word\",\nor two", "n": 1, "left": "out" }),
            json!({ "site": "=1+1", "what": ["x"], "n": -1 }),
            json!({ "what": null }),
        ];
        assert_eq!(written(documents), "site,what,n\nblog,\"a \"\"word\"\",\nor two\",1\n'=1+1,\"[\"\"x\"\"]\",-1\n,,\n");
    }
}
