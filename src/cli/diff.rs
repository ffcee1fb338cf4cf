//! What a change would do to the settings file, line by line, with secrets hidden.

/// Lines that go with `-`, lines that come with `+`, and nothing of those that stay. Settings have some hundred lines: quadratic is quick.
pub fn diff(before: &str, after: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let width = after.len() + 1;
    // How many lines of what is left on both sides can stay.
    let mut stays = vec![0_u32; (before.len() + 1) * width];
    let at = |stays: &[u32], i: usize, j: usize| stays.get(i * width + j).copied().unwrap_or(0);
    for (i, old) in before.iter().enumerate().rev() {
        for (j, new) in after.iter().enumerate().rev() {
            let best = if old == new { at(&stays, i + 1, j + 1) + 1 } else { at(&stays, i + 1, j).max(at(&stays, i, j + 1)) };
            if let Some(cell) = stays.get_mut(i * width + j) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j, mut told) = (0, 0, String::new());
    loop {
        match (before.get(i), after.get(j)) {
            (Some(old), Some(new)) if old == new => (i, j) = (i + 1, j + 1),
            (Some(old), new) if new.is_none() || at(&stays, i + 1, j) >= at(&stays, i, j + 1) => {
                told.extend(["-", &hidden(old), "\n"]);
                i += 1;
            }
            (_, Some(new)) => {
                told.extend(["+", &hidden(new), "\n"]);
                j += 1;
            }
            (_, None) => return told,
        }
    }
}

/// A terminal's history is no place for keys. Whatever names one is hidden, be it in an inline table.
fn hidden(line: &str) -> String {
    let names_secret =
        |key: &str| ["_key", "_secret", "password"].iter().any(|secret| key.trim_end().trim_end_matches('"').ends_with(secret));
    let ends = line.match_indices('=').map(|(at, _)| line.split_at(at).0).find(|before| names_secret(before));
    ends.map_or_else(|| line.to_owned(), |before| format!("{before}= ***"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_told_and_secrets_are_not() {
        assert_eq!(diff("a\nb\nc\n", "a\nc\n"), "-b\n");
        assert_eq!(diff("a\nb\nc\n", "a\nd\nc\ne\n"), "-b\n+d\n+e\n");
        assert_eq!(diff("", "[x]\napi_key = 'hush'\nsecret = 1\n"), "+[x]\n+api_key = ***\n+secret = 1\n");
        assert_eq!(diff("b = { mode = 1, api_key = 'hush' }", ""), "-b = { mode = 1, api_key = ***\n");
        assert_eq!(diff("a\n", "a\n"), "");
    }
}
