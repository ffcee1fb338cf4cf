//! What a text weighs as a part of a mail on its way: quoted-printable or base64 (RFC 2045, sections 6.7 and 6.8), whichever is less, as the
//! outbox chooses between them.

/// Of any number of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// Three for what is not plain ASCII.
    quoted: usize,
    bytes: usize,
}

impl Weight {
    /// Of so much plain ASCII.
    pub const fn plain(bytes: usize) -> Self {
        Self { quoted: bytes, bytes }
    }

    pub fn of(text: &str) -> Self {
        let quoted = text.bytes().map(|b| if matches!(b, b' '..=b'<' | b'>'..=b'~') { 1 } else { 3 }).sum();
        // A line's end has two.
        Self { quoted, bytes: text.len() + text.matches('\n').count() }
    }

    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { quoted: self.quoted + other.quoted, bytes: self.bytes + other.bytes }
    }

    /// Bytes with the breaks that the encoding puts in: soft ones every 73, or lines of 57 bytes each.
    pub fn encoded(self) -> usize {
        let quoted = self.quoted + self.quoted.div_ceil(73) * 3;
        quoted.min(self.bytes.div_ceil(57) * 78)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_words_are_quoted_and_others_are_not() {
        for (text, bytes) in [("", 0), ("plain", 8), ("=", 6), ("a\n", 7), ("咖啡", 21), (&"咖啡的味道".repeat(20), 468)] {
            assert_eq!(Weight::of(text).encoded(), bytes, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parts_weigh_what_the_whole_weighs(one in ".{0,200}", other in ".{0,200}") {
            prop_assert_eq!(Weight::of(&one).plus(Weight::of(&other)), Weight::of(&(one + &other)));
        }
    }
}
