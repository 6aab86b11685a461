//! Duplicates, delays, reordering, lost replies and kills, as a queue and a crashing machine cause them.
//! A seed repeats them.
//!
//! One seeded generator makes all decisions, in the order in which the drain meets messages and batches.
//! A seed repeats its run if the messages arrive in the same order and the function sends the same new
//! messages. A seed does not fix the exact place of a kill: the generator picks the number of polls before
//! the kill, and how far a function gets in one poll depends on its sockets.
//!
//! Chaos ends: it interferes with each message at most three times. So chaos never loses a message that the
//! function handles.

use std::collections::HashMap;
use std::fmt;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};

/// The most often that chaos interferes with one message.
const MAX_INTERFERENCE: u32 = 3;
/// The longest delay of a message, in rounds of the drain.
const MAX_HELD_ROUNDS: u32 = 4;
/// A kill hits before poll 2^n, with n below this.
const KILL_MAGNITUDES: u32 = 7;

/// Probabilities of the kinds of trouble, each from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Odds {
    /// The function gets a received message twice.
    pub duplicate: f64,
    /// The function gets a received message some rounds later.
    pub delay: f64,
    /// A round shuffles the ready messages and cuts a batch of random size.
    pub reorder: f64,
    /// The response for a batch is discarded after the function ran.
    pub drop_reply: f64,
    /// The function is dropped while it runs on a batch.
    pub kill: f64,
}

impl Default for Odds {
    fn default() -> Self {
        Self { duplicate: 0.2, delay: 0.2, reorder: 0.5, drop_reply: 0.15, kill: 0.2 }
    }
}

/// A source of trouble for [`EventSource::drain_with`](crate::event_source::EventSource::drain_with).
/// Its `Display` is the seed; a test prints the seed so that a failure can be repeated.
#[derive(Debug)]
pub struct Chaos {
    seed: u64,
    odds: Odds,
    random: StdRng,
    interference: HashMap<String, u32>,
}

impl fmt::Display for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chaos seed {}", self.seed)
    }
}

/// How often and when the function gets a received message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    Once,
    Twice,
    Later { rounds: u32 },
}

/// How a batch ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered,
    ReplyDropped,
    Killed { polls: u32 },
}

impl Chaos {
    /// Chaos with the usual odds.
    pub fn from_seed(seed: u64) -> Self {
        Self::with_odds(seed, Odds::default())
    }

    /// Chaos with the given odds.
    pub fn with_odds(seed: u64, odds: Odds) -> Self {
        Self { seed, odds, random: StdRng::seed_from_u64(seed), interference: HashMap::new() }
    }

    /// Chaos that never interferes.
    pub fn none() -> Self {
        let odds = Odds { duplicate: 0.0, delay: 0.0, reorder: 0.0, drop_reply: 0.0, kill: 0.0 };
        Self::with_odds(0, odds)
    }

    pub(crate) fn arrival(&mut self, message_id: &str) -> Arrival {
        let twice = self.happens(self.odds.duplicate);
        let later = self.happens(self.odds.delay);
        if !(twice || later) || !self.may_interfere(&[message_id]) {
            return Arrival::Once;
        }
        if twice {
            return Arrival::Twice;
        }
        let rounds = self.random.random_range(1..=MAX_HELD_ROUNDS);
        Arrival::Later { rounds }
    }

    pub(crate) fn reorder<T>(&mut self, ready: &mut [T]) {
        if self.happens(self.odds.reorder) {
            ready.shuffle(&mut self.random);
        }
    }

    pub(crate) fn batch_size(&mut self, ready: usize, most: usize) -> usize {
        let most = ready.min(most);
        if most > 1 && self.happens(self.odds.reorder) {
            return self.random.random_range(1..=most);
        }
        most
    }

    pub(crate) fn fate(&mut self, message_ids: &[&str]) -> Fate {
        let drop_reply = self.happens(self.odds.drop_reply);
        let kill = self.happens(self.odds.kill);
        if !(drop_reply || kill) || !self.may_interfere(message_ids) {
            return Fate::Answered;
        }
        if drop_reply {
            return Fate::ReplyDropped;
        }
        let magnitude = self.random.random_range(0..KILL_MAGNITUDES);
        let polls = self.random.random_range(1..=1 << magnitude);
        Fate::Killed { polls }
    }

    fn happens(&mut self, probability: f64) -> bool {
        self.random.random_bool(probability.clamp(0.0, 1.0))
    }

    /// True if every message has interferences left; then counts one for each. Otherwise counts none.
    fn may_interfere(&mut self, message_ids: &[&str]) -> bool {
        let used = |id: &&str| self.interference.get(*id).copied().unwrap_or_default();
        if message_ids.iter().any(|id| used(id) >= MAX_INTERFERENCE) {
            return false;
        }
        for id in message_ids {
            *self.interference.entry((*id).to_owned()).or_default() += 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decisions(chaos: &mut Chaos) -> String {
        let mut order: Vec<_> = (0..20).collect();
        let mut seen = String::new();
        for n in 0..50 {
            let id = (n % 7).to_string();
            chaos.reorder(&mut order);
            let size = chaos.batch_size(order.len(), 10);
            let decided = (chaos.arrival(&id), chaos.fate(&[&id]), size);
            seen.push_str(&format!("{decided:?} {order:?}\n"));
        }
        seen
    }

    #[test]
    fn a_seed_repeats_its_decisions_and_another_seed_does_not() {
        let one = decisions(&mut Chaos::from_seed(1));
        assert_eq!(one, decisions(&mut Chaos::from_seed(1)));
        assert_ne!(one, decisions(&mut Chaos::from_seed(2)));
        assert_eq!(Chaos::from_seed(17).to_string(), "chaos seed 17");
    }

    #[test]
    fn chaos_interferes_with_a_message_at_most_three_times() {
        let odds = Odds { duplicate: 1.0, delay: 1.0, reorder: 1.0, drop_reply: 1.0, kill: 1.0 };
        let mut chaos = Chaos::with_odds(3, odds);
        assert_eq!(chaos.arrival("a"), Arrival::Twice);
        assert_eq!(chaos.fate(&["a"]), Fate::ReplyDropped);
        assert_eq!(chaos.fate(&["a", "b"]), Fate::ReplyDropped);
        assert_eq!(chaos.fate(&["a", "b"]), Fate::Answered);
        assert_eq!(chaos.arrival("a"), Arrival::Once);
        assert_eq!(chaos.arrival("b"), Arrival::Twice);
    }

    #[test]
    fn no_chaos_keeps_order_and_size() {
        let mut chaos = Chaos::none();
        let mut order: Vec<_> = (0..30).collect();
        chaos.reorder(&mut order);
        assert!(order.is_sorted());
        assert_eq!(chaos.batch_size(30, 10), 10);
        assert_eq!(chaos.batch_size(3, 10), 3);
        assert_eq!(chaos.arrival("a"), Arrival::Once);
        assert_eq!(chaos.fate(&["a"]), Fate::Answered);
    }
}
