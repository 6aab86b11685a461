//! HumanLayer's API, which its SDKs, command line, daemon and Kubernetes controller call.

mod operations;
mod pending;
mod project;

pub(crate) use operations::{create, escalate, get, respond};
pub(crate) use pending::pending;
pub(crate) use project::{contact_channel, project};

#[cfg(test)]
pub(crate) mod schemas {
    pub(crate) use super::operations::CallPath;
    pub(crate) use super::pending::{ListPending, Pending};
    pub(crate) use super::project::{ChannelPath, ContactChannelReply, ProjectReply};
}
