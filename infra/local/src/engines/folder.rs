//! The data folder: only its owner may read it, one process uses it, and its database is whole.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};
use serde_json::Value;

use super::dynamodb::table_schema;
use super::{EngineError, TABLE};

const DATABASE_FILE: &str = "placet.sqlite";
/// The log of the engine. It would be applied to a new database.
const LOG_FILE: &str = "placet.sqlite-wal";
/// What the engine appends to the name of a database for its log.
const LOG: &str = "-wal";
/// What is in the data folder only after its database has been made.
const LATER: [&str; 3] = [LOG_FILE, LINK_SECRET, super::s3::FOLDER];
/// The file in the data folder with the key for decision links, which its owner writes after the start.
pub const LINK_SECRET: &str = "link-secret";
const LOCK_FILE: &str = "placet.lock";

/// Creates the data folder for its owner alone, if it is missing.
///
/// # Errors
///
/// If the folder cannot be created, or other users may read it.
pub fn create_folder(folder: &Path) -> Result<(), EngineError> {
    let unusable = |source| EngineError::Folder { folder: folder.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable)?;
    let mode = fs::metadata(folder).map_err(unusable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(EngineError::OpenFolder { folder: folder.to_owned(), mode });
    }
    Ok(())
}

/// Locks the folder for this process. Two processes on one database would not see each other's cached
/// schema. The operating system releases the lock with the file handle, also when the process is killed.
pub(super) fn lock(folder: &Path) -> Result<File, EngineError> {
    let unusable = |source| EngineError::Folder { folder: folder.to_owned(), source };
    create_folder(folder)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(LOCK_FILE))
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(EngineError::FolderInUse { folder: folder.to_owned() })
        }
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

/// The database of a locked folder, checked. If the folder never had one, `create` makes one under another name
/// first, so an interrupted start leaves no half of a database.
pub(super) fn database(
    folder: &Path,
    create: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, EngineError> {
    let unusable = |source| EngineError::Folder { folder: folder.to_owned(), source };
    let file = folder.join(DATABASE_FILE);
    let damaged =
        |reason| EngineError::Damaged { folder: folder.to_owned(), file: DATABASE_FILE, reason };
    if file.try_exists().map_err(unusable)? {
        check(&file).map_err(damaged)?;
        return Ok(file);
    }
    if let Some(left) = LATER.into_iter().find(|name| folder.join(name).exists()) {
        return Err(EngineError::Lost { folder: folder.to_owned(), file: DATABASE_FILE, left });
    }
    let new = beside(&file, ".new");
    for end in ["", LOG, "-shm"] {
        // The rest of an interrupted start, if there was one.
        let _ = fs::remove_file(beside(&new, end));
    }
    create(&new).map_err(|reason| EngineError::Database { file: new.clone(), reason })?;
    fs::rename(&new, &file).map_err(unusable)?;
    Ok(file)
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Checks that a file is a whole database with our table and its indexes.
fn check(file: &Path) -> Result<(), String> {
    if fs::metadata(file).is_ok_and(|file| file.len() == 0) {
        return Err("it is empty".to_owned());
    }
    // A killed process may leave half of a page that is whole in the log.
    let has_log = beside(file, LOG).exists();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(file, flags).map_err(|error| in_words(&error))?;
    let fault: String = database
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| in_words(&error))?;
    if fault != "ok" {
        let fault = fault.lines().last().unwrap_or_default().to_owned();
        return Err(format!("it is damaged ({fault})"));
    }
    let page: u64 = database
        .query_row("PRAGMA page_size", [], |row| row.get(0))
        .map_err(|error| in_words(&error))?;
    if !has_log && fs::metadata(file).is_ok_and(|file| file.len() % page != 0) {
        return Err("it is damaged (its end is missing)".to_owned());
    }
    check_table(&database).map_err(|error| in_words(&error))?.map_or(Ok(()), Err)?;
    check_rows(&database).map_err(|error| in_words(&error))?.map_or(Ok(()), Err)
}

/// Which row is damaged, if any. The other checks do not read what is in a row.
fn check_rows(database: &Connection) -> rusqlite::Result<Option<String>> {
    let indexes = format!("{TABLE}::gsi::");
    let query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND (name = ?1 OR substr(name, 1, ?2) = ?3)";
    let mut tables = database.prepare(query)?;
    let names = tables.query_map((TABLE, indexes.len(), &indexes), |row| row.get(0))?;
    for name in names.collect::<rusqlite::Result<Vec<String>>>()? {
        let query = format!(r#"SELECT 1 FROM "{name}" WHERE NOT json_valid(item_json) LIMIT 1"#);
        if database.query_row(&query, [], |_| Ok(())).optional()?.is_some() {
            return Ok(Some(format!("it is damaged (a row of `{name}` is no JSON)")));
        }
    }
    Ok(None)
}

/// What is wrong with the table, if anything.
fn check_table(database: &Connection) -> rusqlite::Result<Option<String>> {
    let has = |name: &str| {
        let query = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        let found = database.query_row(query, [name], |_| Ok(())).optional();
        found.map(|found| found.is_some())
    };
    if !has("_tables")? {
        return Ok(Some("it is the database of another program".to_owned()));
    }
    let query = "SELECT key_schema, gsi_definitions FROM _tables WHERE table_name = ?1";
    let row =
        |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?));
    let Some((key, indexes)) = database.query_row(query, [TABLE], row).optional()? else {
        return Ok(Some(format!("it has no table `{TABLE}`")));
    };
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let (schema, indexes) = (table_schema(), read(&indexes.unwrap_or_default()));
    if !has(TABLE)? || read(&key) != schema["KeySchema"] {
        return Ok(Some(format!("its table `{TABLE}` is not the one of this version of Placet")));
    }
    let stored: Vec<&Value> = indexes.as_array().into_iter().flatten().collect();
    for index in schema["GlobalSecondaryIndexes"].as_array().into_iter().flatten() {
        let name = index["IndexName"].as_str().unwrap_or_default();
        let same = |one: &&Value| {
            one["IndexName"] == index["IndexName"] && one["KeySchema"] == index["KeySchema"]
        };
        if !stored.iter().any(same) || !has(&format!("{TABLE}::gsi::{name}"))? {
            return Ok(Some(format!("its table `{TABLE}` lacks the index `{name}`")));
        }
    }
    Ok(None)
}

fn in_words(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "it is no SQLite database".to_owned(),
        _ => format!("it is damaged ({error})"),
    }
}
