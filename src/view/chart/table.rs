//! The data behind a chart, as a table that a screen reader reads.

use crate::view::safe::{Html, escaped};
use std::fmt::Write;

/// The first column names the row; the others are numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub caption: String,
    pub heads: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(caption: &str, heads: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self { caption: caption.to_owned(), heads: heads.iter().map(|head| (*head).to_owned()).collect(), rows }
    }

    pub fn html(&self) -> Html {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = write!(out, "<div class=\"swipe\"><table class=\"tbl\"><caption>{}</caption><thead><tr>", escaped(&self.caption));
        for (at, head) in self.heads.iter().enumerate() {
            let class = if at == 0 { "" } else { " class=\"n\"" };
            let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escaped(head));
        }
        out.push_str("</tr></thead><tbody>");
        for row in &self.rows {
            out.push_str("<tr>");
            for (at, cell) in row.iter().enumerate() {
                let cell = escaped(cell);
                let _ = if at == 0 { write!(out, "<th scope=\"row\">{cell}</th>") } else { write!(out, "<td class=\"n\">{cell}</td>") };
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table></div>");
        Html::made(out)
    }
}
