use placet_core::strict_json::HEAVIEST;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::again::Again;

/// The bytes that the items of a batch may take together, of the 256 MB of a function.
const ROOM: usize = 128 * 1024 * 1024;

/// How many copies of a payload there are at the same time, at most.
const COPIES: usize = 4;

/// How many times as large as in JSON an item and what is read of its payload are, at most, until a tree is as large
/// as it may be. There are two of them at the same time.
const TREES: usize = 200;

/// The memory of a batch, whose records run at the same time. One that finds no room waits for the others.
pub struct Memory(Semaphore);

impl Memory {
    /// Waits until there is room to work on an item of so many bytes, its payload included. The room is taken until
    /// the permit is dropped; who has one must not ask for another.
    pub(super) async fn room_for(&self, size: usize) -> Result<SemaphorePermit<'_>, Again> {
        let permits = self.0.acquire_many(needed(size)).await;
        permits.map_err(|error| Again::new(error.to_string()))
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self(Semaphore::new(ROOM))
    }
}

/// How many bytes of memory are needed, at most. An item that needs more than there is gets all.
fn needed(size: usize) -> u32 {
    let trees = size.saturating_mul(TREES).min(2 * HEAVIEST);
    let all = size.saturating_mul(COPIES).saturating_add(trees).min(ROOM);
    u32::try_from(all).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn small_items_have_room_together_and_large_ones_wait() {
        let memory = Memory::default();
        let small = [20_000; 10].map(|size| memory.0.try_acquire_many(needed(size)));
        assert!(small.iter().all(Result::is_ok));
        drop(small);
        let two = [4_700_000; 2].map(|size| memory.0.try_acquire_many(needed(size)).unwrap());
        assert!(memory.0.try_acquire_many(needed(4_700_000)).is_err());
        drop(two);
        let largest = memory.room_for(usize::MAX).await.unwrap();
        assert_eq!(memory.0.available_permits(), 0);
        drop(largest);
        assert_eq!(memory.0.available_permits(), ROOM);
    }
}
