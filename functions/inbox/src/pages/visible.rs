//! Shows text with every hidden character marked, so that a person sees exactly what the text contains.
//!
//! A visible sign replaces each invisible character: controls, zero-width characters, unusual spaces, and
//! marks that change the reading direction. Every run of ordinary text is in its own `<bdi>`, so that
//! right-to-left letters in it cannot reorder the text beside it.

use std::collections::BTreeSet;

use askama::Template;
use askama::filters::HtmlSafe;
use placet_core::characters::{self, code_point};
use serde_json::Value;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation as _;

use super::lookalike::{Lookalikes, list};

/// Levels deeper than this are not indented further, so that a small value cannot make a huge page.
const DEEPEST_INDENT: usize = 16;

/// The most characters that are shown as one letter, and the most combining marks on it. A longer letter could grow
/// over the texts beside it, so each further character is marked.
const LONGEST_LETTER: usize = 8;
const MOST_MARKS: usize = 3;

/// A piece of a text on a page.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    /// Text that Placet adds: brackets, commas, numbers.
    Syntax(String),
    /// Visible text of the requester or another person.
    Text(String),
    /// A line break.
    Break,
    /// A tab.
    Tab,
    /// The name of an invisible character, and how often it is repeated.
    Mark(String, usize),
    /// The place at which the rest is left out.
    Cut,
}

/// A text in which every hidden character is marked. Renders as escaped HTML.
#[derive(Clone, Debug, Default, PartialEq, Template)]
#[template(path = "shown.html")]
pub(super) struct Shown {
    pieces: Vec<Piece>,
    hidden: BTreeSet<char>,
    right_to_left: bool,
}

impl HtmlSafe for Shown {}

impl Shown {
    /// A string. Spaces at its ends are marked, too.
    pub(super) fn text(text: &str) -> Self {
        let mut shown = Self::default();
        if text.is_empty() {
            shown.pieces.push(Piece::Mark("empty".to_owned(), 1));
            return shown;
        }
        let inner = text.trim_matches(' ');
        let before = text.len() - text.trim_start_matches(' ').len();
        let after = text.len() - before - inner.len();
        shown.push_spaces(before);
        shown.push_text(inner, false);
        shown.push_spaces(after);
        shown
    }

