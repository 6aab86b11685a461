//! How the file descriptors of this process are shared. Without these limits a few hundred clients take all of
//! them, and then neither a client nor an engine is answered.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::shared::IntoShared as _;
use rustix::process::{Resource, getrlimit};
use tokio::sync::Semaphore;

/// The descriptors of the files, of the listeners, of the pollers of the queues, and of calls to other servers.
const RESERVED: u64 = 96;

/// The shares of the descriptors that are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// The most connections of clients.
    pub connections: usize,
    /// The most calls of the functions to the engines at the same time. A call takes two descriptors, because
    /// this process has both ends of it.
    pub calls: usize,
}

impl Descriptors {
    /// The shares of the descriptors that the operating system grants to this process.
    pub fn of_process() -> Self {
        Self::of(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX))
    }

    fn of(descriptors: u64) -> Self {
        let left = descriptors.saturating_sub(RESERVED);
        let share =
            |part: u64, least, most| usize::try_from(part).unwrap_or(usize::MAX).clamp(least, most);
        Self { connections: share(left / 2, 8, 1000), calls: share(left / 4, 8, 500) }
    }

    /// The same client, with at most `calls` calls at the same time. The others wait.
    pub fn limit(&self, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Limited { inner, room: Arc::new(Semaphore::new(self.calls)) })
    }
}

#[derive(Debug)]
struct Limited<T> {
    inner: T,
    room: Arc<Semaphore>,
}

impl HttpClient for Limited<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        Limited { inner, room: Arc::clone(&self.room) }.into_shared()
    }
}

impl HttpConnector for Limited<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, room) = (self.inner.clone(), Arc::clone(&self.room));
        HttpConnectorFuture::new(async move {
            let _room =
                room.acquire().await.map_err(|error| ConnectorError::other(error.into(), None))?;
            inner.call(request).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_together_leave_the_reserve() {
        let shares = |descriptors| {
            let Descriptors { connections, calls } = Descriptors::of(descriptors);
            (connections, calls)
        };
        assert_eq!(shares(64), (8, 8));
        assert_eq!(shares(256), (80, 40));
        assert_eq!(shares(1024), (464, 232));
        assert_eq!(shares(u64::MAX), (1000, 500));
    }
}
