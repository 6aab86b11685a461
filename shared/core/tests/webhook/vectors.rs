//! Published signatures. For senders that publish none, the vectors come from OpenSSL and Python.

use placet_core::webhook::Unverified;
use serde_json::json;

use crate::request::{Judged, Request, open, open_scheme, scheme};

struct Vector {
    preset: &'static str,
    secret: &'static str,
    at: i64,
    origin: &'static str,
    path: &'static str,
    query: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static [u8],
}

const fn vector(
    preset: &'static str,
    secret: &'static str,
    at: i64,
    headers: &'static [(&'static str, &'static str)],
    body: &'static [u8],
) -> Vector {
    let (origin, path, query) = ("https://hooks.example.com", "/in/abc", "x=1");
    Vector { preset, secret, at, origin, path, query, headers, body }
}

const fn to(
    origin: &'static str,
    path: &'static str,
    query: &'static str,
    vector: Vector,
) -> Vector {
    Vector { origin, path, query, ..vector }
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");
const ROW_1: &[u8] = br#"{"test": 2432232314}"#;
const TWILIO: &[u8] = b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212";
const SENDGRID: &[u8] = b"[{\"email\":\"hello@world.com\",\"event\":\"dropped\",\"reason\":\"Bounced Address\",\"sg_event_id\":\"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA\",\"sg_message_id\":\"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0\",\"smtp-id\":\"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>\",\"timestamp\":1600112492}]\r\n";
const SLACK: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
const SQUARE: &[u8] = br#"{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification","event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f","created_at":"2022-07-13T20:30:59.037339943Z","data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}"#;
const MYCOMPANY: &str = "https://mycompany.com";

#[rustfmt::skip]
const PUBLISHED: &[Vector] = &[
    vector("standard", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1_614_265_330, &[("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("webhook-timestamp", "1614265330"), ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")], ROW_1),
    vector("svix", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1_614_265_330, &[("svix-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("svix-timestamp", "1614265330"), ("svix-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")], ROW_1),
    vector("humanlayer", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", 1_649_367_553, &[("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"), ("webhook-timestamp", "1649367553"), ("webhook-signature", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=")], br#"{"email":"test@example.com","username":"test_user"}"#),
    vector("standard", "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", 1_614_265_330, &[("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("webhook-timestamp", "1614265330"), ("webhook-signature", "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==")], ROW_1),
    vector("gitlab", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1_614_265_330, &[("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("webhook-timestamp", "1614265330"), ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")], ROW_1),
    vector("github", "It's a Secret to Everybody", 0, &[("x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")], b"Hello, World!"),
    vector("github", "mysecret", 0, &[("x-hub-signature-256", "sha256=4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3")], br#"{"foo":"bar"}"#),
    vector("github", "development", 0, &[("x-hub-signature-256", "sha256=afecc3caa27548bb90d51a50384cb2868b9a3327b4ad6a01c9bd4ed0f8b0b12c")], r#"{"foo":"Foo\n\u001B[34mbar: ♥♥♥♥♥♥♥♥\nthis-is-lost\u001B[0m\u001B[2K"}"#.as_bytes()),
    vector("github", "development", 0, &[("x-hub-signature-256", "sha256=6f8326efbacfbd04e870cea25b5652e635be8c9807f2fd5348ef60753c9e96ed")], br#"{"foo":"\\u001b"}"#),
    vector("slack", "8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618, &[FORM, ("x-slack-request-timestamp", "1531420618"), ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503")], SLACK),
    to(MYCOMPANY, "/myapp.php", "foo=1&bar=2", vector("twilio", "12345", 0, &[FORM, ("x-twilio-signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")], TWILIO)),
    to(MYCOMPANY, "/myapp.php", "foo=1&bar=2", vector("twilio", "12345", 0, &[FORM, ("x-twilio-signature", "kvajT1Ptam85bY51eRf/AJRuM3w=")], TWILIO)),
    to("http://mycompany.com:80", "/myapp.php", "foo=1&bar=2", vector("twilio", "12345", 0, &[FORM, ("x-twilio-signature", "0ZXoZLH/DfblKGATFgpif+LLRf4=")], TWILIO)),
    to("http://mycompany.com", "/myapp.php", "foo=1&bar=2", vector("twilio", "12345", 0, &[FORM, ("x-twilio-signature", "0ZXoZLH/DfblKGATFgpif+LLRf4=")], TWILIO)),
    to("http://mycompany.com:1234", "/myapp.php", "foo=1&bar=2", vector("twilio", "12345", 0, &[FORM, ("x-twilio-signature", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=")], TWILIO)),
    to("https://example.com", "/myapp.php", "foo=1&bar=2", vector("twilio", "12345", 0, &[FORM, ("x-twilio-signature", "L/OH5YylLD5NRKLltdqwSvS0BnU=")], b"To=%2B18005551212&From=%2B14158675310&Digits=1234&Caller=%2B14158675310&CallSid=CA1234567890ABCDE")),
    to(MYCOMPANY, "/myapp.php", "foo=1&bar=2", vector("twilio", "12345", 0, &[FORM, ("x-twilio-signature", "IK+Dwps556ElfBT0I3Rgjkr1wJU=")], b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234")),
    to(MYCOMPANY, "/myapp.php", "foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620", vector("twilio", "12345", 0, &[JSON, ("x-twilio-signature", "a9nBmqA0ju/hNViExpshrM61xv4=")], br#"{"property": "value", "boolean": true}"#)),
    vector("pagerduty", "lDQHScfUeXUKaQRNF+8XIiDKZ7XX3itBAYzwU0TARw8lJqRnkKl2iB1anSb0Z+IK", 0, &[("x-pagerduty-signature", "v1=0c0b9495b893a39e70d1fea2fe11fbe0a825f88b9f67846f6cc07dd2bc5476cd")], include_bytes!("pagerduty.json")),
    vector("paddle", "pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_WvRO0eL4Bj9rgYYIBZY6wZhG4EHy9jzh", 1_696_195_954, &[("paddle-signature", "ts=1696195954;h1=dummy;h1=d96299976a6eb066f484d7fde011ac56fc32b38fc9940bc419d6e537fdc6ef02")], b"hello-world"),
    to("https://webhook.site", "/679a4f3a-dcfa-49ee-bac5-9d0edad886b9", "", vector("square", "Ibxx_5AKakO-3qeNVR61Dw", 0, &[("x-square-hmacsha256-signature", "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4=")], SQUARE)),
    to("https://webhook.site", "/webhooks", "", vector("square", "signature-key", 0, &[("x-square-hmacsha256-signature", "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U=")], br#"{"data":{"type":"webhooks","id":">id<"}}"#)),
    to("https://www.example.com", "/webhook_uri", "", vector("hubspot", "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy", 1_693_657_560, &[("x-hubspot-request-timestamp", "1693657560000"), ("x-hubspot-signature-v3", "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=")], b"{'example_field':'example_value'}")),
    vector("sendgrid", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==", 1_600_112_502, &[("x-twilio-email-event-webhook-timestamp", "1600112502"), ("x-twilio-email-event-webhook-signature", "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=")], SENDGRID),
    vector("mux", "SuperSecret123", 1_591_664_030, &[("mux-signature", "t=1591664030,v1=e43496b6aae982c4c2fd6f8e92935f1d90216f1f64d56024e72390acfb988272")], b"payload"),
    vector("zendesk", "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==", 1_616_648_967, &[("x-zendesk-webhook-signature-timestamp", "2021-03-25T05:09:27Z"), ("x-zendesk-webhook-signature", "S/RDdU2ERmj7LHDDoWJ2onPYH+t7/f2+LTM4dL7UiLM=")], br#"{"event":"ticket.updated","id":123}"#),
];

const KEY: &str = "s3cr3t";
const AT: i64 = 1_700_000_000;
const BODY: &[u8] = br#"{"id":"evt_1","type":"ping"}"#;
const PUBLIC: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
const DISCORD: &[(&str, &str)] = &[
    ("x-signature-timestamp", "1700000000"),
    (
        "x-signature-ed25519",
        "6b0fcffb67117ab924b22071f2f48bce25843e96340bfdeab00a5033ecd7383654ec09fa50ca9b3b147b29f7c1e67954b595dd6e7d2a4ac9673dd8d4efd82903",
    ),
];

#[rustfmt::skip]
const OWN: &[Vector] = &[
    vector("github", KEY, 0, &[("x-hub-signature-256", "sha256=44b3ea5dead8d603fa15b6782d912bb061e3eab933c092bc5412863903d35b35")], BODY),
    vector("meta", KEY, 0, &[("x-hub-signature-256", "sha256=44b3ea5dead8d603fa15b6782d912bb061e3eab933c092bc5412863903d35b35")], BODY),
    vector("whatsapp", KEY, 0, &[("x-hub-signature-256", "sha256=44b3ea5dead8d603fa15b6782d912bb061e3eab933c092bc5412863903d35b35")], BODY),
    vector("pagerduty", KEY, 0, &[("x-pagerduty-signature", "v1=44b3ea5dead8d603fa15b6782d912bb061e3eab933c092bc5412863903d35b35")], BODY),
    vector("dropbox", KEY, 0, &[("x-dropbox-signature", "44b3ea5dead8d603fa15b6782d912bb061e3eab933c092bc5412863903d35b35")], BODY),
    vector("sentry", KEY, 0, &[("sentry-hook-signature", "44b3ea5dead8d603fa15b6782d912bb061e3eab933c092bc5412863903d35b35")], BODY),
    vector("hmac", KEY, 0, &[("x-webhook-signature", "44b3ea5dead8d603fa15b6782d912bb061e3eab933c092bc5412863903d35b35")], BODY),
    vector("hmac", KEY, 0, &[("x-webhook-signature", "sha256=44B3EA5DEAD8D603FA15B6782D912BB061E3EAB933C092BC5412863903D35B35")], BODY),
    vector("hmac", KEY, 0, &[("x-webhook-signature", "3c81cc9496e1c25250f6ccb85f697c1bb623e3480d6538ad8cb6a6648142777d")], b""),
    vector("hmac", KEY, 0, &[("x-webhook-signature", "8e2d44c44aade597dcf7ec978c5968fbbab11c5c764d50b6988128bbf2a37b32")], b"\xff\xfe\x00\x0a"),
    vector("shopify", KEY, 0, &[("x-shopify-hmac-sha256", "RLPqXerY1gP6FbZ4LZErsGHj6rkzwJK8VBKGOQPTWzU=")], BODY),
    vector("shopify", KEY, 0, &[("shopify-hmac-sha256", "RLPqXerY1gP6FbZ4LZErsGHj6rkzwJK8VBKGOQPTWzU=")], BODY),
    vector("x", KEY, 0, &[("x-twitter-webhooks-signature", "sha256=RLPqXerY1gP6FbZ4LZErsGHj6rkzwJK8VBKGOQPTWzU=")], BODY),
    vector("intercom", KEY, 0, &[("x-hub-signature", "sha1=de504739cbf43f90928dd4eab8b1280579f5d73b")], BODY),
    vector("stripe", KEY, AT, &[("stripe-signature", "t=1700000000,v1=4a13c63cc9b60395a6acef7b36ee554e2d087e533345770521bce3c66c2cf718")], BODY),
    vector("mux", KEY, AT, &[("mux-signature", "t=1700000000,v1=4a13c63cc9b60395a6acef7b36ee554e2d087e533345770521bce3c66c2cf718")], BODY),
    vector("paddle", KEY, AT, &[("paddle-signature", "ts=1700000000;h1=ce82f8a4f57b74230731413281c07b710462926d0d4acc73208ce6abbeb330a1")], BODY),
    vector("slack", KEY, AT, &[("x-slack-request-timestamp", "1700000000"), ("x-slack-signature", "v0=893eb7993476b9d262af5c21dca1fbc5ee4624082cec16c344de78728c461290")], BODY),
    vector("zoom", KEY, AT, &[("x-zm-request-timestamp", "1700000000"), ("x-zm-signature", "v0=893eb7993476b9d262af5c21dca1fbc5ee4624082cec16c344de78728c461290")], BODY),
    vector("zendesk", KEY, AT, &[("x-zendesk-webhook-signature-timestamp", "2023-11-14T22:13:20Z"), ("x-zendesk-webhook-signature", "jcW4uCYCgZ9xRxd8yfi2cTRe7sru0qq+K4RAiNNY/nw=")], BODY),
    vector("square", KEY, 0, &[("x-square-hmacsha256-signature", "6wS/gL8i+kRwJ/WOphfdpjAZZ5XJh/qXPPAQYwoy14w=")], BODY),
    vector("hubspot", KEY, AT, &[("x-hubspot-request-timestamp", "1700000000000"), ("x-hubspot-signature-v3", "lM4imzsNVVbmrrqrxHvd6X2xaqEfRZ+ywwSp1djPD2I=")], BODY),
    vector("twilio", KEY, 0, &[FORM, ("x-twilio-signature", "MVDJTSC3IJdiBmW1x2X217xGrug=")], b"Body=hi+there&From=%2B15550001111"),
    vector("standard", "whsec_czNjcjN0", AT, &[("webhook-id", "msg_1"), ("webhook-timestamp", "1700000000"), ("webhook-signature", "v1,eofUqMg10WhcXL2BcxP3lD14cDUBFP6GQhqEwYU0Elw=")], BODY),
    vector("standard", "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=", AT, &[("webhook-id", "msg_1"), ("webhook-timestamp", "1700000000"), ("webhook-signature", "v1a,0uKUWU9uAiPp0w7k8x6KGOQSqOIOZ7FCPb2ZJAMIaXXelBo2GOpzeMJWNY7o6sm3cwZf2jYxupilUjenSRmkAA==")], BODY),
    vector("discord", PUBLIC, AT, DISCORD, BODY),
    vector("discord-events", PUBLIC, AT, DISCORD, BODY),
];

impl Vector {
    fn request(&self) -> Request {
        let mut request = Request::post(self.body).with_query(self.query);
        self.path.clone_into(&mut request.path);
        self.headers.iter().fold(request, |request, (name, value)| request.add(name, value))
    }

    fn judged(&self, request: &Request) -> Judged {
        let changes = json!({"known_secrets": [], "shortest_secret": 1});
        let mut verifier = open_scheme(scheme(self.preset, changes), &[self.secret]);
        if self.origin != crate::request::ORIGIN {
            let secrets = [self.secret.to_owned()];
            let scheme = verifier.scheme().clone();
            verifier = placet_core::webhook::Verifier::open(
                self.preset,
                scheme,
                &secrets,
                &[],
                Some(self.origin),
            )
            .unwrap();
        }
        request.judged(&verifier, self.at)
    }
}

#[test]
fn every_vector_passes() {
    for vector in PUBLISHED.iter().chain(OWN) {
        let judged = vector.judged(&vector.request());
        assert!(judged.is_ok(), "{} {:?}: {judged:?}", vector.preset, vector.headers);
    }
}

#[test]
fn no_vector_passes_with_another_body() {
    for vector in PUBLISHED.iter().chain(OWN) {
        let request = vector.request();
        let longer = [request.body.as_slice(), b"1"].concat();
        let judged = vector.judged(&request.with_body(longer));
        assert!(judged.is_err(), "{} {:?}", vector.preset, vector.headers);
    }
}

/// The printed `v1a` signature belongs to another message than the printed one.
#[test]
fn the_header_printed_in_the_specification_is_refused() {
    let pretty = "{\n  \"type\": \"contact.created\",\n  \"timestamp\": \"2022-11-03T20:26:10.344522Z\",\n  \"data\": {\n    \"id\": \"1f81eb52-5198-4599-803e-771906343485\",\n    \"type\": \"contact\",\n    \"first_name\": \"John\",\n    \"last_name\": \"Smith\"\n  }\n}";
    let compact = serde_json::from_str::<serde_json::Value>(pretty).unwrap().to_string();
    let secret = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    for body in [pretty, &compact] {
        let request = Request::post(body)
            .add("webhook-id", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W")
            .add("webhook-timestamp", "1674087231")
            .add("webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4= v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==");
        let judged = request.judged(&open("standard", &[secret]), 1_674_087_231);
        assert_eq!(judged, Err(Unverified::Signature));
    }
}

/// Hashes of the secret followed by the text allow a length extension by anyone.
#[test]
fn the_older_signatures_of_hubspot_are_refused() {
    for (header, hash) in [
        ("x-hubspot-signature", "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750"),
        ("x-hubspot-signature", "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383"),
        (
            "x-hubspot-signature-v3",
            "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750",
        ),
        (
            "x-hubspot-signature-v3",
            "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383",
        ),
    ] {
        let mut request = Request::post("{'example_field':'example_value'}").with_query("");
        "/webhook_uri".clone_into(&mut request.path);
        let request = request.add(header, hash).add("x-hubspot-request-timestamp", "1693657560000");
        let secret = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
        assert!(request.judged(&open("hubspot", &[secret]), 1_693_657_560).is_err());
    }
}
