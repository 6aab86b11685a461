//! Key sets and certificates that senders publish: fetched when they are needed, and kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use placet_core::Timestamp;
use placet_runtime::{Clock, Https};

/// How long a document is believed without asking again.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// How often at most a document is asked for because a key is not in it: anyone who makes keys up must
/// not make us ask each time.
const PATIENCE: Duration = Duration::from_secs(60);

/// The largest document, in bytes.
const LARGEST: usize = 256 * 1024;

/// How many documents are kept.
const MOST: usize = 64;

/// The documents of all sources. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct KeyDocuments {
    https: Https,
    clock: Clock,
    kept: Arc<Mutex<BTreeMap<String, Kept>>>,
}

#[derive(Clone, Debug)]
struct Kept {
    /// When it was last asked for, whatever came of it.
    asked_at: Timestamp,
    bytes: Option<Vec<u8>>,
}

impl KeyDocuments {
    pub(crate) fn new(https: Https, clock: Clock) -> Self {
        Self { https, clock, kept: Arc::default() }
    }

    /// The document at an address, fetched if there is none that is fresh, or if a newer one may
    /// help. One that cannot be fetched again is believed a little longer.
    pub(crate) async fn get(&self, url: &str, newer: bool) -> Result<Vec<u8>, String> {
        let now = self.clock.now();
        let kept = self.lock().get(url).cloned();
        let asked = kept.as_ref().map(|kept| now.since(kept.asked_at));
        let had = kept.and_then(|kept| kept.bytes);
        let wait = if newer || had.is_none() { PATIENCE } else { FRESH };
        if asked.is_some_and(|asked| asked < wait) {
            let refused = "it could not be fetched less than a minute ago";
            return had.ok_or_else(|| refused.to_owned());
        }
        let fetched = self.https.get(url, LARGEST).await.map_err(|error| error.to_string());
        let fetched = fetched.and_then(|bytes| readable(bytes.to_vec()));
        if let Err(error) = &fetched {
            tracing::error!(url, error, "key not fetched");
        }
        let mut all = self.lock();
        if all.len() >= MOST && !all.contains_key(url) {
            all.clear();
        }
        let bytes = fetched.as_ref().ok().cloned().or(had);
        all.insert(url.to_owned(), Kept { asked_at: now, bytes: bytes.clone() });
        drop(all);
        bytes.map_or(fetched, Ok)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A document that is what it should be: an error page must not take the place of good keys.
fn readable(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let key_set = serde_json::from_slice::<serde_json::Value>(&bytes)
        .is_ok_and(|json| json.get("keys").is_some_and(serde_json::Value::is_array));
    match key_set || bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
        true => Ok(bytes),
        false => Err("the answer is neither a key set nor a certificate".to_owned()),
    }
}
