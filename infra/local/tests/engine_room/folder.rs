//! A data folder that is damaged, of another program or open to others is refused, with what to do.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;

use aws_sdk_dynamodb::types::AttributeValue;
use placet_local::engines::{Engines, QueueTime, Queues, Storage, TABLE, http_client};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::data_folder;

const DATABASE: &str = "placet.sqlite";

async fn start(folder: &Path) -> Result<Engines, String> {
    let storage = Storage::Folder(folder.to_owned());
    let started = Engines::start(storage, Queues::over(QueueTime::Real)).await;
    started.map_err(|error| error.to_string())
}

/// Why the engines do not start on this folder, with its path replaced.
async fn refusal(folder: &Path) -> String {
    start(folder).await.unwrap_err().replace(folder.to_str().unwrap(), "FOLDER")
}

/// A folder with the table and some rows.
async fn used() -> TempDir {
    let folder = data_folder();
    let engines = start(folder.path()).await.unwrap();
    let client = engines.dynamodb_client(http_client());
    for n in 0..100 {
        let put =
            client.put_item().table_name(TABLE).item("sk", AttributeValue::S("x".repeat(500)));
        put.item("pk", AttributeValue::S(format!("row {n}"))).send().await.unwrap();
    }
    engines.stop().await;
    folder
}

/// The refusal of a folder whose database these statements have changed.
async fn refusal_after(statements: &str) -> String {
    let folder = used().await;
    let database = Connection::open(folder.path().join(DATABASE)).unwrap();
    database.execute_batch(statements).unwrap();
    drop(database);
    refusal(folder.path()).await
}

#[tokio::test]
async fn an_empty_file_is_refused() {
    let folder = used().await;
    fs::write(folder.path().join(DATABASE), "").unwrap();
    insta::assert_snapshot!(refusal(folder.path()).await, @"cannot use `FOLDER/placet.sqlite`: it is empty. Move the data folder away, as in `mv FOLDER FOLDER.damaged`, and start again: Placet makes a new, empty one");
    assert_eq!(fs::read(folder.path().join(DATABASE)).unwrap(), b"", "the file is not changed");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = data_folder();
    fs::write(folder.path().join(DATABASE), "no database ".repeat(1000)).unwrap();
    let refusal = refusal(folder.path()).await;
    assert!(refusal.contains("placet.sqlite`: it is no SQLite database. Move "), "{refusal}");
}

#[tokio::test]
async fn the_database_of_another_program_is_refused_and_not_changed() {
    let folder = data_folder();
    let file = folder.path().join(DATABASE);
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE visits (url TEXT)").unwrap();
    let before = fs::read(&file).unwrap();
    let refusal = refusal(folder.path()).await;
    assert!(refusal.contains(": it is the database of another program. Move "), "{refusal}");
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_table_without_an_index_is_refused() {
    for statements in [
        r#"DROP TABLE "placet::gsi::due""#,
        r#"UPDATE _tables SET gsi_definitions = replace(gsi_definitions, '"due"', '"other"')"#,
    ] {
        let refusal = refusal_after(statements).await;
        assert!(refusal.contains(": its table `placet` lacks the index `due`. Move "), "{refusal}");
    }
    let refusal = refusal_after("DELETE FROM _tables").await;
    assert!(refusal.contains(": it has no table `placet`. Move "), "{refusal}");
}

#[tokio::test]
async fn overwritten_pages_are_found() {
    const PAGE: u64 = 4096;
    for first in [0, 1, 2] {
        let folder = used().await;
        let file = fs::File::options().write(true).open(folder.path().join(DATABASE)).unwrap();
        let pages = file.metadata().unwrap().len() / PAGE;
        for page in (first..pages).step_by(3) {
            file.write_all_at(&[0xA5; PAGE as usize], page * PAGE).unwrap();
        }
        let refusal = refusal(folder.path()).await;
        assert!(refusal.starts_with("cannot use `FOLDER/placet.sqlite`: it is "), "{refusal}");
        assert!(refusal.contains("mv FOLDER FOLDER.damaged"), "{refusal}");
    }
}

/// The engine reads a file that lacks its end: what it lacks is zeros.
#[tokio::test]
async fn a_file_without_its_end_is_refused() {
    let folder = used().await;
    let file = fs::File::options().write(true).open(folder.path().join(DATABASE)).unwrap();
    file.set_len(file.metadata().unwrap().len() - 100).unwrap();
    let message = refusal(folder.path()).await;
    assert!(message.contains("`: it is damaged (its end is missing). Move "), "{message}");
}

#[tokio::test]
async fn a_row_that_is_no_json_is_found() {
    for table in ["placet", "placet::gsi::due"] {
        let insert = "INSERT INTO \"placet::gsi::due\" (gsi_pk, gsi_sk, table_pk, table_sk, item_json) VALUES ('a', 'b', 'c', 'd', '{}')";
        let damage = format!("UPDATE \"{table}\" SET item_json = substr(item_json, 2)");
        let message = refusal_after(&format!("{insert}; {damage}")).await;
        let part = format!(": it is damaged (a row of `{table}` is no JSON). Move ");
        assert!(message.contains(&part), "{message}");
    }
}

#[tokio::test]
async fn a_folder_that_has_lost_its_database_is_refused() {
    let folder = used().await;
    fs::remove_file(folder.path().join(DATABASE)).unwrap();
    insta::assert_snapshot!(refusal(folder.path()).await, @"the data folder `FOLDER` has lost its database: placet.sqlite is missing, but blobs is there. Restore placet.sqlite from a copy, or move the data folder away, as in `mv FOLDER FOLDER.old`, and start again: Placet makes a new, empty one");
    assert!(!folder.path().join(DATABASE).exists());

    // The engine would apply the log of the old database to a new one.
    for left in ["placet.sqlite-wal", "link-secret"] {
        let folder = data_folder();
        fs::write(folder.path().join(left), "x").unwrap();
        let refusal = refusal(folder.path()).await;
        assert!(refusal.contains(&format!("is missing, but {left} is there. ")), "{refusal}");
    }
}

#[tokio::test]
async fn an_interrupted_first_start_is_repeated() {
    let folder = data_folder();
    for end in ["", "-wal", "-shm"] {
        fs::write(folder.path().join(format!("placet.sqlite.new{end}")), "half").unwrap();
    }
    start(folder.path()).await.unwrap().stop().await;
    start(folder.path()).await.unwrap().stop().await;
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["blobs", "placet.lock", "placet.sqlite"]);
}

#[tokio::test]
async fn a_folder_that_others_may_read_is_refused() {
    let folder = data_folder();
    let data = folder.path().join("data");
    start(&data).await.unwrap().stop().await;
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);

    fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
    insta::assert_snapshot!(refusal(&data).await, @"other users of this machine may read the data folder `FOLDER` (its mode is 755): run `chmod 700 FOLDER` and start again");
}
