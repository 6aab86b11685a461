//! The page of a pending operation that an approval would not run.

use super::*;

/// An operation runs only as it was requested.
#[test]
fn the_page_of_a_pending_operation_says_that_its_configuration_has_changed() {
    let pending = requested(json!({"amount": 10}), json!({}), Some(plan(true)));
    let with = |cannot_run| operation(&pending, &View { cannot_run, ..view() }).unwrap();
    let changed = "Placet will not run this: placet.yaml has changed since the request";
    has(&with(Some(CannotRun::Changed)), &[changed, "the function does not run."]);
    let missing = with(Some(CannotRun::Missing("PAY is not set")));
    has(&missing, &["cannot run this now: <bdi>PAY is not set</bdi>.", "runs once it can"]);
    has(&with(None), &["the function runs at once, with exactly these arguments."]);
    let approved = decided(&pending, Verdict::Approve, "", None);
    let view = View { cannot_run: Some(CannotRun::Changed), ..view() };
    has_not(&operation(&approved, &view).unwrap(), &[changed]);
}
