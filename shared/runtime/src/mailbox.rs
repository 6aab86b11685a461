//! The mailbox of the local system. It keeps every mail, so that a newcomer sees what a colleague would get.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use placet_core::Timestamp;
use placet_core::limits::MOST_KEPT_MAILS;
use serde::{Deserialize, Serialize};

/// A kept mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptMail {
    /// The time of the mail.
    pub at: Timestamp,
    /// The addresses that get it.
    pub recipients: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The part for a reader without HTML.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// The mail as a server gets it.
    #[serde(skip)]
    pub message: Vec<u8>,
}

/// The mails that were sent last, by name. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Mailbox(Place);

#[derive(Clone, Debug)]
enum Place {
    Folder(PathBuf),
    Memory(Arc<Mutex<BTreeMap<String, KeptMail>>>),
}

impl Mailbox {
    /// A mailbox in a folder: a file `.eml` for each mail, and beside it a file `.json` with its parts. The folder is
    /// created with the first mail, and only its owner may read it.
    pub fn folder(folder: PathBuf) -> Self {
        Self(Place::Folder(folder))
    }

    /// A mailbox in memory.
    pub fn memory() -> Self {
        Self(Place::Memory(Arc::default()))
    }

    /// Keeps a mail under its time and this id, and removes the oldest mails beyond [`MOST_KEPT_MAILS`]. A second
    /// attempt at the same mail replaces the first.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn keep(&self, id: &str, mail: KeptMail) -> io::Result<()> {
        let name = name(mail.at, id);
        match &self.0 {
            Place::Folder(folder) => {
                DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
                write(folder, &format!("{name}.json"), &serde_json::to_vec(&mail)?)?;
                write(folder, &format!("{name}.eml"), &mail.message)?;
            }
            Place::Memory(mails) => {
                mails.lock().unwrap_or_else(PoisonError::into_inner).insert(name, mail);
            }
        }
        for old in self.names()?.into_iter().skip(MOST_KEPT_MAILS) {
            self.remove(&old)?;
        }
        Ok(())
    }

    /// The names of the kept mails, newest first.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names: Vec<String> = match &self.0 {
            Place::Folder(folder) => files(folder)?,
            Place::Memory(mails) => {
                mails.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
            }
        };
        names.sort_unstable_by(|a, b| b.cmp(a));
        Ok(names)
    }

    /// The mail with this name, if there is one.
    ///
    /// # Errors
    ///
    /// If a file of the mail cannot be read.
    pub fn mail(&self, name: &str) -> io::Result<Option<KeptMail>> {
        if !name.bytes().all(is_plain) {
            return Ok(None);
        }
        match &self.0 {
            Place::Folder(folder) => {
                let message = match fs::read(folder.join(format!("{name}.eml"))) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    read => read?,
                };
                let parts = fs::read(folder.join(format!("{name}.json")))?;
                Ok(Some(KeptMail { message, ..serde_json::from_slice(&parts)? }))
            }
            Place::Memory(mails) => {
                Ok(mails.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
            }
        }
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match &self.0 {
            Place::Folder(folder) => {
                ["eml", "json"].iter().try_for_each(|end| {
                    match fs::remove_file(folder.join(format!("{name}.{end}"))) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                        _ => Ok(()),
                    }
                })
            }
            Place::Memory(mails) => {
                mails.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
                Ok(())
            }
        }
    }
}

/// The name of a mail: its time, so that names sort by time, and its id.
fn name(at: Timestamp, id: &str) -> String {
    let plain = |text: &str| -> String {
        text.chars().filter(|sign| u8::try_from(*sign).is_ok_and(is_plain)).collect()
    };
    let time = at.to_string().replace(['-', ':'], "");
    format!("{}-{}", plain(&time), plain(id))
}

/// Whether a byte may be part of the name of a mail.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}

/// The names of the mails in a folder; none if there is no folder yet.
fn files(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let file = entry?.file_name();
        names.extend(file.to_str().and_then(|name| name.strip_suffix(".eml")).map(str::to_owned));
    }
    Ok(names)
}

/// Writes a file for its owner alone, and gives it its name only when it is whole.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(format!("{name}.new"));
    let opened =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&unfinished);
    opened?.write_all(bytes)?;
    fs::rename(unfinished, folder.join(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mail(seconds: i64) -> KeptMail {
        KeptMail {
            at: Timestamp::from_millis(1_795_165_200_000 + seconds * 1000),
            recipients: vec!["a@example.org".to_owned()],
            subject: format!("Mail {seconds}"),
            text: "text".to_owned(),
            html: "<p>".to_owned(),
            message: b"Subject: x\r\n".to_vec(),
        }
    }

    fn mailboxes() -> (tempfile::TempDir, [Mailbox; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let kept = Mailbox::folder(folder.path().join("mail"));
        (folder, [kept, Mailbox::memory()])
    }

    #[test]
    fn a_mail_is_kept_as_it_is() {
        let (_folder, mailboxes) = mailboxes();
        for mailbox in mailboxes {
            assert!(mailbox.names().unwrap().is_empty());
            mailbox.keep("msg_1", mail(1)).unwrap();
            mailbox.keep("msg_2", mail(2)).unwrap();
            mailbox.keep("msg_2", mail(2)).unwrap();
            let names = mailbox.names().unwrap();
            assert_eq!(names, ["20261120T090002.000Z-msg_2", "20261120T090001.000Z-msg_1"]);
            assert_eq!(mailbox.mail(&names[0]).unwrap(), Some(mail(2)));
            assert_eq!(mailbox.mail("20261120T090002.000Z-msg_3").unwrap(), None);
        }
    }

    #[test]
    fn only_the_owner_reads_the_folder() {
        let (folder, [mailbox, _]) = mailboxes();
        mailbox.keep("../../a/b", mail(1)).unwrap();
        let mode = |path: &str| {
            fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777
        };
        assert_eq!(mode("mail"), 0o700);
        assert_eq!(mode("mail/20261120T090001.000Z-....ab.eml"), 0o600);
        for foreign in ["../secret", "/etc/passwd", "a/b", ""] {
            assert_eq!(mailbox.mail(foreign).unwrap(), None, "{foreign}");
        }
    }

    #[test]
    fn the_oldest_mails_are_removed() {
        let (_folder, mailboxes) = mailboxes();
        for mailbox in mailboxes {
            for seconds in 0..i64::try_from(MOST_KEPT_MAILS).unwrap() + 3 {
                mailbox.keep("msg", mail(seconds)).unwrap();
            }
            let names = mailbox.names().unwrap();
            assert_eq!(names.len(), MOST_KEPT_MAILS);
            assert!(names[names.len() - 1].starts_with("20261120T090003"), "{names:?}");
        }
    }
}
