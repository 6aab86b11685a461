//! Tests with many items, busy partitions, slow destinations and outages.

mod agent;
mod backlog;
mod isolation;
mod lists;
mod outage;
mod partitions;
