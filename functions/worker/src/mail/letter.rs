//! The content of a mail, and its form for a reader without HTML.

use std::fmt::Write as _;

/// The content of a mail. Its texts are shown as they are: a hidden character in them is named already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    /// What has happened, or what a person is asked: one sentence.
    pub heading: String,
    /// The words of a person or of a program that the heading speaks of.
    pub quote: Option<String>,
    /// What it means, what to do, and until when.
    pub paragraphs: Vec<String>,
    /// The facts.
    pub rows: Vec<Row>,
    /// The one thing to press.
    pub button: Option<Button>,
    /// What a reader rarely needs, a line each.
    pub footer: Vec<String>,
}

/// A fact: its name and its value, which may have several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A link to a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What the page is for.
    pub label: String,
    /// The address of the page.
    pub url: String,
}

impl Letter {
    /// The form for a reader without HTML.
    pub fn text(&self) -> String {
        let mut parts = vec![self.heading.clone()];
        parts.extend(self.quote.as_ref().map(|quote| prefixed("> ", quote)));
        parts.extend(self.paragraphs.iter().cloned());
        if !self.rows.is_empty() {
            parts.push(self.rows.iter().map(Row::text).collect::<Vec<_>>().join("\n"));
        }
        if let Some(Button { label, url }) = &self.button {
            parts.push(format!("{label}:\n{url}"));
        }
        let mut text = parts.join("\n\n");
        if !self.footer.is_empty() {
            // The usual sign of what follows the message itself. <https://www.rfc-editor.org/rfc/rfc3676#section-4.3>
            let _ = write!(text, "\n\n-- \n{}", self.footer.join("\n"));
        }
        text.push('\n');
        text
    }
}

impl Row {
    fn text(&self) -> String {
        match self.value.contains('\n') {
            true => format!("{}:\n{}", self.name, prefixed("    ", &self.value)),
            false => format!("{}: {}", self.name, self.value),
        }
    }
}

fn prefixed(prefix: &str, text: &str) -> String {
    text.lines().map(|line| format!("{prefix}{line}")).collect::<Vec<_>>().join("\n")
}
