//! Background work from the queues `work` and `calls`: the worker runs approved operations, processes
//! received webhooks, sends webhooks and polls upstream approvers.
//!
//! The engine steps each item. This package implements the work of each kind, in one file per kind.

mod delivery;
pub mod executors;
mod http;
pub mod mail;
mod operation;
mod poll;
mod receipt;
mod run;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use placet_core::SigningKeys;
use placet_core::delivery::Delivery;
use placet_core::item::Lane;
use placet_core::operation::Operation;
use placet_core::receipt::Receipt;
use placet_runtime::engine::{Kinds, process_batch};
use placet_runtime::mailbox::Mailbox;
use placet_runtime::{Runtime, link_keys};

pub use executors::{Call, Functions};
use mail::{MailError, Mailer};

/// The kinds of items that this worker processes.
pub type Shipped = (Operation, (Receipt, (Delivery, ())));

/// The environment variable with the lane of a worker function: `work` or `calls`.
pub const LANE: &str = "PLACET_LANE";

/// The worker function.
#[derive(Clone)]
pub struct Worker {
    runtime: Runtime,
    functions: Functions,
    outbound: http::OutboundClient,
    /// The keys of decision links, if there are any.
    link_keys: Option<SigningKeys>,
    mailer: Mailer,
}

impl Worker {
    /// The function over these services, with the functions it can run.
    pub fn new(runtime: Runtime, functions: Functions) -> Self {
        for (name, definition) in runtime.config.operations() {
            if let Some(missing) = functions.missing(definition, &runtime.environment) {
                tracing::error!(
                    function = name,
                    problem = missing.message,
                    "approved operations of this function cannot run"
                );
            }
        }
        for (name, endpoint) in runtime.config.endpoints() {
            if let Err(error) = endpoint.secrets.resolve(&runtime.environment) {
                tracing::warn!(endpoint = name, %error, "webhooks to this endpoint cannot be signed");
            }
        }
        for (function, upstream) in runtime.config.upstreams() {
            if let Err(error) = upstream.api_key.text(&runtime.environment) {
                let url = upstream.base_url();
                tracing::warn!(function, url, %error, "upstream approver cannot be polled");
            }
        }
        let outbound = http::OutboundClient::new(&runtime);
        let link_keys = link_keys(&runtime.environment);
        let mailer = mailer(&runtime, None);
        if let Some(error) = mailer.problem().filter(|error| **error != MailError::NotConfigured) {
            tracing::warn!(%error, "mail cannot be sent");
        }
        Self { runtime, functions, outbound, link_keys, mailer }
    }

    /// Also keeps every mail in this mailbox. Without a configured mail server, the mailbox accepts all mail.
    #[must_use]
    pub fn with_mailbox(mut self, mailbox: Mailbox) -> Self {
        self.mailer = mailer(&self.runtime, Some(mailbox));
        self
    }

    /// Sends mail through the configured server.
    pub const fn mailer(&self) -> &Mailer {
        &self.mailer
    }

    /// Processes a batch of a lane, and returns the records that failed.
    pub async fn handle<List: Kinds<Self>>(&self, lane: Lane, event: SqsEvent) -> SqsBatchResponse {
        process_batch::<Self, List>(&self.runtime.engine, self, lane, event).await
    }
}

fn mailer(runtime: &Runtime, mailbox: Option<Mailbox>) -> Mailer {
    Mailer::new(&runtime.config, &runtime.environment, &runtime.https, mailbox)
}
