use lambda_http::http::Method;
use placet_core::operation::Content;
use placet_runtime::{Access, Role};

use super::*;
use crate::testing::{approval, call, request};

fn chosen(of_key: Option<u64>, wanted: Option<ContactChannel>) -> Result<Option<u64>, String> {
    let app = approval(Role::Admin, Access::Closed);
    let request = request(&Method::POST, "/", &[]);
    let mut call = call(&app, &request);
    call.key.channel = of_key;
    let content = Content::Question { message: "m".to_owned(), subject: None };
    let mut specification = Specification { channel: wanted, ..Specification::of(content) };
    let chosen = choose_channel(&call, &mut specification);
    let channel = specification.channel.unwrap_or_default();
    chosen.map(|()| channel.channel_id).map_err(|unknown| unknown.to_string())
}

#[test]
fn an_operation_takes_the_channel_of_its_key_unless_it_names_one() {
    let number = |id| Some(ContactChannel { channel_id: Some(id), ..ContactChannel::default() });
    let sms = PhoneContact { phone_number: "1".to_owned(), other: Map::new() };
    let own = Some(ContactChannel { sms: Some(sms), ..ContactChannel::default() });
    let unknown =
        Err("must be a contact channel that placet.yaml has for this project; it has no 18"
            .to_owned());
    assert_eq!(chosen(None, None), Ok(None));
    assert_eq!(chosen(Some(17), None), Ok(Some(17)));
    assert_eq!(chosen(Some(17), own), Ok(None));
    assert_eq!(chosen(None, number(17)), Ok(Some(17)));
    assert_eq!(chosen(None, number(18)), unknown);
    assert_eq!(chosen(Some(18), None), unknown);
}
