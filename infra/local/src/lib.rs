//! Placet on one machine: the AWS services it stands on, as real engines in this process, and
//! the two things AWS puts in front of a function, a Function URL and an SQS event source
//! mapping. `placet dev` runs on it; the tests use the same pieces with chaos and faults added.

pub mod chaos;
pub mod engines;
pub mod event_source;
pub mod faults;
pub mod front_door;
pub mod function;
mod rest;
pub mod system;