    /// A value in a row of its own: a string without quotes, any other value as indented JSON.
    pub(super) fn value(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::text(text),
            nested => Self::json(nested, Some(0)),
        }
    }

    /// The members of an object as `name: value, …` on one line. Each value and the whole line are shortened.
    pub(super) fn line(value: &Value) -> Self {
        const LONGEST_VALUE: usize = 60;
        const LONGEST_LINE: usize = 160;
        let mut shown = Self::default();
        match value {
            Value::Object(members) => {
                for (index, (name, member)) in members.iter().enumerate() {
                    if index > 0 {
                        shown.push_syntax(", ");
                    }
                    shown.append(Self::text(name).shorten(LONGEST_VALUE));
                    shown.push_syntax(": ");
                    shown.append(Self::json(member, None).shorten(LONGEST_VALUE));
                }
            }
            odd => shown.append(Self::json(odd, None)),
        }
        shown.shorten(LONGEST_LINE)
    }

    /// Warnings about characters that make these texts look different from their content.
    pub(super) fn warnings(texts: &[&Self]) -> Vec<String> {
        let hidden: BTreeSet<char> = texts.iter().flat_map(|text| &text.hidden).copied().collect();
        let mut warnings: Vec<_> = hidden_warning(&hidden).into_iter().collect();
        if texts.iter().any(|text| text.right_to_left) {
            let warning = "Contains letters that are written from right to left: \
                           words and numbers beside them may be shown in another order.";
            warnings.push(warning.to_owned());
        }
        warnings
    }

    /// All warnings about these texts, which are shown like this.
    pub(super) fn all_warnings<'t>(
        texts: impl IntoIterator<Item = &'t str>,
        shown: &[&Self],
    ) -> Vec<String> {
        [Self::warnings(shown), Lookalikes::in_texts(texts).warnings()].concat()
    }

    /// A text, and all warnings about it.
    pub(super) fn warned(text: &str) -> (Self, Vec<String>) {
        let shown = Self::text(text);
        let warnings = Self::all_warnings([text], &[&shown]);
        (shown, warnings)
    }

    /// The text without markup, for the title of a page.
    pub(super) fn plain(&self) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Syntax(part) | Piece::Text(part) => text.push_str(part),
                Piece::Break | Piece::Tab => text.push(' '),
                Piece::Mark(name, _) => text.push_str(&format!("[{name}]")),
                Piece::Cut => text.push('…'),
            }
        }
        text
    }

    /// The length in characters and in lines, as far as marks and line breaks show it.
    pub(super) fn size(&self) -> (usize, usize) {
        let breaks = |piece: &Piece| match piece {
            Piece::Break => 1,
            Piece::Syntax(text) => text.matches('\n').count(),
            _ => 0,
        };
        let characters = self.pieces.iter().map(Piece::length).sum();
        (characters, 1 + self.pieces.iter().map(breaks).sum::<usize>())
    }

    /// Whether the text can be copied from the page as it is: no character of it is hidden.
    pub(super) fn is_plain(&self) -> bool {
        self.hidden.is_empty() && !self.right_to_left
    }

    /// Shortens the text to about `longest` characters.
    pub(super) fn shorten(mut self, longest: usize) -> Self {
        let mut left = longest;
        for index in 0..self.pieces.len() {
            let length = self.pieces[index].length();
            if length <= left {
                left -= length;
                continue;
            }
            if let Piece::Text(part) | Piece::Syntax(part) = &mut self.pieces[index] {
                *part = part.chars().take(left).collect();
                self.pieces.truncate(index + 1);
            } else {
                self.pieces.truncate(index);
            }
            self.pieces.push(Piece::Cut);
            break;
        }
        self
    }

    fn json(value: &Value, depth: Option<usize>) -> Self {
        let mut shown = Self::default();
        shown.push_json(value, depth);
        shown
    }

    fn append(&mut self, other: Self) {
        self.pieces.extend(other.pieces);
        self.hidden.extend(other.hidden);
        self.right_to_left |= other.right_to_left;
    }

    /// `depth` is the level of indentation; `None` puts everything on one line.
    fn push_json(&mut self, value: &Value, depth: Option<usize>) {
        match value {
            Value::String(text) => self.push_string(text),
            Value::Array(items) => {
                self.push_nested(["[", "]"], items.iter().map(|item| (None, item)), depth);
            }
            Value::Object(members) => {
                let members = members.iter().map(|(name, member)| (Some(name), member));
                self.push_nested(["{", "}"], members, depth);
            }
            scalar => self.push_syntax(&scalar.to_string()),
        }
    }

    fn push_nested<'v>(
        &mut self,
        brackets: [&str; 2],
        items: impl ExactSizeIterator<Item = (Option<&'v String>, &'v Value)>,
        depth: Option<usize>,
    ) {
        let inner = depth.map(|depth| depth + 1);
        let line = |depth: usize| format!("\n{}", "  ".repeat(depth.min(DEEPEST_INDENT)));
        let filled = items.len() > 0;
        self.push_syntax(brackets[0]);
        for (index, (name, item)) in items.enumerate() {
            let comma = if index > 0 { "," } else { "" };
            match inner {
                Some(depth) => self.push_syntax(&format!("{comma}{}", line(depth))),
                None if index > 0 => self.push_syntax(", "),
                None => {}
            }
            if let Some(name) = name {
                self.push_string(name);
                self.push_syntax(": ");
            }
            self.push_json(item, inner);
        }
        if let Some(depth) = depth.filter(|_| filled) {
            self.push_syntax(&line(depth));
        }
        self.push_syntax(brackets[1]);
    }

    fn push_string(&mut self, text: &str) {
        self.push_syntax("\"");
        self.push_text(text, true);
        self.push_syntax("\"");
    }

    fn push_text(&mut self, text: &str, quoted: bool) {
        for letter in text.graphemes(true) {
            self.push_letter(letter, quoted);
        }
    }

    /// Pushes what a reader sees as one letter.
    fn push_letter(&mut self, letter: &str, quoted: bool) {
        let mut marks = 0;
        for (index, character) in letter.chars().enumerate() {
            marks += usize::from(is_combining_mark(character));
            match character {
                _ if index >= LONGEST_LETTER || marks > MOST_MARKS => self.push_mark(character),
                '"' | '\\' if quoted => self.push_plain(&['\\', character]),
                '\n' if quoted => self.push_plain(&['\\', 'n']),
                '\t' if quoted => self.push_plain(&['\\', 't']),
                '\n' => self.pieces.push(Piece::Break),
                '\t' => self.pieces.push(Piece::Tab),
                hidden if characters::hidden(hidden).is_some() => self.push_mark(hidden),
                plain => self.push_plain(&[plain]),
            }
        }
    }

    fn push_plain(&mut self, plain: &[char]) {
        self.right_to_left |= plain.iter().copied().any(characters::right_to_left);
        if let Some(Piece::Text(text)) = self.pieces.last_mut() {
            text.extend(plain);
        } else {
            self.pieces.push(Piece::Text(plain.iter().collect()));
        }
    }

    fn push_syntax(&mut self, syntax: &str) {
        if let Some(Piece::Syntax(text)) = self.pieces.last_mut() {
            text.push_str(syntax);
        } else {
            self.pieces.push(Piece::Syntax(syntax.to_owned()));
        }
    }

    fn push_mark(&mut self, character: char) {
        self.hidden.insert(character);
        let name = code_point(character);
        match self.pieces.last_mut() {
            Some(Piece::Mark(last, count)) if *last == name => *count += 1,
            _ => self.pieces.push(Piece::Mark(name, 1)),
        }
    }

    fn push_spaces(&mut self, count: usize) {
        if count > 0 {
            self.pieces.push(Piece::Mark("space".to_owned(), count));
        }
    }
}

impl Piece {
    fn length(&self) -> usize {
        match self {
            Self::Syntax(text) | Self::Text(text) => text.chars().count(),
            Self::Mark(name, _) => name.len(),
            Self::Break | Self::Tab | Self::Cut => 1,
        }
    }
}

fn hidden_warning(hidden: &BTreeSet<char>) -> Option<String> {
    if hidden.is_empty() {
        return None;
    }
    let name = |character: &char| {
        let what = characters::hidden(*character).unwrap_or("part of a long letter");
        format!("{what} ({})", code_point(*character))
    };
    let named: Vec<_> = hidden.iter().map(name).collect();
    Some(format!("Contains characters that are invisible or cover others: {}.", list(&named)))
}

#[cfg(test)]
mod tests;
