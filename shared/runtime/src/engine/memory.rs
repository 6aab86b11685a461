use placet_core::limits::{BATCH_MEMORY, HEAVIEST_JSON};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::again::Again;

/// The most copies of a payload at the same time.
const COPIES: usize = 4;

/// The most bytes of memory per byte of JSON, for the item and its parsed payload together. Each of these two
/// trees takes at most [`HEAVIEST_JSON`] bytes.
const TREES: usize = 200;

/// The memory of a batch, whose records run at the same time. A record for which there is no room waits for
/// the others.
pub struct Memory(Semaphore);

impl Memory {
    /// Waits until there is room for an item of `size` bytes, its payload included. The permit holds the room
    /// until it is dropped. A task with a permit must not request another.
    pub(super) async fn room_for(&self, size: usize) -> Result<SemaphorePermit<'_>, Again> {
        let permits = self.0.acquire_many(needed(size)).await;
        permits.map_err(|error| Again::new(error.to_string()))
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self(Semaphore::new(BATCH_MEMORY))
    }
}

/// The most bytes of memory that an item of `size` bytes needs; at most [`BATCH_MEMORY`].
fn needed(size: usize) -> u32 {
    let trees = size.saturating_mul(TREES).min(2 * HEAVIEST_JSON);
    let all = size.saturating_mul(COPIES).saturating_add(trees).min(BATCH_MEMORY);
    u32::try_from(all).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn small_items_fit_together_and_large_ones_wait() {
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
        assert_eq!(memory.0.available_permits(), BATCH_MEMORY);
    }
}
