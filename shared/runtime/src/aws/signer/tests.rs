use std::time::Duration;

use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SigningParams, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_types::body::SdkBody;
use proptest::prelude::*;

use super::*;

const REGION: &str = "eu-central-1";
const SERVICE: &str = "dynamodb";

/// The headers that the SDK's signer adds, with their values.
fn by_the_sdk(
    request: &HttpRequest,
    credentials: &Credentials,
    now: SystemTime,
) -> Vec<(String, String)> {
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(SERVICE)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .unwrap();
    let body = SignableBody::Bytes(request.body().bytes().unwrap());
    let (method, uri, headers) = (request.method(), request.uri(), request.headers().iter());
    let signable = SignableRequest::new(method, uri, headers, body).unwrap();
    let (instructions, _) = sign(signable, &SigningParams::V4(params)).unwrap().into_parts();
    let (headers, _) = instructions.into_parts();
    let headers = headers.into_iter();
    headers.map(|header| (header.name().to_owned(), header.value().to_owned())).collect()
}

fn request(uri: &str, headers: &[(String, String)], body: Vec<u8>) -> HttpRequest {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST").unwrap();
    request.set_uri(uri.to_owned()).unwrap();
    for (name, value) in headers {
        request.headers_mut().append(name.clone(), value.clone());
    }
    request
}

fn credentials(key: &str, token: Option<&str>) -> Credentials {
    Credentials::new(key, format!("the secret of {key}"), token.map(str::to_owned), None, "test")
}

fn header() -> impl Strategy<Value = (String, String)> {
    const KNOWN: &[&str] = &["content-type", "user-agent", "x-amz-target", "Amz-Sdk-Request"];
    let known = proptest::sample::select(KNOWN).prop_map(str::to_owned);
    let name = prop_oneof![known, "[a-zA-Z0-9-]{1,12}"];
    (name, "[!-~]{0,3}([ !-~]{0,20}[!-~])?")
}

fn address() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(
        &[
            "https://dynamodb.eu-central-1.amazonaws.com",
            "https://dynamodb.eu-central-1.amazonaws.com/",
            "https://example.com:8443/",
            "http://127.0.0.1:4566/",
            "http://[::1]:443/",
            "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails",
        ][..],
    )
}

proptest! {
    #[test]
    fn a_signature_equals_that_of_the_sdk(
        uri in address(),
        headers in proptest::collection::vec(header(), 0..8),
        body in proptest::collection::vec(any::<u8>(), 0..200),
        token in proptest::option::of("[!-~]{1,40}"),
        moments in proptest::collection::vec((0_u64..4_000_000_000_000, "AK[A-Z]{0,1}"), 1..4),
    ) {
        let signer = Signer::new(REGION, SERVICE);
        let request = request(uri, &headers, body);
        for (millis, key) in moments {
            let now = UNIX_EPOCH + Duration::from_millis(millis);
            let credentials = credentials(&key, token.as_deref());
            if let Some(signed) = signer.sign(&request, &credentials, now) {
                let mut own = vec![
                    ("x-amz-date".to_owned(), signed.date),
                    ("authorization".to_owned(), signed.authorization),
                ];
                own.extend(token.clone().map(|token| ("x-amz-security-token".to_owned(), token)));
                prop_assert_eq!(own, by_the_sdk(&request, &credentials, now));
            }
        }
    }
}

#[test]
fn only_usual_requests_are_signed_here() {
    let signer = Signer::new(REGION, SERVICE);
    let headers = |headers: &[(&str, &str)]| -> Vec<(String, String)> {
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let signs = |request: &HttpRequest| {
        let now = UNIX_EPOCH + Duration::from_secs(1_795_165_200);
        signer.sign(request, &credentials("AK", Some("token")), now).is_some()
    };
    let uri = "https://dynamodb.eu-central-1.amazonaws.com/";
    let target = headers(&[("x-amz-target", "DynamoDB_20120810.PutItem"), ("user-agent", "a  b")]);
    assert!(signs(&request(uri, &target, b"{}".to_vec())));
    for uri in [
        "https://a.example/b%20c",
        "https://a.example//b",
        "https://a.example/../b",
        "https://a.example/?b",
        "https://a.example:443/",
        "http://a.example:80/",
    ] {
        assert!(!signs(&request(uri, &target, b"{}".to_vec())), "{uri}");
    }
    for unusual in
        [&[("a", "1"), ("a", "2")][..], &[("a", "b  c")], &[("a", "b ")], &[("host", "b")]]
    {
        assert!(!signs(&request(uri, &headers(unusual), b"{}".to_vec())), "{unusual:?}");
    }
    let mut get = request(uri, &target, b"{}".to_vec());
    get.set_method("GET").unwrap();
    assert!(!signs(&get));
}
