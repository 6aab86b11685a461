//! Decision links, made for a person and revoked.

use std::time::Duration;

use lambda_http::http::StatusCode;
use placet_core::item::Item;
use placet_core::limits::LONGEST_ID;
use placet_core::operation::{Command, Operation, OperationId, OperationKind};
use placet_core::people::PersonRight;
use placet_core::{DecisionLink, Period, SigningKeys, Token as _};
use placet_runtime::http::Response;
use placet_runtime::problem::Problem;
use placet_runtime::{inbox_origin, link_keys};
use serde::{Deserialize, Serialize};

use super::named;
use crate::call::Call;
use crate::error::Error;
use crate::read::{self, Text, Wrong};
use crate::reply::{Moment, json};

/// How long a link is valid if the request does not say.
const USUAL_TIME: Period = Period::seconds(24 * 60 * 60);

/// The longest time that a link is valid.
const LONGEST_TIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The person who may use the new link.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(extend("examples" = [{"person": "ana", "valid_for": "24h"}])))]
pub(crate) struct NewLink {
    /// The id of the person in `placet.yaml`. Leave it out only if nobody is listed there: then the link is valid for
    /// its bearer.
    person: Option<Text<1, LONGEST_ID>>,
    /// How long the link is valid, at most `30d`; `24h` if left out.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    valid_for: Option<Period>,
}

/// A decision link.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct LinkReply {
    /// The id of the link in histories. It does not reveal the link.
    #[cfg_attr(test, schemars(example = &"0123456789ab"))]
    id: String,
    /// The id of the person who may use the link; null if it is valid for its bearer.
    person: Option<String>,
    /// The address to open. Send it to that person only.
    url: String,
    /// The last moment at which the link is valid.
    expires_at: Moment,
}

/// The link that a path names.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct LinkPath {
    /// The kind of the operation.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::OperationKind"))]
    kind: OperationKind,
    /// The requester's id of the operation.
    #[cfg_attr(test, schemars(example = &"call-1"))]
    call_id: String,
    /// The id of the link.
    #[cfg_attr(test, schemars(example = &"0123456789ab"))]
    link: String,
}

/// A revoked link.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RevokedLink {
    /// The id of the link.
    id: String,
    /// Always true.
    revoked: bool,
}

/// Makes a link with which a person decides or settles an operation. The history records who made it for whom.
pub(crate) async fn create(call: Call<'_>) -> Result<Response, Error> {
    let id = named(&call)?;
    let NewLink { person, valid_for } = read::value(read::object(call.body())?.into())?;
    let valid_for = valid_for.unwrap_or(USUAL_TIME).0;
    if valid_for > LONGEST_TIME {
        return Err(Wrong::at(&["valid_for"], "must be at most 30d").into());
    }
    let (keys, origin) = signing(&call)?;
    let person = person.map(|Text(person)| person);
    check_person(&call, person.as_deref())?;
    let operation = call.load::<Operation>(&id.path()).await?;
    let until = call.now().plus(valid_for);
    let link = operation.link_for(person.as_deref(), call.now(), until).map_err(refused)?;
    let token = link.sign(&keys);
    let link_id = DecisionLink::token_id(&token);
    let by = call.by();
    let make = |_: &Item<Operation>| Command::Link {
        id: link_id.clone(),
        person: person.clone(),
        until,
        by: by.clone(),
    };
    let operation = call.engine().change(operation, make).await?;
    let (project, call_id) = (operation.project(), operation.call_id());
    tracing::info!(
        project,
        call_id,
        person = person.as_deref(),
        link = link_id,
        "decision link made"
    );
    let url = format!("{origin}/d/{token}");
    let reply = LinkReply { id: link_id, person, url, expires_at: Moment(until) };
    Ok(json(StatusCode::CREATED, &reply))
}

/// Revokes a link. A link that is revoked already stays revoked.
pub(crate) async fn revoke(call: Call<'_>) -> Result<Response, Error> {
    let LinkPath { kind, call_id, link } = call.path()?;
    if link.len() != 12 || !link.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(Problem::not_found("a link id has 12 hexadecimal digits in lower case").into());
    }
    let id: OperationId = call.operation_id(kind, &call_id);
    let operation = call.load::<Operation>(&id.path()).await?;
    let known = operation.revoked_links.contains(&link);
    if !known {
        let by = call.by();
        let revoke = |_: &Item<Operation>| Command::RevokeLink { id: link.clone(), by: by.clone() };
        call.engine().change(operation, revoke).await?;
        tracing::info!(project = id.project, call_id, link, "decision link revoked");
    }
    Ok(json(StatusCode::OK, &RevokedLink { id: link, revoked: true }))
}

/// The keys that sign links, and the address of the inbox.
fn signing(call: &Call<'_>) -> Result<(SigningKeys, String), Problem> {
    let environment = &call.runtime().environment;
    let not_set = |name: &str| {
        let detail = format!("this server cannot make links: set {name} for its API function");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "links_not_configured", detail)
    };
    let keys = link_keys(environment).ok_or_else(|| not_set("PLACET_LINK_SECRET"))?;
    let origin = inbox_origin(environment).ok_or_else(|| not_set("PLACET_INBOX_URL"))?;
    Ok((keys, origin))
}

fn check_person(call: &Call<'_>, person: Option<&str>) -> Result<(), Wrong> {
    let people = &call.runtime().config.people;
    let wrong = |detail: String| Err(Wrong::at(&["person"], detail));
    match person {
        None if people.is_empty() => Ok(()),
        None => wrong("must name a person, because placet.yaml lists people".to_owned()),
        Some(id) => match people.get(id) {
            None => wrong(format!("must be a person of placet.yaml, and {id:?} is none")),
            Some(person) if !person.may(PersonRight::Decide) => {
                wrong(format!("must be a person with the right decide, and {id} has it not"))
            }
            Some(_) => Ok(()),
        },
    }
}

fn refused(refusal: placet_core::operation::Refusal) -> Error {
    placet_runtime::ChangeError::Refused(refusal).into()
}
