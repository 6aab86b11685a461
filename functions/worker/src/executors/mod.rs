//! Executors of approved operations: functions compiled into the worker, and HTTP endpoints.
//!
//! To add your own function, write it like [`purchase_materials`](purchase_materials::purchase_materials),
//! add it to [`Functions::shipped`], and name it in `placet.yaml`.

mod http;
pub mod purchase_materials;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use placet_core::item::Item;
use placet_core::operation::{Content, Failure, Operation, Report};
use placet_runtime::config::{Definition, Executor};
use placet_runtime::{Config, Environment};
use serde_json::Value;

/// One attempt at an approved operation: the input of an executor.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The call id, which the requester chose.
    pub call_id: String,
    /// The function's name.
    pub function: String,
    /// The arguments, exactly as they were approved.
    pub kwargs: Value,
    /// The idempotency key, the same for every attempt: the executor must take effect once per key.
    pub idempotency_key: String,
    /// The number of the attempt, from 1.
    pub attempt: u32,
}

impl Call {
    /// The call of an operation; `None` for a question to a person, which has no executor.
    pub(crate) fn of(operation: &Item<Operation>) -> Option<Self> {
        let Content::Call { function, kwargs } = &operation.content else { return None };
        Some(Self {
            call_id: operation.call_id().to_owned(),
            function: function.clone(),
            kwargs: kwargs.clone(),
            idempotency_key: operation.idempotency_key(),
            attempt: operation.attempts,
        })
    }
}

type Running = Pin<Box<dyn Future<Output = Report> + Send>>;

/// A compiled-in function, ready to be called.
pub type Function = Arc<dyn Fn(Call) -> Running + Send + Sync>;

/// The functions compiled into the worker, by their names in `placet.yaml`.
#[derive(Clone, Default)]
pub struct Functions(BTreeMap<&'static str, Function>);

impl Functions {
    /// All functions of this worker. Add your own here.
    pub fn shipped() -> Self {
        Self::default().with("purchase_materials", purchase_materials::purchase_materials)
    }

    /// These functions and one more.
    #[must_use]
    pub fn with<F, Fut>(mut self, name: &'static str, function: F) -> Self
    where
        F: Fn(Call) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Report> + Send + 'static,
    {
        self.0.insert(name, Arc::new(move |call| Box::pin(function(call))));
        self
    }

    /// The function of this name.
    ///
    /// # Errors
    ///
    /// The failure of an operation that needs a function which is not compiled into the worker.
    pub(crate) fn find(&self, name: &str) -> Result<&Function, Failure> {
        self.0.get(name).ok_or_else(|| {
            let message = format!("function {name} is not compiled into the worker");
            Failure::new("no_such_function", &message)
        })
    }

    /// The operations that this worker cannot run, by function name, and what it lacks.
    pub fn all_missing(
        &self,
        config: &Config,
        environment: &Environment,
    ) -> BTreeMap<String, Failure> {
        let missing = |(name, definition): (&String, &Definition)| {
            Some((name.clone(), self.missing(definition, environment)?))
        };
        config.operations().filter_map(missing).collect()
    }

    /// What this worker lacks to run an operation of this definition; `None` if it can run it.
    pub fn missing(&self, definition: &Definition, environment: &Environment) -> Option<Failure> {
        match definition.executor.as_ref()? {
            Executor::Function(name) => self.find(name).err(),
            Executor::Http(http) => {
                let error = http.secret.as_ref()?.resolve(environment).err()?;
                Some(Failure::new("no_secret", &error.to_string()))
            }
        }
    }
}
