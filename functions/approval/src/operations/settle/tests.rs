use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::*;

fn operation(call_id: &str) -> Value {
    let digest = Digest::of_bytes(b"seen");
    json!({"kind": "function_call", "call_id": call_id, "digest": digest, "attempt": 1})
}

fn read(operations: &Value) -> Result<NewSettlements, Problem> {
    let body = json!({"settlement": "happened", "operations": operations});
    NewSettlements::read(body.to_string().as_bytes())
}

#[test]
fn operations_keep_the_order_of_the_request() {
    let new = read(&json!([operation("b"), operation("a")])).unwrap();
    let ids: Vec<String> = new.operations.into_iter().map(|seen| seen.call_id.0).collect();
    assert_eq!(ids, ["b", "a"]);
    assert_eq!((new.settlement, new.comment.is_none()), (Settlement::Happened, true));
}

#[test]
fn an_error_names_the_wrong_member_with_its_pointer() {
    let without = |member: &str| {
        let mut operation = operation("a");
        operation.as_object_mut().unwrap().remove(member);
        json!([operation])
    };
    let wrong = |member: &str, value: Value| {
        let mut operation = operation("a");
        operation[member] = value;
        json!([operation])
    };
    let other_kind = wrong("kind", "human_contact".into())[0].clone();
    let many = |count: usize| (0..count).map(|n| operation(&n.to_string())).collect::<Value>();
    read(&json!([operation("a"), other_kind])).unwrap();
    read(&many(MOST_SETTLED)).unwrap();
    let bodies = [
        Value::Null,
        many(0),
        many(MOST_SETTLED + 1),
        without("digest"),
        without("attempt"),
        wrong("kind", "dance".into()),
        wrong("call_id", "a/b".into()),
        wrong("digest", "ab".into()),
        wrong("attempt", json!(-1)),
        wrong("attempt", json!(u64::MAX)),
        wrong("state", "unknown".into()),
        json!([operation("a"), operation("b"), operation("a")]),
    ];
    let details = bodies.map(|operations| {
        let problem = read(&operations).err().unwrap();
        assert_eq!((problem.status.as_u16(), problem.code), (422, "invalid_body"));
        problem.detail
    });
    insta::assert_snapshot!(details.join("\n"), @r"
    /operations: must be a list, not null
    /operations: must have 1 to 100 operations
    /operations: must have 1 to 100 operations
    /operations/0/digest: is missing
    /operations/0/attempt: is missing
    /operations/0/kind: must be one of function_call, human_contact
    /operations/0/call_id: must have 1 to 255 bytes, none of / \ ? # % or control characters, no space at either end, and must not be . or .. or pending
    /operations/0/digest: a digest is 64 hexadecimal digits
    /operations/0/attempt: must be a whole number from 0 to 4294967295
    /operations/0/attempt: must be a whole number from 0 to 4294967295
    /operations/0/state: is unknown; use one of kind, call_id, digest, attempt
    /operations/2: repeats an operation: name each operation once
    ");
}

#[tokio::test]
async fn a_few_run_at_once_and_all_are_reported_in_order() {
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = (0..35_u64).map(async |n| {
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        for _ in 0..=n * 7 % 5 {
            tokio::task::yield_now().await;
        }
        now.fetch_sub(1, Ordering::SeqCst);
        n
    });
    let later = Instant::now() + Duration::from_secs(3600);
    let outcomes = a_few_at_a_time(work.collect(), later).await;
    assert_eq!(outcomes, (0..35).map(Some).collect::<Vec<_>>());
    assert_eq!(most.into_inner(), AT_ONCE);
}

#[tokio::test(start_paused = true)]
async fn a_settlement_without_time_left_does_not_start_and_is_reported() {
    let stop = Instant::now() + Duration::from_millis(20);
    let work = (0..25).map(async |n| {
        assert!(Instant::now() < stop || n < 10);
        tokio::time::sleep_until(stop).await;
        n
    });
    let outcomes = a_few_at_a_time(work.collect(), stop).await;
    let begun = (0..10).map(Some).chain((10..25).map(|_| None));
    assert_eq!(outcomes, begun.collect::<Vec<_>>());
    let unavailable = report(vec![None]).next().unwrap().unwrap_err();
    assert_eq!(unavailable, Problem::unavailable());
}
