use super::super::counted::tests::counted;
use super::*;

fn of(account: f64) -> Setup {
    setup(counted(), account)
}

#[test]
fn a_rate_below_every_limit_waits_for_nothing() {
    let outcome = simulate(&of(DEFAULT_ACCOUNT), 10.0);
    assert_eq!(
        (outcome.first, outcome.refused, outcome.backlog, outcome.oldest),
        (None, 0.0, 0.0, 0)
    );
    assert_eq!((outcome.webhooks, outcome.table_writes), (1.0, 20.0));
}

/// The assumed times of calls to AWS make no difference.
#[test]
fn an_environment_is_bounded_by_its_requests_before_its_time() {
    let setup = of(DEFAULT_ACCOUNT);
    assert_eq!((setup.webhook_environments(10.0), setup.messages_a_worker()), (1.0, 100.0));
}

/// The computed limit of one second agrees with the simulation of ten minutes.
#[test]
fn a_limit_is_reached_at_its_computed_rate() {
    for account in ACCOUNTS {
        let setup = of(account);
        let most = Limit::ALL.map(|limit| (setup.most(limit), limit));
        let (most, limit) =
            most.into_iter().min_by(|one, other| one.0.total_cmp(&other.0)).unwrap();
        let below = simulate(&setup, most * 0.99);
        assert!(below.refused < 0.01 && below.backlog == 0.0, "{below:?}");
        let above = simulate(&setup, most * 1.1);
        assert_eq!(above.first, Some(limit), "{account}");
        assert!(above.refused > 0.05 || above.backlog > 0.0, "{above:?}");
    }
}

#[test]
fn a_rate_that_the_first_pollers_cannot_take_is_caught_up_with() {
    let outcome = simulate(&of(DEFAULT_ACCOUNT), 1_000.0);
    assert_eq!((outcome.first, outcome.refused), (None, 0.0));
    assert_eq!((outcome.backlog, outcome.oldest), (0.0, 0));
}

#[test]
fn too_few_workers_refuse_nothing_and_let_messages_wait() {
    let setup = Setup { workers: 2.0, ..of(DEFAULT_ACCOUNT) };
    let outcome = simulate(&setup, 400.0);
    assert_eq!((outcome.first, outcome.refused, outcome.workers), (Some(Limit::Workers), 0.0, 2.0));
    let waiting = (400.0 - 2.0 * setup.messages_a_worker()) * f64::from(simulation::SECONDS);
    assert!((outcome.backlog - waiting).abs() < 1.0, "{outcome:?}");
    assert_eq!(f64::from(outcome.oldest), waiting / 400.0);
}

#[test]
fn a_small_part_is_not_printed_as_zero() {
    assert_eq!([0.0, 0.001, 0.25].map(percent), ["0 %", "under 1 %", "25 %"]);
}

#[test]
fn numbers_have_separated_thousands() {
    let written = [0.0, 12.4, 999.6, 5_333.3, 1_250_000.0].map(thousands);
    assert_eq!(written, ["0", "12", "1,000", "5,333", "1,250,000"]);
}
