//! A WordPress database's comment tables: a dump of `mysqldump` or phpMyAdmin, or the table that `mysql --batch` prints. Other than an export,
//! they hold spam; whether a person called it so stands in `commentmeta`, which dumps have before the comments.

use super::wordpress::{Row, Said};
use super::{Broken, Found, Reason, Skipped, Take, lines, sql};
use std::collections::HashMap;
use std::io::BufRead;
use std::ops::ControlFlow;

/// Comments of which it is held what Akismet's plugin noted, some 30 bytes each; beyond this, spam counts as a machine's.
const NOTED_MAX: usize = 2_000_000;

/// The columns of a table in WordPress's own order, for statements that name none.
const COMMENTS: [&str; 15] = [
    "comment_ID",
    "comment_post_ID",
    "comment_author",
    "comment_author_email",
    "comment_author_url",
    "comment_author_IP",
    "comment_date",
    "comment_date_gmt",
    "comment_content",
    "comment_karma",
    "comment_approved",
    "comment_agent",
    "comment_type",
    "comment_parent",
    "user_id",
];
const META: [&str; 4] = ["meta_id", "comment_id", "meta_key", "meta_value"];

pub fn read(mut input: impl BufRead, take: &mut Take<'_>) -> Result<(), Broken> {
    let start = input.fill_buf().map_err(|error| Broken { line: 1, reason: error.to_string() })?;
    if start.starts_with(b"comment_ID\t") {
        return read_batch(input, take);
    }
    let mut noted: HashMap<Vec<u8>, Said> = HashMap::new();
    sql::rows(input, &mut |line, table, columns, row| {
        if table.ends_with("commentmeta") {
            note(&mut noted, columns, row);
            ControlFlow::Continue(())
        } else if table.ends_with("comments") {
            take(line, comment(columns, row, &noted))
        } else {
            ControlFlow::Continue(())
        }
    })
}

fn read_batch(input: impl BufRead, take: &mut Take<'_>) -> Result<(), Broken> {
    let (mut columns, noted) = (Vec::new(), HashMap::new());
    lines::each(input, &mut |number, line| {
        let line = match line {
            Ok(line) => line,
            Err(skipped) => return take(number, Err(skipped)),
        };
        let values = line.split(|byte| *byte == b'\t');
        if number == 1 {
            columns = values.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
            return ControlFlow::Continue(());
        }
        let row: Vec<_> = values.map(sql::batch_value).collect();
        take(number, comment(&columns, &row, &noted))
    })
}

fn value<'a>(row: &'a [sql::Value], columns: &[String], own: &[&str], name: &str) -> Option<&'a [u8]> {
    let named = columns.iter().position(|column| column == name);
    let at = if columns.is_empty() { own.iter().position(|column| *column == name) } else { named };
    row.get(at?)?.as_deref()
}

fn note(noted: &mut HashMap<Vec<u8>, Said>, columns: &[String], row: &[sql::Value]) {
    let text = |name| value(row, columns, &META, name);
    let (Some(id), Some(key), Some(said)) = (text("comment_id"), text("meta_key"), text("meta_value")) else { return };
    if key.starts_with(b"akismet_") && (noted.len() < NOTED_MAX || noted.contains_key(id)) {
        noted.entry(id.to_vec()).or_default().note(&String::from_utf8_lossy(key), &String::from_utf8_lossy(said));
    }
}

fn comment(columns: &[String], row: &[sql::Value], noted: &HashMap<Vec<u8>, Said>) -> Result<Found, Skipped> {
    let bytes = |name| value(row, columns, &COMMENTS, name);
    let text = |name| {
        let text = std::str::from_utf8(bytes(name).unwrap_or_default());
        text.map(str::to_owned).map_err(|_| Skipped::because(Reason::NotUtf8))
    };
    let Some(id) = bytes("comment_ID") else { return Err(Skipped::malformed("it has no comment_ID")) };
    let post = text("comment_post_ID")?;
    let row = Row {
        id: text("comment_ID")?,
        // The tables do not say where a page is; its number keeps its comments together.
        page_url: (!post.is_empty()).then(|| format!("?p={post}")),
        page_title: None,
        author: text("comment_author")?,
        email: text("comment_author_email")?,
        url: text("comment_author_url")?,
        ip: text("comment_author_IP")?,
        date_gmt: text("comment_date_gmt")?,
        content: text("comment_content")?,
        agent: text("comment_agent")?,
        approved: text("comment_approved")?,
        kind: text("comment_type")?,
        said: noted.get(id).copied().unwrap_or_default(),
    };
    row.found("")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all, told};
    use super::super::{Format, Options};

    #[test]
    fn spam_is_a_label_where_a_person_called_it_so() {
        let row = |id: u32, approved: &str| {
            format!(
                "({id},3,'Ana','a@x.example','','192.0.2.1','2020-01-31 09:15:00','2020-01-31 08:15:00','it\\'s {id}',0,'{approved}','UA','comment',0,0)"
            )
        };
        let text = format!(
            "INSERT INTO `wp_commentmeta` VALUES (1,12,'akismet_result','true'),(2,13,'akismet_result','false'),(3,13,'akismet_user_result','true'),(4,14,'x','true');\n\
             INSERT INTO `wp_comments` VALUES {},\n{},\n{},\n{};",
            row(11, "1"),
            row(12, "spam"),
            row(13, "spam"),
            row(14, "trash")
        );
        let expected = ["2 publish Ana: it's 11", "3 by_machine", "4 spam Ana: it's 13", "5 deleted"];
        assert_eq!(told(Format::WordpressSql, &text, &Options::default()), expected);
        let (entries, _) = all(Format::WordpressSql, text.as_bytes(), &Options::default());
        assert_eq!(entries[2].1.as_ref().unwrap().machine.as_deref(), Some("akismet: ham"));
    }

    #[test]
    fn what_mysql_prints_is_read_by_its_heads() {
        let text = "comment_ID\tcomment_author\tcomment_content\tcomment_approved\n7\tAna\ttwo\\nlines\t1\n8\tBob\tx\tspam\n";
        assert_eq!(told(Format::WordpressSql, text, &Options::default()), ["2 publish Ana: two\nlines", "3 by_machine"]);
    }
}
