//! Key sets and certificates that senders publish: fetched when needed, then cached.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use placet_core::Timestamp;
use placet_core::limits::{
    LARGEST_KEY_DOCUMENT, LEAST_BETWEEN_FETCHES, MOST_FAILED_FETCHES, MOST_KEY_DOCUMENTS,
};
use placet_runtime::{Clock, Https};

/// How long a cached document is used without fetching it again.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// The documents of all sources. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct KeyDocuments {
    https: Https,
    clock: Clock,
    kept: Arc<Mutex<Kept>>,
}

/// A failed fetch takes no place of a document, so invented addresses displace no good keys.
#[derive(Debug, Default)]
struct Kept {
    documents: BTreeMap<String, Document>,
    /// When a document that is not cached could not be fetched.
    failed: BTreeMap<String, Timestamp>,
}

#[derive(Clone, Debug)]
struct Document {
    /// When the document was last fetched, successfully or not.
    asked_at: Timestamp,
    bytes: Vec<u8>,
}

/// What to do for a document.
enum Step {
    Use(Vec<u8>),
    Refuse(&'static str),
    Fetch,
}

impl KeyDocuments {
    pub(crate) fn new(https: Https, clock: Clock) -> Self {
        Self { https, clock, kept: Arc::default() }
    }

    /// The document at a URL. It is fetched if no fresh copy is cached, or if a newer one may hold the key
    /// (`newer`). If the fetch fails, the cached copy is used.
    ///
    /// # Errors
    ///
    /// If the document is not cached and cannot be fetched: the reason.
    pub(crate) async fn get(&self, url: &str, newer: bool) -> Result<Vec<u8>, String> {
        let now = self.clock.now();
        match self.lock().step(url, newer, now) {
            Step::Use(bytes) => return Ok(bytes),
            Step::Refuse(reason) => return Err(reason.to_owned()),
            Step::Fetch => {}
        }
        let fetched =
            self.https.get(url, LARGEST_KEY_DOCUMENT).await.map_err(|error| error.to_string());
        let fetched = fetched.and_then(|bytes| readable(bytes.to_vec()));
        if let Err(error) = &fetched {
            tracing::error!(url = placet_core::url::shown(url), error, "signing key not fetched");
        }
        self.lock().keep(url, fetched, now)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn step(&mut self, url: &str, newer: bool, now: Timestamp) -> Step {
        if let Some(Document { asked_at, bytes }) = self.documents.get(url) {
            let wait = if newer { LEAST_BETWEEN_FETCHES } else { FRESH };
            return if now.since(*asked_at) < wait {
                Step::Use(bytes.clone())
            } else {
                Step::Fetch
            };
        }
        self.failed.retain(|_, at| now.since(*at) < LEAST_BETWEEN_FETCHES);
        match self.failed.len() {
            _ if self.failed.contains_key(url) => {
                Step::Refuse("its last fetch failed less than a minute ago")
            }
            MOST_FAILED_FETCHES.. => {
                Step::Refuse("too many other fetches failed within the last minute")
            }
            _ => Step::Fetch,
        }
    }

    /// Keeps the result of a fetch. If the fetch failed, a cached copy counts.
    fn keep(
        &mut self,
        url: &str,
        fetched: Result<Vec<u8>, String>,
        now: Timestamp,
    ) -> Result<Vec<u8>, String> {
        let had = self.documents.get(url).map(|document| document.bytes.clone());
        match fetched.or_else(|error| had.ok_or(error)) {
            Ok(bytes) => {
                self.make_room(url);
                let document = Document { asked_at: now, bytes: bytes.clone() };
                self.documents.insert(url.to_owned(), document);
                Ok(bytes)
            }
            Err(error) => {
                self.failed.insert(url.to_owned(), now);
                Err(error)
            }
        }
    }

    /// Removes the document that was fetched longest ago, if there is no room for one more.
    fn make_room(&mut self, url: &str) {
        if self.documents.len() >= MOST_KEY_DOCUMENTS && !self.documents.contains_key(url) {
            let oldest = self.documents.iter().min_by_key(|(_, document)| document.asked_at);
            if let Some(oldest) = oldest.map(|(url, _)| url.clone()) {
                self.documents.remove(&oldest);
            }
        }
    }
}

/// Accepts only a key set or a certificate: an error page must not replace good keys.
fn readable(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let key_set = serde_json::from_slice::<serde_json::Value>(&bytes)
        .is_ok_and(|json| json.get("keys").is_some_and(serde_json::Value::is_array));
    match key_set || bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
        true => Ok(bytes),
        false => Err("the response is neither a JSON key set nor a PEM certificate".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_165_200_000);

    fn later(seconds: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(seconds))
    }

    fn fetches(kept: &mut Kept, url: &str, newer: bool, now: Timestamp) -> bool {
        matches!(kept.step(url, newer, now), Step::Fetch)
    }

    #[test]
    fn invented_addresses_cause_a_limited_number_of_fetches_and_displace_no_key() {
        let mut kept = Kept::default();
        kept.keep("good", Ok(b"key".to_vec()), NOW).unwrap();
        let mut fetched = 0;
        for n in 0..1000 {
            let url = format!("invented {n}");
            if fetches(&mut kept, &url, false, NOW) {
                fetched += 1;
                kept.keep(&url, Err("status 403".to_owned()), NOW).unwrap_err();
            }
        }
        assert_eq!((fetched, kept.failed.len()), (MOST_FAILED_FETCHES, MOST_FAILED_FETCHES));
        assert!(matches!(kept.step("good", false, later(59)), Step::Use(bytes) if bytes == b"key"));
        assert!(!fetches(&mut kept, "new", false, later(59)));
        assert!(fetches(&mut kept, "new", false, later(60)));
        assert!(kept.failed.is_empty());
    }

    #[test]
    fn an_unknown_key_causes_at_most_one_fetch_a_minute() {
        let mut kept = Kept::default();
        kept.keep("set", Ok(b"old".to_vec()), NOW).unwrap();
        assert!(!fetches(&mut kept, "set", true, later(59)));
        assert!(fetches(&mut kept, "set", true, later(60)));
        // The fetch fails, and the copy in the cache counts for another minute.
        let used = kept.keep("set", Err("status 500".to_owned()), later(60));
        assert_eq!(used, Ok(b"old".to_vec()));
        assert!(!fetches(&mut kept, "set", true, later(119)));
        assert!(fetches(&mut kept, "set", true, later(120)));
    }

    #[test]
    fn a_full_cache_forgets_the_oldest_document() {
        let mut kept = Kept::default();
        for n in 0..=MOST_KEY_DOCUMENTS as u64 {
            kept.keep(&n.to_string(), Ok(Vec::new()), later(n)).unwrap();
        }
        assert_eq!(kept.documents.len(), MOST_KEY_DOCUMENTS);
        assert!(!kept.documents.contains_key("0") && kept.documents.contains_key("1"));
    }
}
