//! Tests of the whole system over real engines in this process. They call the front door without a socket and
//! move the clock, and they can add faults and chaos.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod client;
mod ledger;
mod operator;
mod pages;
mod people;
mod receiver;
mod request;
mod webhooks;
mod world;

mod approvers;
mod batch;
mod blocked;
mod children;
mod concurrency;
mod cost;
mod crash;
mod deliveries;
mod depth;
mod edges;
mod events;
mod flow;
mod forward;
mod frozen;
mod heavy;
mod humanlayer;
mod inbox_lists;
mod inbox_notifications;
mod ingress;
mod input;
mod keys;
mod late_pages;
mod late_steps;
mod links;
mod loops;
mod lost_replies;
mod mails;
mod model;
mod newer;
mod notifications;
mod numbers;
mod openapi;
mod operations;
mod order;
mod polls;
mod projects;
mod published_keys;
mod questions;
mod quotes;
mod rates;
mod reachable;
mod receipts;
mod replay;
mod requesters;
mod scale;
mod settle;
mod storm;
mod tamper;
mod timer;
mod toy;
mod unreadable;
mod upstream;
mod webhook_decisions;
