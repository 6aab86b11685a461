use super::*;

fn polling(period: &str) -> Polling {
    let variable = ("PLACET_LONG_POLL".to_owned(), period.to_owned());
    Polling::new(&Environment::from_iter([variable]))
}

#[test]
fn a_poll_is_held_as_long_as_its_client_asks_if_long_polling_is_on() {
    let seconds = Duration::from_secs;
    for (period, wait, held) in [
        ("8s", None, 8),
        ("8s", Some(20), 20),
        ("8s", Some(0), 0),
        ("1h", None, 25),
        ("0s", None, 0),
        ("0s", Some(20), 0),
        ("", Some(20), 0),
        ("soon", Some(20), 0),
    ] {
        assert_eq!(polling(period).hold(wait.map(seconds)), seconds(held), "{period} {wait:?}");
    }
}
