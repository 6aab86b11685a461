//! Texts that look like other texts: letters of another alphabet, unusual forms of letters and digits, and accents
//! that are characters of their own. Source: Unicode Technical Standard 39, "Unicode Security Mechanisms".

use std::collections::{BTreeMap, BTreeSet};

use placet_core::characters::code_point;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript as _};
use unicode_security::MixedScript as _;
use unicode_security::confusable_detection::skeleton;

/// How many different words, characters or pairs of names a warning names.
const NAMED: usize = 6;

/// A warning shows only the beginning of a word that is longer than this, in characters.
const LONGEST_WORD: usize = 40;

/// Raised letters and digits, and abbreviations in one character, of ordinary texts.
const USUAL: [char; 8] = ['ª', '²', '³', '¹', 'º', '№', '℠', '™'];

/// The signs that divide the parts of addresses, amounts and names.
const DIVIDING: [&str; 12] = [".", ",", ":", ";", "/", "\\", "@", "#", "?", "&", "=", "%"];

/// The look-alikes that were found in some texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lookalikes {
    /// Words with letters of several alphabets.
    mixed: BTreeSet<String>,
    /// Words that look like plain Latin words and are none, with their alphabet.
    imitations: BTreeSet<(String, String)>,
    /// The alphabets of the other words. Imitations of these alphabets are ordinary words of that language.
    foreign: BTreeSet<String>,
    /// Letters, digits and signs of an unusual form, and the plain ones that they stand for.
    unusual: BTreeMap<char, String>,
    /// Words with accents that are characters of their own.
    decomposed: BTreeSet<String>,
    /// Names in one object that look alike.
    names: BTreeSet<(String, String)>,
}

impl Lookalikes {
    /// The look-alikes in these texts.
    pub(super) fn in_texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut found = Self::default();
        texts.into_iter().for_each(|text| found.add(text));
        found
    }

    /// Adds what is found in the texts and names of a value.
    pub(super) fn add_value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add(text),
            Value::Array(items) => items.iter().for_each(|item| self.add_value(item)),
            Value::Object(members) => {
                self.add_names(members.keys().map(String::as_str));
                for (name, member) in members {
                    self.add(name);
                    self.add_value(member);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, text: &str) {
        if text.is_ascii() {
            return;
        }
        let joins = |character: char| character.is_alphanumeric() || is_combining_mark(character);
        for word in text.split(|character| !joins(character)).filter(|word| !word.is_ascii()) {
            self.add_word(word);
        }
        for (at, character) in text.char_indices().filter(|(_, one)| !one.is_ascii()) {
            let after = &text[at + character.len_utf8()..];
            if let Some(plain) = plain(character, &text[..at], after) {
                self.unusual.insert(character, plain);
            }
        }
    }

    fn add_word(&mut self, word: &str) {
        if !word.nfc().eq(word.chars()) {
            self.decomposed.insert(visible(word));
        }
        let plain: String = word.nfkc().collect();
        if plain.is_ascii() {
            return;
        }
        let scripts_of_word = scripts(word);
        if !word.is_single_script() {
            self.mixed.insert(format!("{} ({})", visible(word), scripts(word)));
        } else if matches!(scripts_of_word.as_str(), "" | "Latin") {
            // Signs and accents of plain text, which the page marks if they are hidden.
        } else if skeleton(word).all(|character| character.is_ascii()) {
            self.imitations.insert((visible(word), scripts_of_word));
        } else {
            self.foreign.insert(scripts_of_word);
        }
    }

    /// Adds the names of one object that look alike, or differ only in case and white space.
    pub(super) fn add_names<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for name in names {
            let words: Vec<&str> = name.split_whitespace().collect();
            let look = skeleton(&words.join(" ").to_lowercase()).collect();
            if let Some(other) = seen.insert(look, name) {
                self.names.insert((visible(other), visible(name)));
            }
        }
    }

    /// One warning for each kind of look-alike.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut warn = |what: &str, found: Vec<String>, consequence: &str| {
            if !found.is_empty() {
                warnings.push(format!("{what}: {}. {consequence}", list(&found)));
            }
        };
        let pairs = self.names.iter().map(|(one, other)| format!("“{one}” and “{other}”"));
        warn(
            "Contains different names that look alike",
            pairs.collect(),
            "Compare them letter by letter.",
        );
        let mixed = self.mixed.iter().cloned().collect();
        warn(
            "Contains words that mix alphabets",
            mixed,
            "Their letters may look like other letters.",
        );
        let imitations = self.imitations.iter();
        let imitations = imitations.filter(|(_, scripts)| !self.foreign.contains(scripts));
        let imitations = imitations.map(|(word, scripts)| format!("{word} ({scripts})")).collect();
        warn(
            "Contains words that look like Latin words but are not",
            imitations,
            "Compare them letter by letter.",
        );
        let unusual = self.unusual.iter();
        let unusual = unusual.map(|(one, plain)| format!("{} for “{plain}”", code_point(*one)));
        warn(
            "Contains letters, digits or signs of an unusual form",
            unusual.collect(),
            "A program may read them differently.",
        );
        let decomposed = self.decomposed.iter().cloned().collect();
        warn(
            "Contains accents that are separate characters",
            decomposed,
            "A text that looks the same may differ.",
        );
        warnings
    }
}

