//! The HTML of a letter. It loads nothing from elsewhere, and has a form for dark screens.

use askama::Template;

use super::letter::{Button, Letter, Row};

#[derive(Template)]
#[template(path = "mail.html")]
struct Page<'a> {
    heading: &'a str,
    quote: Option<&'a str>,
    paragraphs: &'a [String],
    rows: &'a [Row],
    button: Option<&'a Button>,
    footer: &'a [String],
}

impl Letter {
    /// The form for a reader with HTML.
    pub fn html(&self) -> String {
        let page = Page {
            heading: &self.heading,
            quote: self.quote.as_deref(),
            paragraphs: &self.paragraphs,
            rows: &self.rows,
            button: self.button.as_ref(),
            footer: &self.footer,
        };
        // Rendering into memory does not fail. If it did, the text would still say everything.
        page.render().unwrap_or_default()
    }
}
