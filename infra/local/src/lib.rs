//! The whole of Placet on one machine. The AWS services run as real engines in this process. A local
//! Function URL and a local SQS event source mapping call the functions. `placet dev` runs on this crate;
//! the tests use the same modules and add chaos and faults.

pub mod chaos;
pub mod descriptors;
pub mod engines;
pub mod event_source;
pub mod faults;
pub mod front_door;
pub mod function;
mod rest;
pub mod system;
