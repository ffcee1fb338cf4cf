//! SQL as dumps have it: the rows of `INSERT` statements, one after another. Everything else is passed over, whatever it is.

use super::guard::Guarded;
use super::{Broken, RECORD_BYTES_MAX};
use std::io::BufRead;
use std::ops::ControlFlow;

/// One value of a row: its text as bytes, or none for NULL.
pub type Value = Option<Vec<u8>>;

/// Hears each row with its line, its table and the columns that its statement names (none where it names none).
pub type Row<'a> = dyn FnMut(u64, &str, &[String], &[Value]) -> ControlFlow<()> + 'a;

pub fn rows(input: impl BufRead, take: &mut Row<'_>) -> Result<(), Broken> {
    let mut scanner = Scanner { input: Guarded::new(input) };
    scanner.statements(take).map_err(|error| Broken { line: scanner.input.line(), reason: error.to_string() }).map(|_| ())
}

struct Scanner<R> {
    input: Guarded<R>,
}

type Read<T> = std::io::Result<T>;

impl<R: BufRead> Scanner<R> {
    fn peek(&mut self) -> Read<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    fn next(&mut self) -> Read<Option<u8>> {
        let byte = self.peek()?;
        self.input.consume(usize::from(byte.is_some()));
        Ok(byte)
    }

    fn statements(&mut self, take: &mut Row<'_>) -> Read<ControlFlow<()>> {
        loop {
            self.blanks()?;
            let word = self.word()?;
            if word.eq_ignore_ascii_case("insert") || word.eq_ignore_ascii_case("replace") {
                if self.insert(take)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            } else if word.is_empty() && self.peek()?.is_none() {
                return Ok(ControlFlow::Continue(()));
            }
            self.rest_of_statement()?;
        }
    }

    /// `[IGNORE] INTO name [(columns)] VALUES (row), (row)`.
    fn insert(&mut self, take: &mut Row<'_>) -> Read<ControlFlow<()>> {
        let (mut table, mut columns) = (String::new(), Vec::new());
        loop {
            self.blanks()?;
            match self.peek()? {
                Some(b'(') => {
                    self.next()?;
                    columns = self.names()?;
                }
                Some(b'.') => _ = self.next()?,
                _ => match self.word()? {
                    word if word.eq_ignore_ascii_case("values") => break,
                    word if word.is_empty() => return Ok(ControlFlow::Continue(())),
                    word => table = word,
                },
            }
        }
        let mut row = Vec::new();
        loop {
            self.blanks()?;
            match self.peek()? {
                Some(b',') => _ = self.next()?,
                Some(b'(') => {
                    self.next()?;
                    self.input.restart();
                    let line = self.input.line();
                    self.row(&mut row)?;
                    if take(line, &table, &columns, &row).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                _ => return Ok(ControlFlow::Continue(())),
            }
        }
    }

    /// Names up to the closing bracket.
    fn names(&mut self) -> Read<Vec<String>> {
        let mut names = Vec::new();
        loop {
            self.blanks()?;
            match self.peek()? {
                Some(b',') => _ = self.next()?,
                None | Some(b')') => {
                    self.next()?;
                    return Ok(names);
                }
                _ => {
                    let name = self.word()?;
                    if name.is_empty() {
                        self.next()?;
                    } else {
                        names.push(name);
                    }
                }
            }
        }
    }

    /// Values up to the closing bracket.
    fn row(&mut self, row: &mut Vec<Value>) -> Read<()> {
        row.clear();
        loop {
            self.blanks()?;
            match self.peek()? {
                Some(b',') => _ = self.next()?,
                None => return Err(std::io::Error::other("the file ends inside a row")),
                Some(b')') => {
                    self.next()?;
                    return Ok(());
                }
                Some(b'\'' | b'"') => row.push(Some(self.quoted()?)),
                _ => {
                    let word = self.word()?;
                    if word.is_empty() {
                        self.next()?;
                    } else if !word.starts_with('_') {
                        // `_binary 'text'` is the text alone.
                        row.push((!word.eq_ignore_ascii_case("null")).then(|| word.into_bytes()));
                    }
                }
            }
        }
    }

    /// A string, with MySQL's escapes undone (<https://dev.mysql.com/doc/refman/8.4/en/string-literals.html>).
    fn quoted(&mut self) -> Read<Vec<u8>> {
        let quote = self.next()?;
        let mut text = Vec::new();
        loop {
            let plain = self.input.fill_buf()?;
            let end = plain.iter().position(|byte| Some(*byte) == quote || *byte == b'\\').unwrap_or(plain.len());
            let plain = plain.get(..end).unwrap_or_default();
            text.extend_from_slice(plain);
            self.input.consume(end);
            match self.next()? {
                None => return Err(std::io::Error::other("the file ends inside a text")),
                Some(b'\\') => text.extend(self.next()?.map(unescaped)),
                end if end == quote => {
                    if self.peek()? != quote {
                        return Ok(text);
                    }
                    self.next()?;
                    text.extend(quote);
                }
                // The buffer ended here.
                Some(byte) => text.push(byte),
            }
        }
    }

    /// A name, quoted or bare, or a number; empty where none begins.
    fn word(&mut self) -> Read<String> {
        let mut word = Vec::new();
        match self.peek()? {
            Some(b'`') => {
                word = self.quoted()?;
            }
            _ => {
                while let Some(byte) =
                    self.peek()?.filter(|byte| byte.is_ascii_alphanumeric() || b"_-+.".contains(byte) || !byte.is_ascii())
                {
                    word.push(byte);
                    self.next()?;
                }
            }
        }
        Ok(String::from_utf8_lossy(&word).into_owned())
    }

    /// White space and comments. `/*!40000 ... */` is run by some servers; nothing in it inserts.
    fn blanks(&mut self) -> Read<()> {
        loop {
            match self.peek()? {
                Some(byte) if byte.is_ascii_whitespace() => _ = self.next()?,
                Some(b'#') => self.until(b"\n")?,
                Some(b'-') if self.input.fill_buf()?.starts_with(b"--") => self.until(b"\n")?,
                Some(b'/') if self.input.fill_buf()?.starts_with(b"/*") => self.until(b"*/")?,
                _ => return Ok(()),
            }
        }
    }

    fn until(&mut self, end: &[u8]) -> Read<()> {
        let (mut last, first) = (0, end.first().copied().filter(|_| end.len() > 1));
        while let Some(byte) = self.next()? {
            self.input.restart();
            if Some(&byte) == end.last() && first.is_none_or(|first| first == last) {
                break;
            }
            last = byte;
        }
        Ok(())
    }

    /// Past the next semicolon that stands in no text.
    fn rest_of_statement(&mut self) -> Read<()> {
        loop {
            self.input.restart();
            self.blanks()?;
            match self.peek()? {
                Some(b'\'' | b'"' | b'`') => _ = self.quoted()?,
                Some(b';') | None => {
                    self.next()?;
                    return Ok(());
                }
                Some(_) => _ = self.next()?,
            }
        }
    }
}

fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'0' => 0,
        b'b' => 8,
        b'Z' => 26,
        other => other,
    }
}

