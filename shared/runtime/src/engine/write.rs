//! Sends the pointer that the next version of an item needs, then writes that version.

use std::time::Duration;

use placet_core::Timestamp;
use placet_core::item::{
    Hold, Item, Kind, LONGEST_DELAY, Lane, Pointer, Rests, Schedule, Write, rescheduled_after,
};

use super::{Engine, ROUNDS, vanished, write_id};
use crate::{AnyItem, Put, StoreError};

/// The longest time between sending a pointer and the write that it names. After that, a worker may already
/// have dropped the pointer.
const PROMPT: Duration = Duration::from_secs(10);

/// How long after a failed send the item becomes due for the timer.
const GRACE: Duration = Duration::from_secs(2 * 60);

impl Engine {
    /// Writes a version of an item, with its message or its due time. `before` is the version that it
    /// replaces; `hold` is the message of the worker that writes it. Also returns the version as written.
    pub(super) async fn write<K: Kind>(
        &self,
        before: Option<&Item<K>>,
        mut item: Item<K>,
        hold: Option<&Hold>,
    ) -> Result<(Put<Option<AnyItem>>, Item<K>), StoreError> {
        let now = self.now();
        let mut schedule = item.schedule(before, now, hold);
        if let Some((lane, at)) = schedule.pointer {
            let sent = self.announce(&item, lane, at).await;
            if !sent || self.now() > now.plus(PROMPT) {
                let look = at.max(now).plus(GRACE);
                schedule.due = Some(schedule.due.map_or(look, |due| due.min(look)));
                schedule.rests = Rests::Due;
            }
        }
        let put = self.put(&mut item, &schedule, now).await;
        if let Some((lane, at)) = schedule.pointer
            && schedule.rests == Rests::Message
            && self.now() > now.plus(PROMPT)
        {
            // This process was frozen during the write, so a worker may have dropped the pointer: send it
            // again. Send it even if the write failed, because an earlier try whose reply was lost may have
            // written it.
            self.announce(&item, lane, at).await;
        }
        Ok((put?, item))
    }

    async fn put<K: Kind>(
        &self,
        item: &mut Item<K>,
        schedule: &Schedule,
        now: Timestamp,
    ) -> Result<Put<Option<AnyItem>>, StoreError> {
        item.header.due = schedule.due;
        item.header.rests = schedule.rests;
        let lane = match (schedule.pointer, schedule.due) {
            // The due time replaces the pointer.
            (Some((lane, _)), _) if schedule.rests == Rests::Due => lane,
            (_, Some(due)) => item.lane_at(due),
            _ => K::HOME,
        };
        self.store.put_item(item, lane, now).await
    }

    /// Sends a pointer to this version on a lane, visible at `at`. Returns whether the queue confirmed it.
    pub(super) async fn announce<K: Kind>(
        &self,
        item: &Item<K>,
        lane: Lane,
        at: Timestamp,
    ) -> bool {
        let pointer = Pointer::to::<K>(&item.header);
        let sent = self.queue.send(lane, &pointer, at.since(self.now())).await;
        sent.inspect_err(|error| {
            let (project, id) = (item.project(), item.header.id.as_str());
            tracing::warn!(%error, item = K::NAME, project, id, "pointer not sent, the timer will send it");
        })
        .is_ok()
    }

    /// Gives a waiting item a message or a due time, so that the current message can be deleted.
    pub(super) async fn rest<K: Kind>(&self, item: Item<K>) -> Result<(), StoreError> {
        let now = self.now();
        let Some((lane, at)) = item.wants(now) else { return Ok(()) };
        if at <= now.plus(LONGEST_DELAY) && self.announce(&item, lane, at).await {
            return Ok(());
        }
        self.make_due(item, at.max(now.plus(Duration::from_secs(1))), false).await
    }

    /// Reschedules an item whose message failed repeatedly: gives it a due time, at growing intervals.
    pub(super) async fn reschedule<K: Kind>(&self, item: Item<K>) -> Result<(), StoreError> {
        let now = self.now();
        let due = now.plus(rescheduled_after(item.header.rescheduled));
        // An item that is already due came from the timer, and failed again: schedule it later.
        if item.header.due.is_some_and(|known| known > now && known <= due) {
            return Ok(());
        }
        let (project, id) = (item.project(), item.header.id.as_str());
        let times = item.header.rescheduled.saturating_add(1);
        tracing::error!(
            item = K::NAME,
            project,
            id,
            times,
            "item rescheduled: its message failed repeatedly"
        );
        self.make_due(item, due, true).await
    }

    /// Gives an item a due time, in any state.
    async fn make_due<K: Kind>(
        &self,
        mut item: Item<K>,
        due: Timestamp,
        rescheduled: bool,
    ) -> Result<(), StoreError> {
        let id = write_id();
        for _ in 0..ROUNDS {
            let now = self.now();
            let mut next = item.touched(&Write::new(&id, now));
            next.header.rescheduled += u32::from(rescheduled);
            let earlier = item.header.due.filter(|old| *old > now && *old < due);
            let schedule = Schedule {
                due: Some(earlier.unwrap_or(due)),
                pointer: next.wants(now),
                rests: Rests::Due,
            };
            match self.put(&mut next, &schedule, now).await? {
                Put::Stored => return Ok(()),
                Put::Existing(None) => return Err(vanished(&next)),
                Put::Existing(Some(existing)) => item = existing.decode()?,
            }
        }
        let cause = format!("{} {} is being changed by others", K::NAME, item.header.id);
        Err(StoreError::Service { action: "PutItem", cause })
    }
}
