//! The whole system over real engines, in this process: no sockets in front, a clock that stands
//! still, faults and chaos on demand.

mod world;

mod batch;
mod concurrency;
mod crash;
mod flow;
mod input;
mod links;
mod model;
mod tamper;
mod webhook;
