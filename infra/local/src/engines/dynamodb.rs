//! The table: dynoxide, on a file or in memory.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use dynoxide::Database;
use dynoxide::actions::create_table::CreateTableRequest;
use dynoxide::actions::update_time_to_live::{TimeToLiveSpecification, UpdateTimeToLiveRequest};
use hyper::service::service_fn;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::meter::Meter;
use super::{EngineError, Storage, TABLE, dispatch, loopback_listener, server, wait_for_end};

const DATABASE_FILE: &str = "placet.sqlite";
const LOCK_FILE: &str = "placet.lock";

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
    name: String,
    pub(super) meter: Arc<Meter>,
    db: Database,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl DynamoDb {
    pub(super) fn start(storage: &Storage) -> Result<Self, EngineError> {
        let (name, lock) = match storage {
            Storage::Memory => ("(in memory)".to_owned(), None),
            Storage::Folder(folder) => {
                let lock = lock(folder)?;
                (database_path(folder)?, Some(lock))
            }
        };
        let db = open(storage, &name).map_err(|reason| failure(&name, reason))?;

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
        Ok(Self { url: format!("http://{address}"), name, meter, db, stop, server })
    }

    pub(super) async fn sweep(&self) -> Result<usize, EngineError> {
        let db = self.db.clone();
        let swept = tokio::task::spawn_blocking(move || db.sweep_ttl()).await;
        match swept {
            Ok(Ok(deleted)) => Ok(deleted),
            Ok(Err(error)) => Err(failure(&self.name, error.to_string())),
            Err(error) => Err(failure(&self.name, error.to_string())),
        }
    }

    pub(super) async fn stop(self) {
        drop(self.db);
        drop(self.stop);
        wait_for_end(self.server).await;
    }
}

/// Locks the folder for this process. Two processes on one database would not see each other's cached
/// schema. The operating system releases the lock with the file handle, also when the process is killed.
fn lock(folder: &Path) -> Result<File, EngineError> {
    let unusable = |source| EngineError::Folder { folder: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(unusable)?;
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

fn database_path(folder: &Path) -> Result<String, EngineError> {
    let path = folder.join(DATABASE_FILE);
    path.to_str().map(str::to_owned).ok_or_else(|| {
        let reason = "its path is not valid UTF-8".to_owned();
        failure(&path.display().to_string(), reason)
    })
}

fn failure(database: &str, reason: String) -> EngineError {
    EngineError::Database { database: database.to_owned(), reason }
}

fn open(storage: &Storage, path: &str) -> Result<Database, String> {
    let db = match storage {
        Storage::Memory => Database::memory(),
        Storage::Folder(_) => Database::new(path),
    }
    .map_err(|error| error.to_string())?;
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
