//! The table: dynoxide, on a file or in memory.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dynoxide::Database;
use dynoxide::actions::create_table::CreateTableRequest;
use dynoxide::actions::update_time_to_live::{TimeToLiveSpecification, UpdateTimeToLiveRequest};
use hyper::service::service_fn;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::meter::Meter;
use super::{
    EngineError, Storage, TABLE, dispatch, folder, loopback_listener, server, wait_for_end,
};

/// The table as a `CreateTable` request. `template.yaml` must define the same table.
pub fn table_schema() -> Value {
    let key = |hash: &str, range: &str| {
        json!([
            { "AttributeName": hash, "KeyType": "HASH" },
            { "AttributeName": range, "KeyType": "RANGE" },
        ])
    };
    let index = |name: &str| {
        json!({
            "IndexName": name,
            "KeySchema": key(&format!("{name}_pk"), &format!("{name}_sk")),
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        })
    };
    let attributes = ["pk", "sk", "due_pk", "due_sk", "list_pk", "list_sk"]
        .map(|name| json!({ "AttributeName": name, "AttributeType": "S" }));
    json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes,
        "KeySchema": key("pk", "sk"),
        "GlobalSecondaryIndexes": [index("due"), index("list")],
    })
}

/// The engine. Dropping `stop` ends the server.
pub(super) struct DynamoDb {
    pub(super) url: String,
    /// The file of the database; empty if it is in memory.
    file: PathBuf,
    pub(super) meter: Arc<Meter>,
    db: Database,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl DynamoDb {
    pub(super) fn start(storage: &Storage) -> Result<Self, EngineError> {
        let (db, file, lock) = match storage {
            Storage::Memory => {
                let db =
                    whole(Database::memory()).map_err(|error| failure(Path::new(""), error))?;
                (db, PathBuf::new(), None)
            }
            Storage::Folder(folder) => {
                let lock = folder::lock(folder)?;
                let file = folder::database(folder, |new| open(new).map(drop))?;
                (open(&file).map_err(|error| failure(&file, error))?, file, Some(lock))
            }
        };
        let (listener, address) = loopback_listener()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let meter = Arc::<Meter>::default();
        let (served, metered) = (db.clone(), Arc::clone(&meter));
        let engine = service_fn(move |request| {
            dispatch::answer(served.clone(), Arc::clone(&metered), request)
        });
        let server = tokio::spawn(async move {
            server::serve(listener, engine, stopped).await;
            drop(lock);
        });
        Ok(Self { url: format!("http://{address}"), file, meter, db, stop, server })
    }

    pub(super) async fn sweep(&self) -> Result<usize, EngineError> {
        let db = self.db.clone();
        let swept = tokio::task::spawn_blocking(move || db.sweep_ttl()).await;
        match swept {
            Ok(Ok(deleted)) => Ok(deleted),
            Ok(Err(error)) => Err(failure(&self.file, error)),
            Err(error) => Err(failure(&self.file, error)),
        }
    }

    pub(super) async fn stop(self) {
        drop(self.db);
        drop(self.stop);
        wait_for_end(self.server).await;
    }
}

fn failure(file: &Path, reason: impl Display) -> EngineError {
    EngineError::Database { file: file.to_owned(), reason: reason.to_string() }
}

fn open(file: &Path) -> Result<Database, String> {
    let path = file.to_str().ok_or("its path is not valid UTF-8")?;
    whole(Database::new(path))
}

/// A database with the table.
fn whole(db: dynoxide::Result<Database>) -> Result<Database, String> {
    let db = db.map_err(|error| error.to_string())?;
    // These two calls leave SQLite at synchronous=NORMAL. A killed process then loses nothing, and the
    // writes per second double. The engine has no other switch for this setting.
    db.enable_bulk_loading()
        .and_then(|()| db.disable_bulk_loading())
        .map_err(|error| error.to_string())?;
    create_table(&db)?;
    Ok(db)
}

fn create_table(db: &Database) -> Result<(), String> {
    let missing = db.get_table_metadata(TABLE).map_err(|error| error.to_string())?.is_none();
    if missing {
        let request: CreateTableRequest =
            serde_json::from_value(table_schema()).map_err(|error| error.to_string())?;
        db.create_table(request).map_err(|error| error.to_string())?;
    }
    // Also for an existing table: a process may have been killed between the two calls.
    db.update_time_to_live(UpdateTimeToLiveRequest {
        table_name: TABLE.to_owned(),
        time_to_live_specification: TimeToLiveSpecification {
            attribute_name: "ttl".to_owned(),
            enabled: true,
        },
    })
    .map_err(|error| error.to_string())?;
    Ok(())
}
