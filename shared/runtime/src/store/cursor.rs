use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use placet_core::Digest;

/// The start of a page: after the entry with this sort key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub(super) String);

impl Cursor {
    /// The text of the cursor, which is valid only for this list and project.
    pub fn text(&self, list: &str, project: &str) -> String {
        let Self(sk) = self;
        URL_SAFE_NO_PAD.encode(format!("{sk}#{}", check(list, project, sk)))
    }

    /// Reads a cursor from its text; `None` if it is invalid, or belongs to another list or project.
    pub fn read(text: &str, list: &str, project: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (sk, digest) = text.rsplit_once('#')?;
        (check(list, project, sk) == digest).then(|| Self(sk.to_owned()))
    }
}

fn check(list: &str, project: &str, sk: &str) -> String {
    let digest = Digest::of_bytes(format!("{list}\n{project}\n{sk}").as_bytes());
    digest.to_string().chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use placet_core::Timestamp;

    use super::super::key;
    use super::*;

    #[test]
    fn a_cursor_reads_only_an_unchanged_text_of_its_list() {
        let cursor = Cursor(key::list_sk(Timestamp::from_millis(7), 9));
        let text = cursor.text("receipt", "t");
        assert_eq!(Cursor::read(&text, "receipt", "t"), Some(cursor));
        assert_eq!(Cursor::read(&text, "receipt", "other"), None);
        assert_eq!(Cursor::read(&text, "delivery", "t"), None);
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert!(Cursor::read(&other, "receipt", "t").is_none(), "{other}");
        }
        for wrong in ["", "x", "%", &text[1..]] {
            assert!(Cursor::read(wrong, "receipt", "t").is_none(), "{wrong}");
        }
    }
}
