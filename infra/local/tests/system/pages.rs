//! Requests of a person in a browser.

use crate::request::Reply;
use crate::world::World;

impl World {
    /// Opens a page.
    pub async fn page(&self, path: &str) -> Reply {
        self.get(path).page().send().await
    }

    /// Opens a page, fills in these fields of its form, and sends the form.
    pub async fn submit(&self, path: &str, fields: &str) -> Reply {
        let digest = self.page(path).await.hidden("digest");
        self.send_form(path, &format!("digest={digest}&{fields}")).await
    }

    /// Sends a form without opening its page first.
    pub async fn send_form(&self, path: &str, form: &str) -> Reply {
        self.post(path).page().form(form).send().await
    }
}
