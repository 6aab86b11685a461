//! What grows with the number of items does not become a bottleneck.

mod backlog;
mod isolation;
mod lists;
mod outage;
mod partitions;
