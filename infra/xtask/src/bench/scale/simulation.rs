//! Ten minutes of webhooks, second by second.

use std::collections::VecDeque;

use super::limits::{Limit, Setup};

/// The length of the simulation, in seconds.
pub const SECONDS: u32 = 600;

/// The limits of DynamoDB, which share the capacity of a second.
const DYNAMODB: [Limit; 4] =
    [Limit::TableWrites, Limit::IndexWrites, Limit::KeyWrites, Limit::TableReads];

/// The result of a simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Environments of the webhook function in the last second.
    pub webhooks: f64,
    /// Workers in the last second.
    pub workers: f64,
    /// Write units of the table in the last second.
    pub table_writes: f64,
    /// Write units of the hottest partition key in the last second.
    pub key_writes: f64,
    /// The refused part of all webhooks, from 0 to 1. Their senders have to send them again.
    pub refused: f64,
    /// Messages that wait at the end.
    pub backlog: f64,
    /// The wait of the oldest message, in seconds.
    pub oldest: u32,
    /// The limit that was reached first.
    pub first: Option<Limit>,
}

/// The state between two seconds.
#[derive(Default)]
struct State {
    /// The unprocessed messages of each second, the oldest first.
    waiting: VecDeque<(u32, f64)>,
    backlog: f64,
    /// The length of the current backlog, in seconds.
    busy: f64,
    outcome: Outcome,
    refused: f64,
}

/// Simulates `rate` webhooks a second. A refused webhook is not sent again.
pub fn simulate(setup: &Setup, rate: f64) -> Outcome {
    let mut state = State::default();
    for second in 0..SECONDS {
        state.step(setup, rate, second);
    }
    let oldest = state.waiting.front().map_or(0, |(since, _)| SECONDS - since);
    let refused = state.refused / (rate * f64::from(SECONDS));
    Outcome { refused, backlog: state.backlog, oldest, ..state.outcome }
}

impl State {
    fn step(&mut self, setup: &Setup, rate: f64, second: u32) {
        let capacity = setup.messages_a_worker();
        let wanted = setup.webhook_environments(rate);
        let webhooks = wanted.min(Setup::webhook_room(f64::from(second)));
        let needed = (self.backlog + rate) / capacity;
        let workers = needed.min(setup.worker_room(self.busy));
        if needed > setup.workers {
            self.met(Limit::Workers);
        }
        // Lambda throttles both functions by the same part.
        let share = self.bounded(Limit::Account, setup.account, webhooks + workers);
        let (webhooks, workers) = (webhooks * share, workers * share);
        let mut accepted = rate * (webhooks / wanted);
        let mut processed = (workers * capacity).min(self.backlog + accepted);
        // A call that DynamoDB throttles does not happen in this second.
        let mut share: f64 = 1.0;
        for limit in DYNAMODB {
            let (each, each_processed) = setup.uses(limit);
            let units = accepted * each + processed * each_processed;
            share = share.min(self.bounded(limit, setup.has(limit), units));
        }
        accepted *= share;
        processed = (processed * share).min(self.backlog + accepted);
        self.refused += rate - accepted;
        self.queue(second, accepted, processed);
        let units = |limit| {
            let (each, each_processed) = setup.uses(limit);
            accepted * each + processed * each_processed
        };
        self.outcome = Outcome {
            webhooks,
            workers,
            table_writes: units(Limit::TableWrites),
            key_writes: units(Limit::KeyWrites),
            ..self.outcome
        };
    }

    /// The available part of `wanted`, from 0 to 1. Records the limit if it is reached.
    fn bounded(&mut self, limit: Limit, has: f64, wanted: f64) -> f64 {
        if wanted <= has {
            return 1.0;
        }
        self.met(limit);
        has / wanted
    }

    fn met(&mut self, limit: Limit) {
        self.outcome.first.get_or_insert(limit);
    }

    /// Adds accepted messages and removes processed ones, the oldest first.
    fn queue(&mut self, second: u32, accepted: f64, mut processed: f64) {
        self.waiting.push_back((second, accepted));
        self.backlog = (self.backlog + accepted - processed).max(0.0);
        while let Some((_, messages)) = self.waiting.front_mut() {
            if *messages > processed + 0.5 {
                *messages -= processed;
                break;
            }
            processed = (processed - *messages).max(0.0);
            self.waiting.pop_front();
        }
        if self.waiting.is_empty() {
            self.backlog = 0.0;
        }
        self.busy = if self.backlog > 0.0 { self.busy + 1.0 } else { self.busy };
    }
}
