//! The project of the key, and the contact channels that `placet.yaml` has for this project.

use lambda_http::http::StatusCode;
use placet_runtime::http::Response;
use placet_runtime::problem::Problem;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::error::Error;
use crate::reply::json;

/// The organization of every project: a deployment is one organization.
const ORGANIZATION: &str = "placet";

/// The project of a key, under every member name that a client reads. HumanLayer's command line reads three
/// of them, its Kubernetes controller two.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Project"))]
pub(crate) struct ProjectReply<'a> {
    name: &'a str,
    slug: &'a str,
    organization: &'a str,
    project_slug: &'a str,
    org_slug: &'a str,
}

/// The contact channel that a path names.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ChannelPath {
    /// The number of the contact channel.
    #[cfg_attr(test, schemars(example = &"7"))]
    channel_id: String,
}

/// A contact channel of `placet.yaml`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "ContactChannel"))]
pub(crate) struct ContactChannelReply<'a> {
    id: u64,
    org_slug: &'a str,
    project_slug: &'a str,
}

/// Gets the project of the key.
pub(crate) async fn project(call: Call<'_>) -> Result<Response, Error> {
    let project = call.project();
    let reply = ProjectReply {
        name: project,
        slug: project,
        organization: ORGANIZATION,
        project_slug: project,
        org_slug: ORGANIZATION,
    };
    Ok(json(StatusCode::OK, &reply))
}

/// Gets a contact channel of `placet.yaml`, if the key's project may use it.
pub(crate) async fn contact_channel(call: Call<'_>) -> Result<Response, Error> {
    let ChannelPath { channel_id } = call.path()?;
    let (config, project) = (&call.runtime().config, call.project());
    let id = channel_id.parse().ok().filter(|id| config.channel(project, *id).is_some());
    let missing = || Problem::not_found(format!("there is no contact channel {channel_id}"));
    let id = id.ok_or_else(missing)?;
    let reply = ContactChannelReply { id, org_slug: ORGANIZATION, project_slug: project };
    Ok(json(StatusCode::OK, &reply))
}
