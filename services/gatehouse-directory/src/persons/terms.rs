//! What a person's name is found by: the folded name, its pinyin and its initials, and each ending of
//! them, so that whatever somebody begins to type is the beginning of a term.
//!
//! `张三丰` is found by `张三`, `三丰`, `zhangsanf`, `sanfeng` and `zsf`; `Jean-Luc Picard` by `jean`,
//! `luc p` and `pic`.

use pinyin::{Pinyin, ToPinyinMulti};
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;

/// Terms are cut here; a longer beginning is cut as well before it is looked for.
const TERM_MAX_CHARS: usize = 48;
/// Characters with several readings multiply; beyond this many a name keeps the first ones.
const READINGS_MAX: usize = 16;
/// Readings of a single character.
const CHARACTER_READINGS_MAX: usize = 4;

/// A text as it is looked for: without case, accents, width and whatever stands between the letters.
pub(super) fn folded(text: &str) -> String {
    cut(words(text).iter().map(String::as_str))
}

/// The terms of a name.
pub(super) fn of(name: &str) -> BTreeSet<String> {
    let words = words(name);
    let mut terms = BTreeSet::new();
    add_endings(&mut terms, &words);
    if words.iter().any(|word| !syllables(word).is_empty()) {
        for reading in readings(&words) {
            add_endings(&mut terms, &reading);
            let initials: Vec<String> = reading
                .iter()
                .map(|part| part.chars().take(1).collect())
                .collect();
            add_endings(&mut terms, &initials);
        }
    }
    terms
}

fn add_endings(terms: &mut BTreeSet<String>, parts: &[String]) {
    for from in 0..parts.len() {
        terms.insert(cut(parts.iter().skip(from).map(String::as_str)));
    }
}

fn cut<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    parts.flat_map(str::chars).take(TERM_MAX_CHARS).collect()
}

/// The words of a text, folded. An ideograph is a word by itself.
fn words(text: &str) -> Vec<String> {
    let folded = text
        .nfkd()
        .filter(|c| !('\u{300}'..='\u{36f}').contains(c))
        .nfc()
        .flat_map(char::to_lowercase);
    let mut words: Vec<String> = Vec::new();
    let mut within_word = false;
    for c in folded {
        let alone = c.to_pinyin_multi().is_some();
        if !c.is_alphanumeric() {
            within_word = false;
            continue;
        }
        match words.last_mut() {
            Some(word) if within_word && !alone => word.push(c),
            Some(_) | None => words.push(c.to_string()),
        }
        within_word = !alone;
    }
    words
}

/// How an ideograph is read; empty where it is none.
fn syllables(word: &str) -> Vec<String> {
    let mut chars = word.chars();
    let (Some(first), None) = (chars.next(), chars.next()) else {
        return Vec::new();
    };
    let mut syllables = Vec::new();
    for reading in first.to_pinyin_multi().into_iter().flatten() {
        let plain = Pinyin::plain(reading);
        // ü is typed as v or as u.
        for spelled in [plain.replace('ü', "v"), plain.replace('ü', "u")] {
            if spelled.is_ascii() && !syllables.contains(&spelled) {
                syllables.push(spelled);
            }
        }
    }
    syllables.truncate(CHARACTER_READINGS_MAX);
    syllables
}

/// The ways in which a name is read, word by word.
fn readings(words: &[String]) -> Vec<Vec<String>> {
    let mut readings: Vec<Vec<String>> = vec![Vec::new()];
    for word in words {
        let mut heard = syllables(word);
        if heard.is_empty() {
            heard.push(word.clone());
        }
        readings = readings
            .into_iter()
            .flat_map(|reading| {
                heard.iter().map(move |syllable| {
                    let mut longer = reading.clone();
                    longer.push(syllable.clone());
                    longer
                })
            })
            .take(READINGS_MAX)
            .collect();
    }
    readings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, typed: &str) -> bool {
        let typed = folded(typed);
        of(name).iter().any(|term| term.starts_with(&typed))
    }

    #[test]
    fn a_chinese_name_is_found_by_its_characters_its_sound_and_its_initials() {
        for typed in [
            "张",
            "张三",
            "三丰",
            "丰",
            "zhang",
            "Zhang San",
            "zhangsanf",
            "sanfeng",
            "zsf",
            "sf",
        ] {
            assert!(found("张三丰", typed), "{typed}");
        }
        for typed in ["李", "张丰", "zhangfeng", "angsan", "zf"] {
            assert!(!found("张三丰", typed), "{typed}");
        }
    }

    #[test]
    fn a_character_with_several_readings_is_found_by_each() {
        for typed in ["zengcan", "cengcan", "zc", "cc"] {
            assert!(found("曾参", typed), "{typed}: {:?}", of("曾参"));
        }
        for typed in ["lvbu", "lubu", "lb"] {
            assert!(found("吕布", typed), "{typed}: {:?}", of("吕布"));
        }
    }

    #[test]
    fn other_names_are_found_by_each_word_without_case_and_accents() {
        for typed in ["jean", "JEANLUC", "jean luc p", "Luc", "picard", "jean-luc"] {
            assert!(found("Jean-Luc Picard", typed), "{typed}");
        }
        assert!(!found("Jean-Luc Picard", "icard"));
        assert!(found("Zoë Müller", "muller") && found("Zoe Muller", "müll"));
        assert!(found("ＷＡＮＧ", "wang"));
        assert!(found("张三 (Peter)", "peter") && found("张三 (Peter)", "zsp"));
    }

    #[test]
    fn a_name_has_a_bounded_number_of_bounded_terms() {
        let terms = of(&"曾单重长".repeat(16));
        assert!(terms.len() <= 64 + 2 * READINGS_MAX * 64, "{}", terms.len());
        assert!(
            terms
                .iter()
                .all(|term| term.chars().count() <= TERM_MAX_CHARS)
        );
        assert!(of("---").is_empty());
        assert_eq!(folded("…"), "");
    }
}
