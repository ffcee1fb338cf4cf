//! Lines of bounded length, numbered. One that is longer is passed over without being held.

use super::{Broken, RECORD_BYTES_MAX, Reason, Skipped};
use std::io::BufRead;
use std::ops::ControlFlow;

/// Hears each line with its number.
type Hear<'a> = dyn FnMut(u64, Result<&[u8], Skipped>) -> ControlFlow<()> + 'a;

/// Hands over every line without its end; blank lines are nothing.
pub fn each(mut input: impl BufRead, take: &mut Hear<'_>) -> Result<(), Broken> {
    let mut line = Vec::new();
    for number in 1.. {
        let broken = |error: std::io::Error| Broken { line: number, reason: error.to_string() };
        let Some(is_whole) = next(&mut input, &mut line).map_err(broken)? else { return Ok(()) };
        let content = line.trim_ascii_end();
        let flow = match is_whole {
            false => take(number, Err(Skipped::because(Reason::TooLong))),
            true if content.is_empty() => ControlFlow::Continue(()),
            true => take(number, Ok(content)),
        };
        if flow.is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// The next line, with its end; whether it is whole. None at the end of the file.
pub fn next(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<Option<bool>> {
    line.clear();
    let (mut passed, mut ended) = (0, false);
    while !ended {
        let filled = input.fill_buf()?;
        if filled.is_empty() {
            break;
        }
        let end = memchr::memchr(b'\n', filled);
        let amount = end.map_or(filled.len(), |end| end + 1);
        let room = RECORD_BYTES_MAX.saturating_sub(line.len()).min(amount);
        line.extend_from_slice(filled.get(..room).unwrap_or_default());
        passed += amount;
        ended = end.is_some();
        input.consume(amount);
    }
    Ok((passed > 0).then_some(passed == line.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_and_one_that_is_too_long_is_passed_over() {
        let long = "x".repeat(RECORD_BYTES_MAX + 1);
        let text = format!("a\r\n\n{long}\nb");
        let mut told = Vec::new();
        each(text.as_bytes(), &mut |number, line| {
            told.push((number, line.map(<[u8]>::to_vec).map_err(|skipped| skipped.reason)));
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(told, [(1, Ok(b"a".to_vec())), (3, Err(Reason::TooLong)), (4, Ok(b"b".to_vec()))]);
    }
}
