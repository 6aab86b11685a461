//! The open connections. If there are too many, the connection that has been idle for the longest time is
//! closed, so that idle clients do not lock out a new one. The first request of a new connection may be on its
//! way, so a new connection has some time before it counts as idle.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

/// How long a new connection does not count as idle, unless its first request is answered earlier.
const GRACE: Duration = Duration::from_secs(1);

/// A connection as its task and the accept loop share it.
#[derive(Debug)]
pub(super) struct Connection {
    opened: Instant,
    /// Since when the connection has no request; `None` while a request is answered.
    idle_since: Mutex<Option<Instant>>,
    /// Asks the task to close the connection.
    close: Notify,
    /// Tells the accept loop that a connection has become idle.
    became_idle: Arc<Notify>,
}

impl Connection {
    /// Notes that a request has begun, and returns its guard. The connection is idle again when the guard is
    /// dropped.
    pub(super) fn request(&self) -> Busy<'_> {
        self.set(None);
        Busy(self)
    }

    /// Ends when the connection must close: it has been idle for `longest`, or its place is needed.
    pub(super) async fn must_close(&self, longest: Duration) {
        let expired = async {
            loop {
                match self.idle_since() {
                    Some(since) if since.elapsed() >= longest => return,
                    Some(since) => sleep_until(since + longest).await,
                    None => sleep(longest).await,
                }
            }
        };
        tokio::select! {
            () = self.close.notified() => {}
            () = expired => {}
        }
    }

    /// Whether a request is being answered.
    pub(super) fn is_busy(&self) -> bool {
        self.idle_since().is_none()
    }

    /// From when on the connection may close to make room; `None` while a request is answered.
    fn closable_from(&self) -> Option<Instant> {
        let since = self.idle_since()?;
        Some(if since == self.opened { since + GRACE } else { since })
    }

    fn idle_since(&self) -> Option<Instant> {
        *self.idle_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, idle_since: Option<Instant>) {
        *self.idle_since.lock().unwrap_or_else(PoisonError::into_inner) = idle_since;
    }
}

/// A request that is being answered.
pub(super) struct Busy<'a>(&'a Connection);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set(Some(Instant::now()));
        self.0.became_idle.notify_one();
    }
}

/// The open connections and their tasks.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    open: HashMap<Id, Arc<Connection>>,
    /// The connection that is closing, to make room.
    leaving: Option<Id>,
    became_idle: Arc<Notify>,
    tasks: JoinSet<()>,
}

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            open: HashMap::new(),
            leaving: None,
            became_idle: Arc::default(),
            tasks: JoinSet::new(),
        }
    }

    /// Starts the task of a new connection.
    pub(super) fn open<F>(&mut self, task: impl FnOnce(Arc<Connection>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let opened = Instant::now();
        let connection = Arc::new(Connection {
            opened,
            idle_since: Mutex::new(Some(opened)),
            close: Notify::new(),
            became_idle: Arc::clone(&self.became_idle),
        });
        let id = self.tasks.spawn(task(Arc::clone(&connection))).id();
        self.open.insert(id, connection);
    }

    /// Waits until a further connection may be accepted. One connection more than the limit may be open, while an
    /// idle one closes for it.
    pub(super) async fn room(&mut self) {
        while self.open.len() > self.most {
            self.close_longest_idle();
            let became_idle = Arc::clone(&self.became_idle);
            let grace = self.end_of_grace();
            tokio::select! {
                () = self.ended() => {}
                () = became_idle.notified() => {}
                () = grace => {}
            }
        }
    }

    /// Ends when the grace of a new connection ends, the next one from now; never if there is none.
    fn end_of_grace(&self) -> impl Future<Output = ()> + use<> {
        let now = Instant::now();
        let ends = self.open.values().filter_map(|one| one.closable_from());
        let next = ends.filter(|end| *end > now).min();
        async move {
            match next {
                Some(end) => sleep_until(end).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Tells the connection that has been idle for the longest time to close, if there is one. A connection in its
    /// grace is not idle.
    pub(super) fn close_longest_idle(&mut self) {
        if self.leaving.is_some() {
            return;
        }
        let now = Instant::now();
        let open = self.open.iter();
        let idle = open.filter_map(|(id, one)| Some((one.closable_from()?, *id, one)));
        let idle = idle.filter(|(from, _, _)| *from <= now);
        if let Some((_, id, connection)) = idle.min_by_key(|(from, id, _)| (*from, *id)) {
            tracing::debug!("idle connection closed to make room for a new one");
            connection.close.notify_one();
            self.leaving = Some(id);
        }
    }

    /// Waits until a connection has ended; for ever if none is open.
    pub(super) async fn ended(&mut self) {
        let ended = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => error.id(),
            None => std::future::pending().await,
        };
        self.open.remove(&ended);
        self.leaving = self.leaving.filter(|id| *id != ended);
    }

    /// Waits until all connections have ended.
    pub(super) async fn all_ended(&mut self) {
        while !self.open.is_empty() {
            self.ended().await;
        }
    }
}
