use placet_core::Timestamp;
use placet_core::breaker::Pause;

use super::attributes::{Reader, Writer};
use super::{Put, Row, Store, StoreError, key};

/// The condition for pausing and resuming an endpoint: it is not disabled.
const ENABLED: &str = "attribute_not_exists(disabled_at)";

/// The stored state of an endpoint. An endpoint that is neither disabled nor paused has no row, or an empty
/// one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointState {
    /// Set while the endpoint is disabled.
    pub disabled: Option<DisabledEndpoint>,
    /// Set while the endpoint is paused because it timed out repeatedly.
    pub paused: Option<Pause>,
}

/// A disabled endpoint. It gets no webhooks until a person enables it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisabledEndpoint {
    /// When the endpoint was disabled.
    pub disabled_at: Timestamp,
    /// The reason, for a person.
    pub reason: String,
}

impl Store {
    /// Disables an endpoint. An endpoint that is already disabled keeps its first reason.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn disable_endpoint(
        &self,
        project: &str,
        name: &str,
        disabled: &DisabledEndpoint,
    ) -> Result<(), StoreError> {
        let state = Writer::default()
            .number("disabled_at", disabled.disabled_at.millis())
            .text("reason", &disabled.reason);
        self.put_endpoint(project, name, state, ENABLED, Row::new()).await?;
        Ok(())
    }

    /// Pauses an endpoint, unless it is disabled or has a longer pause.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn pause_endpoint(
        &self,
        project: &str,
        name: &str,
        pause: Pause,
    ) -> Result<(), StoreError> {
        let until = Writer::default().number(":until", pause.until.millis()).finish();
        let condition =
            format!("{ENABLED} AND (attribute_not_exists(paused_until) OR paused_until <= :until)");
        self.put_endpoint(project, name, written(pause), &condition, until).await?;
        Ok(())
    }

    /// Claims the single attempt (probe) that follows a pause; `false` if another process claimed it first.
    /// `probed` replaces `pause` until the attempt ends.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn claim_probe(
        &self,
        project: &str,
        name: &str,
        pause: Pause,
        probed: Pause,
    ) -> Result<bool, StoreError> {
        let read = Writer::default().number(":read", pause.until.millis()).finish();
        let put = self.put_endpoint(project, name, written(probed), "paused_until = :read", read);
        Ok(matches!(put.await?, Put::Stored))
    }

    async fn put_endpoint(
        &self,
        project: &str,
        name: &str,
        state: Writer,
        condition: &str,
        values: Row,
    ) -> Result<Put<Option<Row>>, StoreError> {
        let mut row = key::endpoint(project, name);
        row.extend(state.finish());
        self.put_if(row, condition, values).await
    }

    /// Ends the pause of an endpoint. A disabled endpoint stays disabled.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn resume_endpoint(&self, project: &str, name: &str) -> Result<(), StoreError> {
        self.put_endpoint(project, name, Writer::default(), ENABLED, Row::new()).await?;
        Ok(())
    }

    /// Enables an endpoint and ends its pause. Succeeds also if the endpoint was not disabled.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn enable_endpoint(&self, project: &str, name: &str) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table);
        let request = request.set_key(Some(key::endpoint(project, name)));
        request.send().await.map_err(StoreError::service("DeleteItem"))?;
        Ok(())
    }

    /// The stored state of an endpoint: whether it is disabled or paused.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails, or the row cannot be read.
    pub async fn endpoint(&self, project: &str, name: &str) -> Result<EndpointState, StoreError> {
        let Some(item) = self.get(key::endpoint(project, name), true).await? else {
            return Ok(EndpointState::default());
        };
        let reader = Reader(&item);
        let mut state = EndpointState::default();
        if item.contains_key("disabled_at") {
            let disabled_at = reader.moment("disabled_at")?;
            let reason = reader.text("reason")?.to_owned();
            state.disabled = Some(DisabledEndpoint { disabled_at, reason });
        }
        if item.contains_key("paused_until") {
            let (until, number) = (reader.moment("paused_until")?, reader.number("pauses")?);
            state.paused = Some(Pause { until, number });
        }
        Ok(state)
    }
}

fn written(pause: Pause) -> Writer {
    let state = Writer::default().number("paused_until", pause.until.millis());
    state.number("pauses", pause.number)
}
