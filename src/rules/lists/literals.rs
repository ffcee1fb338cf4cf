//! What must stand in a text for a pattern to match at all: groups of strings, one string of each of which every match holds. A search for
//! all strings of all patterns at once then tells the few patterns worth trying (the idea of RE2's `FilteredRE2`).

use regex_syntax::hir::{Class, Hir, HirKind};

/// Shorter strings stand in every other text and tell nothing.
const BYTES_MIN: usize = 3;

/// Strings in one group; a choice of more is not taken apart.
const CHOICES_MAX: usize = 32;

/// Groups of one pattern. Two that stand far apart tell nearly as much as all.
const GROUPS_MAX: usize = 3;

/// One of these stands in every match.
pub type Group = Vec<Vec<u8>>;

/// What is known of a part of a pattern.
#[derive(Default)]
struct Known {
    /// All that it can match, where that is little.
    exact: Option<Group>,
    groups: Vec<Group>,
}

/// The groups of a pattern that was read without regard to case, in lower case, those with the longest strings first; none when nothing
/// long enough must stand there.
pub fn required(pattern: &Hir) -> Vec<Group> {
    let mut groups = known(pattern).into_groups();
    groups.sort_by_key(|group| std::cmp::Reverse(shortest(group)));
    groups.truncate(GROUPS_MAX);
    groups
}

fn shortest(group: &Group) -> usize {
    group.iter().map(Vec::len).min().unwrap_or(0)
}

impl Known {
    fn exactly(choices: Group) -> Self {
        let fits = choices.len() <= CHOICES_MAX;
        Self { exact: fits.then_some(choices), groups: Vec::new() }
    }

    fn into_groups(self) -> Vec<Group> {
        let exact = self.exact.into_iter().filter(|group| shortest(group) >= BYTES_MIN);
        self.groups.into_iter().chain(exact).collect()
    }
}

fn known(hir: &Hir) -> Known {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Known::exactly(vec![Vec::new()]),
        HirKind::Literal(literal) => Known::exactly(vec![literal.0.to_ascii_lowercase()]),
        HirKind::Class(class) => of_class(class),
        HirKind::Capture(capture) => known(&capture.sub),
        HirKind::Repetition(repetition) => of_repetition(known(&repetition.sub), repetition.min, repetition.max),
        HirKind::Concat(parts) => of_sequence(parts),
        HirKind::Alternation(branches) => of_choice(branches.iter().map(known).collect()),
    }
}

/// `[Kk]` is how a letter reads without regard to case.
fn of_class(class: &Class) -> Known {
    let characters: Vec<char> = match class {
        Class::Unicode(class) => class.iter().flat_map(|range| range.start()..=range.end()).take(2 * CHOICES_MAX).collect(),
        // A byte that is no character stands for any of many.
        Class::Bytes(class) if class.is_ascii() => {
            class.iter().flat_map(|range| range.start()..=range.end()).map(char::from).take(2 * CHOICES_MAX).collect()
        }
        Class::Bytes(_) => return Known::default(),
    };
    let mut choices: Group = characters.into_iter().map(|c| c.to_lowercase().collect::<String>().into_bytes()).collect();
    choices.sort_unstable();
    choices.dedup();
    if choices.len() >= CHOICES_MAX { Known::default() } else { Known::exactly(choices) }
}

fn of_repetition(sub: Known, min: u32, max: Option<u32>) -> Known {
    match (min, max, sub.exact) {
        (0, Some(1), Some(mut exact)) => {
            exact.push(Vec::new());
            Known::exactly(exact)
        }
        (0, _, _) => Known::default(),
        (_, _, exact) => Known { exact: None, groups: Known { exact, groups: sub.groups }.into_groups() },
    }
}

/// Neighbours that are known exactly grow together.
fn of_sequence(parts: &[Hir]) -> Known {
    let mut groups = Vec::new();
    let mut run: Group = vec![Vec::new()];
    let mut is_exact = true;
    for part in parts {
        let part = known(part);
        let joined = part.exact.as_ref().filter(|exact| exact.len() * run.len() <= CHOICES_MAX).map(|exact| product(&run, exact));
        if let Some(joined) = joined {
            run = joined;
            continue;
        }
        is_exact = false;
        let next = part.exact.clone().unwrap_or_else(|| vec![Vec::new()]);
        groups.extend(Known::exactly(std::mem::replace(&mut run, next)).into_groups());
        groups.extend(part.groups);
    }
    if is_exact {
        return Known::exactly(run);
    }
    groups.extend(Known::exactly(run).into_groups());
    Known { exact: None, groups }
}

fn product(run: &Group, next: &Group) -> Group {
    run.iter().flat_map(|before| next.iter().map(move |after| [before.as_slice(), after].concat())).collect()
}

/// One group for all branches, made of the best that each has; none when one of them has nothing.
fn of_choice(branches: Vec<Known>) -> Known {
    if branches.iter().all(|branch| branch.exact.is_some()) {
        return Known::exactly(branches.into_iter().filter_map(|branch| branch.exact).flatten().collect());
    }
    let best = |branch: Known| branch.into_groups().into_iter().max_by_key(shortest);
    let groups: Option<Vec<Group>> = branches.into_iter().map(best).collect();
    let group: Group = groups.into_iter().flatten().flatten().collect();
    Known { exact: None, groups: if (1..=CHOICES_MAX).contains(&group.len()) { vec![group] } else { Vec::new() } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, expected: &[&[&str]]) {
        let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).case_insensitive(true).build().parse(pattern).unwrap();
        let found = required(&hir);
        let found: Vec<Vec<&str>> =
            found.iter().map(|group| group.iter().map(|text| std::str::from_utf8(text).unwrap()).collect()).collect();
        assert_eq!(found, expected, "{pattern}");
    }

    #[test]
    fn every_match_holds_one_of_each_group() {
        check("Cialis", &[&["cialis"]]);
        check(r"dietary\Wsupplement", &[&["supplement"], &["dietary"]]);
        check(r"keto\W?pro\W?x", &[&["keto"], &["pro"]]);
        check("(?:happy)?diwali", &[&["happydiwali", "diwali"]]);
        check("colou?r[sz]", &[&["colours", "colourz", "colors", "colorz"]]);
        check(r"(?:buy|order)\s+pills", &[&["pills"], &["buy", "order"]]);
        check(r"(?:a|\d+)watches", &[&["watches"]]);
        check(r"(?:free\d+|money)", &[&["free", "money"]]);
        check("(?:pills)+", &[&["pills"]]);
        check("(?:pills)*", &[]);
        check(r"\d{9}", &[]);
        check(r"[a-z]{3,}juris$", &[&["juris"]]);
        check("^hl12", &[&["hl12"]]);
    }
}
