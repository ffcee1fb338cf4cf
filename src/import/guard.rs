//! Guards around a stream: how many lines have passed, how much one comment may take, and where the bytes are no UTF-8.

use super::RECORD_BYTES_MAX;
use std::io::{self, BufRead, Read};

/// Counts lines, and ends the stream where a single piece outgrows [`RECORD_BYTES_MAX`].
pub struct Guarded<R> {
    inner: R,
    line: u64,
    spent: usize,
}

impl<R> Guarded<R> {
    pub fn new(inner: R) -> Self {
        Self { inner, line: 1, spent: 0 }
    }

    /// The line that is being read, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Another piece begins.
    pub fn restart(&mut self) {
        self.spent = 0;
    }
}

impl<R: BufRead> BufRead for Guarded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.spent > RECORD_BYTES_MAX {
            return Err(io::Error::other(format!("one piece is longer than {RECORD_BYTES_MAX} bytes: is a quote or a tag not closed?")));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Some(passed) = self.inner.fill_buf().ok().and_then(|filled| filled.get(..amount)) {
            self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        }
        self.spent += amount;
        self.inner.consume(amount);
    }
}

impl<R: BufRead> Read for Guarded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let filled = self.fill_buf()?;
        let amount = filled.len().min(out.len());
        if let (Some(from), Some(to)) = (filled.get(..amount), out.get_mut(..amount)) {
            to.copy_from_slice(from);
        }
        self.consume(amount);
        Ok(amount)
    }
}

/// Stands where bytes were no UTF-8. No text has this character: Unicode keeps it for such uses.
pub const MARK: char = '\u{ffff}';

/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// A stream of UTF-8 whatever comes in: what is none becomes [`MARK`], so that one bad comment does not end the file.
pub struct Marked<R> {
    inner: R,
    ready: Vec<u8>,
    taken: usize,
    /// The beginning of a character whose end has not come yet, then room for a chunk.
    raw: Vec<u8>,
}

impl<R: Read> Marked<R> {
    pub fn new(inner: R) -> Self {
        Self { inner, ready: Vec::new(), taken: 0, raw: Vec::new() }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.taken = 0;
        let came = (&mut self.inner).take(CHUNK_BYTES as u64).read_to_end(&mut self.raw)?;
        let mut mark = [0; 4];
        let mark = MARK.encode_utf8(&mut mark).as_bytes();
        let mut left = 0;
        for chunk in self.raw.utf8_chunks() {
            self.ready.extend_from_slice(chunk.valid().as_bytes());
            left += chunk.valid().len();
            let bad = chunk.invalid();
            // What ends the chunk may be whole with the next one.
            let may_go_on =
                came > 0 && left + bad.len() == self.raw.len() && std::str::from_utf8(bad).is_err_and(|e| e.error_len().is_none());
            if bad.is_empty() || may_go_on {
                break;
            }
            self.ready.extend_from_slice(mark);
            left += bad.len();
        }
        self.raw.drain(..left.min(self.raw.len()));
        Ok(())
    }
}

impl<R: Read> BufRead for Marked<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        // A chunk may hold nothing but the beginning of a character.
        while self.taken >= self.ready.len() {
            let before = self.raw.len();
            self.refill()?;
            if self.ready.is_empty() && self.raw.len() <= before {
                break;
            }
        }
        Ok(self.ready.get(self.taken..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount;
    }
}

impl<R: Read> Read for Marked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let amount = self.fill_buf()?.read(out)?;
        self.consume(amount);
        Ok(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let amount = self.0.len().min(out.len()).min(1);
            out[..amount].copy_from_slice(&self.0[..amount]);
            self.0 = &self.0[amount..];
            Ok(amount)
        }
    }

    #[test]
    fn what_is_no_utf_8_is_marked_and_the_rest_stays() {
        for (bytes, expected) in [
            (&b"plain"[..], "plain"),
            ("z\u{fc}rich \u{1f375}".as_bytes(), "z\u{fc}rich \u{1f375}"),
            (b"z\xfcrich", "z\u{ffff}rich"),
            (b"cut \xf0\x9f", "cut \u{ffff}"),
            (b"", ""),
        ] {
            for slow in [false, true] {
                let mut text = String::new();
                let read =
                    if slow { Marked::new(Slow(bytes)).read_to_string(&mut text) } else { Marked::new(bytes).read_to_string(&mut text) };
                assert!(read.is_ok());
                assert_eq!(text, expected);
            }
        }
        let long = "\u{fc}".repeat(CHUNK_BYTES);
        let mut text = String::new();
        Marked::new(format!("x{long}").as_bytes()).read_to_string(&mut text).unwrap();
        assert_eq!(text.len(), 1 + long.len(), "characters across the chunks");
    }

    #[test]
    fn lines_are_counted_and_an_endless_piece_ends() {
        let mut guarded = Guarded::new(&b"a\nb\nc"[..]);
        guarded.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(guarded.line(), 3);
        let mut endless = Guarded::new(io::BufReader::new(io::repeat(b'x')));
        assert!(io::copy(&mut endless, &mut io::sink()).unwrap_err().to_string().contains("not closed"));
    }
}