/// One value of `mysql --batch`: tabs between, and escapes for what would break a line.
pub fn batch_value(text: &[u8]) -> Value {
    if text == b"NULL" {
        return None;
    }
    let mut value = Vec::with_capacity(text.len().min(RECORD_BYTES_MAX));
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' { value.extend(bytes.next().map(unescaped)) } else { value.push(byte) }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let mut told = Vec::new();
        rows(text.as_bytes(), &mut |line, table, columns, row| {
            let values: Vec<_> =
                row.iter().map(|value| value.as_ref().map_or("NULL".into(), |text| String::from_utf8_lossy(text))).collect();
            told.push(format!("{line} {table}({}) {}", columns.join(","), values.join("|")));
            ControlFlow::Continue(())
        })
        .unwrap();
        told
    }

    #[test]
    fn rows_come_with_their_table_and_line() {
        let text = "-- a dump; with 'quotes\n/*!40101 SET x */;\nCREATE TABLE `t` (`a` text DEFAULT 'x;y');\n\
                    INSERT INTO `t` VALUES (1,'a\\'b''c\\n',NULL),\n(-2.5,_binary 'x',\"y\");\nLOCK TABLES u;\n\
                    insert ignore into db.u (a, `b`) values (0xff, 'semi;colon');";
        assert_eq!(told(text), ["4 t() 1|a'b'c\n|NULL", "5 t() -2.5|x|y", "7 db.u(a,b) 0xff|semi;colon"]);
        assert_eq!(batch_value(b"a\\tb\\\\"), Some(b"a\tb\\".to_vec()));
    }

    #[test]
    fn a_file_that_ends_inside_a_row_says_where() {
        for cut in ["INSERT INTO t VALUES (1,\n'text", "INSERT INTO t VALUES (1,\n2"] {
            let broken = rows(cut.as_bytes(), &mut |_, _, _, _| ControlFlow::Continue(())).unwrap_err();
            assert_eq!(broken.line, 2, "{broken}");
        }
    }
}
