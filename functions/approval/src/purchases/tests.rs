use lambda_http::Body;
use lambda_http::http::Method;
use placet_runtime::http::Request;
use placet_runtime::{Access, Role};

use super::*;
use crate::testing::{approval, call, request};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

/// The material, quantity and id that are read from a request, or the status and detail of the error.
fn read_of(mut request: Request, body: &str) -> Result<(String, u32, String), String> {
    *request.body_mut() = Body::from(body.to_owned());
    let app = approval(Role::Admin, Access::Closed);
    match read(&call(&app, &request)) {
        Ok((purchase, call_id)) => Ok((purchase.material, purchase.quantity, call_id)),
        Err(Error::Problem(problem)) => {
            Err(format!("{} {}", problem.status.as_u16(), problem.detail))
        }
        Err(other) => Err(format!("{other:?}")),
    }
}

fn with(headers: &[(&'static str, &str)]) -> Request {
    request(&Method::POST, "/purchase-materials", headers)
}

#[test]
fn a_purchase_is_read_from_json_or_a_form() {
    let bought =
        |material: &str, quantity, id: &str| Ok((material.to_owned(), quantity, id.to_owned()));
    let key = ("idempotency-key", "order-7");
    let json = r#"{"material": "oak", "quantity": 12}"#;
    assert_eq!(read_of(with(&[JSON, key]), json), bought("oak", 12, "order-7"));
    assert_eq!(read_of(with(&[key]), " "), bought("wood", 10, "order-7"));
    let form = "material=oak+wood&quantity=12&call_id=c";
    assert_eq!(read_of(with(&[FORM, key]), form), bought("oak wood", 12, "c"));
    assert_eq!(read_of(with(&[FORM, key]), ""), bought("wood", 10, "order-7"));
    let new = read_of(with(&[]), "{}").unwrap();
    assert!(new.2.starts_with("call-"), "{new:?}");
}

#[test]
fn a_wrong_purchase_is_refused_with_the_member() {
    let json = [
        "{",
        "[]",
        r#"["wood", 10]"#,
        "null",
        r#"{"material": 7}"#,
        r#"{"material": ""}"#,
        r#"{"material": "  "}"#,
        r#"{"material": null}"#,
        r#"{"quantity": 0}"#,
        r#"{"quantity": -1}"#,
        r#"{"quantity": 1.5}"#,
        r#"{"quantity": "10"}"#,
        r#"{"quantity": 4294967296}"#,
        r#"{"quantity": 18446744073709551616}"#,
        r#"{"colour": "red"}"#,
        r#"{"Material": "wood"}"#,
        r#"{"call_id": "c"}"#,
    ];
    let forms = [
        "quantity=ten",
        "material=&quantity=1",
        "quantity=1&colour=red",
        "material=%zz",
        "material=%ff",
        "call_id=a%2Fb",
    ];
    let json = json.map(|body| read_of(with(&[JSON]), body).unwrap_err());
    let forms = forms.map(|body| read_of(with(&[FORM]), body).unwrap_err());
    insta::assert_snapshot!([json.join("\n"), forms.join("\n")].join("\n"), @r#"
    400 the body is not acceptable JSON: EOF while parsing an object at line 1 column 1
    422 the body: must be a JSON object
    422 the body: must be a JSON object
    422 the body: must be a JSON object
    422 /material: must be a string, not a whole number
    422 /material: must have 1 to 200 bytes, not only spaces
    422 /material: must have 1 to 200 bytes, not only spaces
    422 /material: must be a string, not null
    422 /quantity: must be a whole number from 1 to 4294967295
    422 /quantity: must be a whole number from 1 to 4294967295
    422 /quantity: must be a whole number from 1 to 4294967295, not a fraction
    422 /quantity: must be a whole number from 1 to 4294967295, not a string
    422 /quantity: must be a whole number from 1 to 4294967295
    400 the body is not acceptable JSON: the number 18446744073709551616 at line 1 column 14 would be rounded: send it as a string
    422 /colour: is unknown; use one of material, quantity
    422 /Material: is unknown; use one of material, quantity
    422 /call_id: is unknown; use one of material, quantity
    422 /quantity: must be a whole number from 1 to 4294967295, not a string
    422 /material: must have 1 to 200 bytes, not only spaces
    422 /colour: is unknown; use one of material, quantity
    400 the form is not percent-encoded UTF-8
    400 the form is not percent-encoded UTF-8
    422 the id of a purchase must have up to 255 bytes and none of / \ ? # %
    "#);
    let wrong_key = read_of(with(&[("idempotency-key", "two words")]), "{}");
    assert!(wrong_key.unwrap_err().starts_with("400 the Idempotency-Key"));
}
