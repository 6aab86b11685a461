use std::time::Duration;

use crate::descriptors::Descriptors;

/// What the clients of a front door may use together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most open connections. A new client closes the connection that has been idle for the longest time. A new
    /// connection counts as idle after one second.
    pub connections: usize,
    /// How long a connection may be open without a request: before the first request, between two requests,
    /// and while the client receives an answer.
    pub idle: Duration,
    /// How long a client may take to send a body, after there is room for the body.
    pub body: Duration,
    /// How many bytes of large bodies are in memory at the same time.
    pub bodies: usize,
    /// How long a request waits for room for its body.
    pub room: Duration,
}

impl Default for Limits {
    /// The limits for the file descriptors that the operating system grants to this process.
    fn default() -> Self {
        Self {
            connections: Descriptors::of_process().connections,
            idle: Duration::from_secs(30),
            body: Duration::from_secs(30),
            bodies: 32 * 1024 * 1024,
            room: Duration::from_secs(10),
        }
    }
}
