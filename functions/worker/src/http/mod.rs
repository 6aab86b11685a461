//! HTTP calls to servers that Placet does not control.

mod client;
mod outbound;

pub(crate) use client::{causes, retry_after};
pub(crate) use outbound::{OutboundClient, Post};
