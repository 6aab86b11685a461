//! Invariants of any toy item, for any previous state and any writer.

use proptest::prelude::*;

use super::toy::{NOW, Needs, Toy, at, toy};
use crate::Timestamp;
use crate::item::{Hold, Item, Kind as _, LONGEST_DELAY, Lane, Next, Rests, Schedule, Write};

fn lanes() -> impl Strategy<Value = Lane> {
    prop::sample::select(Lane::ALL.to_vec())
}

/// Moments near now and near the longest delay.
fn moments() -> impl Strategy<Value = Timestamp> {
    prop::sample::select(vec![-60, 0, 1, 30, 60, 899, 900, 901, 3600, 7200]).prop_map(at)
}

fn needs() -> impl Strategy<Value = Needs> {
    prop_oneof![
        1 => Just(Needs::Nothing),
        1 => moments().prop_map(Needs::Wait),
        1 => (moments(), prop::option::of((lanes(), moments())))
            .prop_map(|(until, work)| Needs::Person { until, work }),
        2 => moments().prop_map(Needs::Lease),
        1 => Just(Needs::Transition),
        2 => (lanes(), moments()).prop_map(|(lane, at)| Needs::Work(lane, at)),
    ]
}

fn items() -> impl Strategy<Value = Item<Toy>> {
    (needs(), prop::collection::vec(lanes(), 0..3), prop::option::of(moments())).prop_map(
        |(needs, children, due)| {
            let mut item = toy(needs, &children);
            item.header.due = due;
            item
        },
    )
}

fn holds() -> impl Strategy<Value = Option<Hold>> {
    prop::option::of((lanes(), 1..4_u32).prop_map(|(lane, receives)| Hold { lane, receives }))
}

fn lease_of(item: &Item<Toy>) -> Option<Timestamp> {
    match Toy::next(item, NOW) {
        Next::Lease(until) => Some(until),
        _ => None,
    }
}

/// Everything that the item needs: the lane and the earliest time. It may include work that becomes
/// unnecessary at a person's deadline.
fn needed(item: &Item<Toy>) -> Vec<(Lane, Timestamp)> {
    let next = Toy::next(item, NOW);
    let work = next.job().map(|job| (job.lane, job.at));
    let wakes = match &next {
        Next::Transition(_) => Some((Lane::Work, NOW)),
        Next::Person { until, .. } | Next::Lease(until) | Next::Wait(until) => {
            Some((Lane::Work, *until))
        }
        Next::Nothing | Next::Work(_) => None,
    };
    let children = item.header.children.iter().map(|child| (child.lane, NOW));
    children.chain(work).chain(wakes).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_item_that_is_not_terminal_has_a_due_time_or_a_message(
        before in prop::option::of(items()),
        item in items(),
        hold in holds(),
    ) {
        let schedule = item.schedule(before.as_ref(), NOW, hold.as_ref());
        let Schedule { due, pointer, rests } = schedule;
        let lease = lease_of(&item);
        let same_lease = lease.is_some() && before.as_ref().and_then(lease_of) == lease;
        let on_a_message = pointer.is_some() || hold.is_some() || same_lease;
        let terminal = item.is_terminal(NOW);
        prop_assert!(terminal || due.is_some() || on_a_message);
        prop_assert_eq!(terminal, rests == Rests::Nothing);
        prop_assert!(!terminal || (due, pointer) == (None, None));
        prop_assert!(rests != Rests::Due || due.is_some());
        prop_assert!(rests != Rests::Message || on_a_message);
        if same_lease {
            prop_assert_eq!(due, before.unwrap().header.due);
        }
    }

    /// If no worker holds a message, the timer or the queue is in time for the next step.
    #[test]
    fn the_timer_or_the_queue_is_in_time(item in items()) {
        let schedule = item.schedule(None, NOW, None);
        if let Some((lane, moment)) = item.wants(NOW) {
            let latest = moment.max(NOW);
            let queue = schedule.pointer.is_some_and(|(on, at)| on >= lane && at <= latest);
            let timer = schedule.due.is_some_and(|due| due <= latest);
            prop_assert!(queue || timer, "{schedule:?}, but {lane:?} at {moment}");
        }
        let latest = NOW.plus(LONGEST_DELAY);
        prop_assert!(schedule.pointer.is_none_or(|(_, at)| at <= latest), "{schedule:?}");
    }

    #[test]
    fn a_pointer_is_on_the_slowest_lane_needed_when_it_becomes_visible(
        before in prop::option::of(items()),
        item in items(),
        hold in holds(),
    ) {
        let schedule = item.schedule(before.as_ref(), NOW, hold.as_ref());
        if let Some((lane, moment)) = schedule.pointer {
            let then = moment.max(NOW);
            let needed = needed(&item).into_iter().filter(|(_, at)| *at <= then);
            prop_assert_eq!(Some(lane), needed.map(|(lane, _)| lane).max());
        }
    }

    #[test]
    fn a_holder_continues_only_with_work_of_its_lane(item in items(), hold in holds()) {
        let held = item.schedule(None, NOW, hold.as_ref());
        let free = item.schedule(None, NOW, None);
        if held.pointer != free.pointer {
            let (hold, (lane, at)) = (hold.unwrap(), free.pointer.unwrap());
            prop_assert_eq!(held.pointer, None);
            prop_assert!(lane <= hold.lane && at <= NOW);
            prop_assert_eq!(held.rests, Rests::Message);
        }
        let lease = lease_of(&item).is_some();
        prop_assert!(held.due == free.due || (lease && held.due.is_none()));
    }

    /// A writer whose reply was lost finds its write among later writes.
    #[test]
    fn only_the_last_four_writes_are_known(writes in 1..12_u64, version in 0..14_u64) {
        let id = |number: u64| format!("write-{number}");
        let mut item = toy::<false>(Needs::Transition, &[]);
        for number in 2..=writes {
            item = item.touched(&Write::new(&id(number), NOW));
        }
        prop_assert_eq!(item.header.version, writes);
        let kept = (writes.saturating_sub(3).max(1)..=writes).contains(&version);
        let later = version > writes;
        let expected = |ours| if later { Some(false) } else { kept.then_some(ours) };
        prop_assert_eq!(item.header.wrote(&id(version), version), expected(true));
        prop_assert_eq!(item.header.wrote("of another", version), expected(false));
    }

    #[test]
    fn children_stay_until_a_write_records_their_creation(
        lanes in prop::collection::vec(lanes(), 0..6),
        created in prop::collection::vec(any::<bool>(), 6),
    ) {
        let mut item = toy::<false>(Needs::Transition, &lanes);
        for (number, child) in item.header.children.iter_mut().enumerate() {
            child.id = format!("child-{number}");
        }
        let (gone, left): (Vec<_>, Vec<_>) =
            item.header.children.iter().cloned().zip(created).partition(|(_, created)| *created);
        let gone: Vec<String> = gone.into_iter().map(|(child, _)| child.id).collect();
        let left: Vec<_> = left.into_iter().map(|(child, _)| child).collect();
        let next = item.touched(&Write { id: "write-2", at: NOW, created: &gone });
        prop_assert_eq!(next.header.children, left);
    }
}
