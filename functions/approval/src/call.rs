//! The input of a handler: the request, the key of the caller, and the services.

use lambda_http::http::HeaderMap;
use placet_core::item::{Item, Kind};
use placet_core::operation::{Actor, OperationId, OperationKind, Specification};
use placet_core::{Digest, Timestamp, percent};
use placet_runtime::config::Interface;
use placet_runtime::http::Request;
use placet_runtime::problem::Problem;
use placet_runtime::{ApiKey, Cursor, Engine, Requested, Runtime, key_id};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::Approval;
use crate::error::Error;
use crate::polling::Polling;
use crate::read;

/// An authorised request: its key has the right that the route needs.
pub(crate) struct Call<'a> {
    pub(crate) app: &'a Approval,
    pub(crate) request: &'a Request,
    pub(crate) key: ApiKey,
    /// The digest of the key; `None` for the person at this machine, who uses the demo without a key.
    pub(crate) key_digest: Option<Digest>,
    pub(crate) parameters: Parameters,
}

/// The parameters in a path, decoded; `None` if one of them is not UTF-8.
pub(crate) struct Parameters(Option<Map<String, Value>>);

impl Parameters {
    /// Decodes the parameters of a path. Their values are percent-encoded.
    pub(crate) fn new<'p>(encoded: impl Iterator<Item = (&'p str, &'p str)>) -> Self {
        let decoded = encoded.map(|(name, value)| {
            Some((name.to_owned(), Value::String(percent::decode(value.as_bytes())?)))
        });
        Self(decoded.collect())
    }
}

impl Call<'_> {
    /// The services.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.app.runtime
    }

    /// The engine.
    pub(crate) fn engine(&self) -> &Engine {
        &self.app.runtime.engine
    }

    /// Whether and how long polls are held.
    pub(crate) fn polling(&self) -> &Polling {
        &self.app.polling
    }

    /// The current moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.engine().now()
    }

    /// The project of the key.
    pub(crate) fn project(&self) -> &str {
        &self.key.project
    }

    /// The holder of the key, in the form that the history records.
    pub(crate) fn by(&self) -> Actor {
        match self.key_digest {
            Some(digest) => Actor::api(key_id(digest), &self.key.name),
            None => Actor::Demo,
        }
    }

    /// A new operation that the holder of the key requests. The key may decide the operation only if the key was
    /// made for that.
    pub(crate) fn requested(
        &self,
        id: OperationId,
        run_id: String,
        specification: Specification,
        through: Interface,
    ) -> Requested {
        let except_key = self.key_digest.filter(|_| !self.key.self_approval).map(key_id);
        Requested { id, run_id, specification, by: self.by(), except_key, through }
    }

    /// The operation of this kind and id in the key's project.
    pub(crate) fn operation_id(&self, kind: OperationKind, call_id: &str) -> OperationId {
        OperationId::new(self.project(), kind, call_id)
    }

    /// The headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// The raw bytes of the body.
    pub(crate) fn body(&self) -> &[u8] {
        self.request.body().as_ref()
    }

    /// The parameters in the path.
    ///
    /// # Errors
    ///
    /// 404 if the path is not valid UTF-8 or a parameter has an impossible value.
    pub(crate) fn path<P: DeserializeOwned>(&self) -> Result<P, Error> {
        let Parameters(Some(parameters)) = &self.parameters else {
            return Err(Problem::not_found("the path is not valid UTF-8").into());
        };
        let read = read::value(Value::Object(parameters.clone()));
        Ok(read.map_err(|wrong| Problem::not_found(format!("the path is wrong: {wrong}")))?)
    }

    /// The parameters of the query.
    ///
    /// # Errors
    ///
    /// 400 if one of them is wrong or given twice.
    pub(crate) fn query<Q: DeserializeOwned>(&self) -> Result<Q, Error> {
        Ok(read::query(self.request.uri().query().unwrap_or_default())?)
    }

    /// The position at which a page of a list starts.
    ///
    /// # Errors
    ///
    /// 400 if the text is not a cursor of this list.
    pub(crate) fn cursor<K: Kind>(&self, text: Option<&str>) -> Result<Option<Cursor>, Error> {
        let Some(text) = text else { return Ok(None) };
        match Cursor::read(text, K::NAME, self.project()) {
            Some(cursor) => Ok(Some(cursor)),
            None => {
                Err(read::invalid_query("cursor must be the `next` of the previous page").into())
            }
        }
    }

    /// Loads an item of the key's project with a consistent read.
    ///
    /// # Errors
    ///
    /// 404 if there is no such item.
    pub(crate) async fn load<K: Kind>(&self, id: &str) -> Result<Item<K>, Error> {
        let found = self.engine().store.item::<K>(self.project(), id, true).await?;
        found.ok_or_else(|| not_found::<K>(id).into())
    }
}

/// The 404 for an item that does not exist.
pub(crate) fn not_found<K: Kind>(id: &str) -> Problem {
    Problem::not_found(format!("there is no {} with id {id}", K::NAME))
}
