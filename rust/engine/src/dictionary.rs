//! Common words: a key that is mostly made of them was thought up and not drawn.

use std::sync::LazyLock;

/// The words, as Python has them: the text between the second pair of triple quotes.
const SOURCE: &str = include_str!("../../../python/hookseal/_common_words.py");

/// Words are found by so many first letters.
const START: usize = 4;

/// The words in order, so that those with one start are neighbours.
static WORDS: LazyLock<Vec<&'static [u8]>> = LazyLock::new(|| {
    let text = SOURCE.split("\"\"\"").nth(3).unwrap_or_default();
    let mut words: Vec<_> = text.split_ascii_whitespace().map(str::as_bytes).collect();
    words.sort_unstable();
    words
});

/// How many bytes of a key belong to a word, of those that may overlap; A to Z are folded.
pub(crate) fn letters_in_words(key: &[u8]) -> usize {
    let folded = zeroize::Zeroizing::new(key.to_ascii_lowercase());
    let (mut count, mut end) = (0, 0);
    for start in 0..folded.len().saturating_sub(START - 1) {
        let rest = &folded[start..];
        let first = WORDS.partition_point(|word| word[..START] < rest[..START]);
        for word in &WORDS[first..] {
            if word[..START] != rest[..START] {
                break;
            }
            if rest.starts_with(word) && start + word.len() > end {
                count += start + word.len() - end.max(start);
                end = start + word.len();
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_there() {
        assert!(WORDS.len() > 700);
        assert!(WORDS.iter().all(|word| word.len() >= START));
        assert!(WORDS.contains(&b"correct".as_slice()));
    }

    #[test]
    fn letters() {
        for (key, count) in [
            ("", 0),
            ("abc", 0),
            ("able", 4),
            ("xABLEx", 4),
            ("ableable", 8),
            ("correcthorsebatterystaple", 25),
            ("hookhouse", 9),
            // Words that overlap count once: stone and next.
            ("stonext", 7),
            ("9f8e7d6c5b4a", 0),
        ] {
            assert_eq!(letters_in_words(key.as_bytes()), count, "{key}");
        }
    }
}
