//! How the worker calls somebody else's servers.

mod client;
mod outbound;

pub(crate) use client::{causes, retry_after};
pub(crate) use outbound::{OutboundClient, Post};