/// The plain letters, digits or sign for which a character between these texts can be taken.
fn plain(character: char, before: &str, after: &str) -> Option<String> {
    let folded: String = std::iter::once(character).nfkc().collect();
    if folded.chars().all(|plain| plain.is_ascii_alphanumeric()) {
        return Some(folded).filter(|_| !USUAL.contains(&character));
    }
    let is_plain = |beside: Option<char>| beside.is_some_and(|one| one.is_ascii_alphanumeric());
    let (follows, precedes) =
        (is_plain(before.chars().next_back()), is_plain(after.chars().next()));
    match character {
        '\u{2212}' if precedes => Some("-".to_owned()),
        _ if !follows || !precedes => None,
        '\u{3002}' | '\u{ff61}' => Some(".".to_owned()),
        other => {
            let alike = skeleton(other.encode_utf8(&mut [0; 4])).collect();
            [folded, alike].into_iter().find(|text| DIVIDING.contains(&text.as_str()))
        }
    }
}

/// The text with a code point in place of every character that is not ASCII. A long text is cut.
fn visible(text: &str) -> String {
    let part = |character: char| match character {
        plain if plain.is_ascii_graphic() || plain == ' ' => plain.to_string(),
        other => format!("[{}]", code_point(other)),
    };
    let cut = if text.chars().nth(LONGEST_WORD).is_some() { "…" } else { "" };
    text.chars().take(LONGEST_WORD).map(part).chain([cut.to_owned()]).collect()
}

/// The names of the alphabets in a word.
fn scripts(word: &str) -> String {
    let scripts = word.chars().map(|character| character.script());
    let named = scripts.filter(|script| !matches!(script, Script::Common | Script::Inherited));
    let names: BTreeSet<_> = named.map(|script| script.full_name()).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// The first texts, and how many more there are.
pub(super) fn list(found: &[String]) -> String {
    let named: Vec<_> = found.iter().take(NAMED).map(String::as_str).collect();
    match found.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(text: &str) -> Vec<String> {
        Lookalikes::in_texts([text]).warnings()
    }

    fn warnings_about_names(names: &[&str]) -> Vec<String> {
        let mut found = Lookalikes::default();
        found.add_names(names.iter().copied());
        found.warnings()
    }

    #[test]
    fn a_word_with_letters_of_two_alphabets_is_named() {
        assert_eq!(
            warnings("send to р\u{0430}ураl.com"),
            [
                "Contains words that mix alphabets: [U+0440][U+0430][U+0443][U+0440][U+0430]l (Cyrillic, Latin). Their letters may look like other letters."
            ]
        );
        assert!(warnings("\u{0430}mount")[0].contains("[U+0430]mount (Cyrillic, Latin)"));
    }

    #[test]
    fn a_word_of_another_alphabet_that_looks_latin_is_named_unless_the_text_is_of_that_language() {
        assert!(warnings("рау")[0].starts_with("Contains words that look like Latin words"));
        assert_eq!(warnings("Он живёт со мной в доме"), <[&str; 0]>::default());
    }

    /// An accent of a Latin word, or a word of a third alphabet, says nothing about Cyrillic words.
    #[test]
    fn words_of_one_language_do_not_hide_imitations_in_another_alphabet() {
        for text in ["Überweisung an рау", "送金 рау", "ζωή рау"] {
            assert!(warnings(text)[0].contains("[U+0440][U+0430][U+0443] (Cyrillic)"), "{text}");
        }
    }

    #[test]
    fn signs_that_look_like_those_of_addresses_and_amounts_are_named() {
        for (text, sign) in [
            ("bank.example\u{2215}login", "U+2215 for “/”"),
            ("ann\u{ff20}bank.example", "U+FF20 for “@”"),
            ("1\u{ff0e}000", "U+FF0E for “.”"),
            ("bank\u{2024}example", "U+2024 for “.”"),
            ("1\u{201a}000", "U+201A for “,”"),
            ("bank\u{3002}com", "U+3002 for “.”"),
            ("\u{2212}100", "U+2212 for “-”"),
        ] {
            assert!(warnings(text)[0].contains(sign), "{text}: {:?}", warnings(text));
        }
    }

    #[test]
    fn ordinary_texts_of_many_languages_have_no_warning() {
        for text in [
            "Zoë naïve Straße",
            "日本語のテキスト、カタカナ",
            "한국어 문장",
            "العربية",
            "हिन्दी",
            "Ελληνικά",
            "עברית",
            "5 µm, 20 €",
            "日本語。テキスト",
            "25 m², 1º, Placet™, № 5",
            "don’t, 10–20, “so”, a…b, C‑3, 1 000",
        ] {
            assert_eq!(warnings(text), <[&str; 0]>::default(), "{text}");
        }
    }

    #[test]
    fn unusual_forms_of_letters_and_digits_are_named() {
        assert_eq!(
            warnings("１００ \u{1d41a}"),
            [
                "Contains letters, digits or signs of an unusual form: U+FF10 for “0”, U+FF11 for “1”, U+1D41A for “a”. A program may read them differently."
            ]
        );
    }

    #[test]
    fn an_accent_that_is_a_separate_character_is_named() {
        assert_eq!(
            warnings("caf\u{65}\u{301}"),
            [
                "Contains accents that are separate characters: cafe[U+0301]. A text that looks the same may differ."
            ]
        );
    }

    #[test]
    fn names_of_one_object_that_look_alike_are_named_as_a_pair() {
        assert_eq!(
            warnings_about_names(&["amount", "to", "\u{0430}mount"]),
            [
                "Contains different names that look alike: “amount” and “[U+0430]mount”. Compare them letter by letter."
            ]
        );
        for names in [["Amount", "amount"], ["amount", "amount "], ["a b", "a  b"]] {
            assert!(warnings_about_names(&names)[0].contains("look alike"), "{names:?}");
        }
        assert_eq!(warnings_about_names(&["amount", "to"]), <[&str; 0]>::default());
    }
}
