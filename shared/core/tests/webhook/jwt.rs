//! JSON Web Tokens with a published key set.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use placet_core::webhook::{Documents, Unverified, Verifier};
use serde_json::{Value, json};

use crate::crypto::{RSA, hmac_sha256, sha256_hex, sign_rsa};
use crate::request::{Judged, Request, open_scheme, written};
use crate::sender::NOW;

const JWKS: &str = "https://keys.example.com/jwks.json";
const BODY: &str = r#"{"message":{"messageId":"1"}}"#;

static EC: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
static ED: LazyLock<Ed25519KeyPair> = LazyLock::new(|| Ed25519KeyPair::generate().unwrap());

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sign(algorithm: &str, message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    match algorithm {
        "RS256" => sign_rsa(message),
        "ES256" => EC.sign(&random, message).unwrap().as_ref().to_vec(),
        "EdDSA" => ED.sign(message).as_ref().to_vec(),
        // The published modulus.
        "HS256" => hmac_sha256(modulus(), message),
        _ => Vec::new(),
    }
}

/// The modulus of 2048 bits in the DER `SEQUENCE { INTEGER, INTEGER }`.
fn modulus() -> &'static [u8] {
    &RSA.public_key().as_ref()[9..265]
}

fn rsa_key(id: &str) -> Value {
    let (n, e) = (b64(modulus()), b64([1, 0, 1]));
    json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": n, "e": e})
}

fn keys() -> Value {
    let point = EC.public_key().as_ref();
    let (x, y) = (b64(&point[1..33]), b64(&point[33..]));
    let ed = b64(ED.public_key());
    json!({"keys": [
        rsa_key("rsa"),
        {"kty": "EC", "crv": "P-256", "kid": "ec", "x": x, "y": y},
        {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": ed},
        {"kty": "oct", "kid": "mac", "k": "AAAA"}
    ]})
}

/// The documents with this key set.
fn documents_of(set: &Value) -> Documents {
    let mut documents = Documents::default();
    documents.insert(JWKS, set.to_string().into_bytes());
    documents
}

pub fn documents() -> Documents {
    documents_of(&keys())
}

/// A request that proves its sender but not its body.
pub fn request() -> Request {
    let token = token(&json!({"alg": "RS256", "kid": "rsa"}), &claims());
    Request::post(BODY).add("authorization", &format!("Bearer {token}"))
}

pub fn verifier(changes: &Value) -> Verifier {
    let check = json!({
        "at": "header:authorization", "scheme": "Bearer", "jwks": JWKS,
        "algorithms": ["RS256", "ES256", "EdDSA"],
        "issuer": "https://accounts.example.com", "audience": "placet",
        "claims": {"email": "push@example.com"}
    });
    let check = placet_core::webhook::merged(check, changes);
    open_scheme(written(json!({"checks": {"jwt": check}})), &[])
}

fn claims() -> Value {
    json!({
        "iss": "https://accounts.example.com", "aud": "placet", "email": "push@example.com",
        "exp": NOW + 600, "iat": NOW
    })
}

fn token(header: &Value, claims: &Value) -> String {
    let algorithm = header["alg"].as_str().unwrap_or_default();
    token_of(algorithm, &header.to_string(), &claims.to_string())
}

fn token_of(algorithm: &str, header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", b64(header), b64(claims));
    let signature = sign(algorithm, signed.as_bytes());
    format!("{signed}.{}", b64(signature))
}

fn judged_with(verifier: &Verifier, set: &Value, token: &str) -> Judged {
    let request = Request::post(BODY).add("authorization", &format!("Bearer {token}"));
    request.judged_with(verifier, &documents_of(set), NOW)
}

fn judged(token: &str) -> Judged {
    judged_with(&verifier(&json!({})), &keys(), token)
}

fn with_claim(name: &str, value: Value) -> Judged {
    let mut claims = claims();
    claims[name] = value;
    judged(&token(&json!({"alg": "RS256", "kid": "rsa"}), &claims))
}

#[test]
fn each_algorithm_verifies_under_its_key() {
    for (algorithm, kid) in [("RS256", "rsa"), ("ES256", "ec"), ("EdDSA", "ed")] {
        let verified = judged(&token(&json!({"alg": algorithm, "kid": kid}), &claims())).unwrap();
        assert_eq!(verified.proven.check, format!("jwt {algorithm}"));
        assert!(!verified.proven.coverage.body, "the token does not cover the body");
        assert_eq!(verified.proven.signed_at.unwrap().seconds(), NOW);
        let only_kind = token(&json!({"alg": algorithm}), &claims());
        assert!(judged(&only_kind).is_ok(), "the only key of its type needs no id");
        let changed = only_kind.replacen(&b64(claims().to_string()), &b64("{}"), 1);
        assert!(judged(&changed).is_err());
        for at in [0, 10, 63] {
            let (signed, signature) = only_kind.rsplit_once('.').unwrap();
            let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            signature[at] ^= 1;
            assert!(judged(&format!("{signed}.{}", b64(signature))).is_err(), "{algorithm} {at}");
        }
    }
}

#[test]
fn a_token_cannot_choose_its_algorithm() {
    for algorithm in ["none", "None", "", "HS256", "RS512", "rs256", "PS256"] {
        for kid in ["rsa", "mac", "ec"] {
            let forged = token(&json!({"alg": algorithm, "kid": kid}), &claims());
            let judged = judged(&forged);
            assert_eq!(judged, Err(Unverified::Jwt("its algorithm is not allowed")), "{algorithm}");
        }
    }
    let unsigned = token(&json!({"alg": "none"}), &claims());
    assert!(unsigned.ends_with('.'));
    let only_rsa = verifier(&json!({"algorithms": ["RS256"]}));
    let other = token(&json!({"alg": "ES256", "kid": "ec"}), &claims());
    assert!(judged_with(&only_rsa, &keys(), &other).is_err());
    for (algorithm, kid) in [("RS256", "ec"), ("ES256", "rsa"), ("EdDSA", "ec")] {
        let mixed = token(&json!({"alg": algorithm, "kid": kid}), &claims());
        assert!(judged(&mixed).is_err(), "{algorithm} under {kid}");
    }
}

#[test]
fn an_unknown_key_id_needs_a_newer_key_set() {
    let newer = |newer| Err(Unverified::NeedsDocument { url: JWKS.to_owned(), newer });
    let unknown = token(&json!({"alg": "RS256", "kid": "rsa-2"}), &claims());
    assert_eq!(judged(&unknown), newer(true));
    let request = Request::post(BODY).add("authorization", &format!("Bearer {unknown}"));
    assert_eq!(request.judged(&verifier(&json!({})), NOW), newer(false));
    let nameless = token(&json!({"alg": "RS256"}), &claims());
    let two = json!({"keys": [rsa_key("rsa"), rsa_key("rsa-2")]});
    let verifier = verifier(&json!({}));
    assert!(matches!(judged_with(&verifier, &two, &nameless), Err(Unverified::Jwt(_))));
    assert!(judged_with(&verifier, &two, &unknown).is_ok());
    for (name, other) in [("use", "enc"), ("alg", "RS512"), ("kty", "EC")] {
        let mut changed = keys();
        changed["keys"][0][name] = json!(other);
        assert_eq!(judged_with(&verifier, &changed, &nameless), newer(true), "{name}");
    }
    for broken in [json!([]), json!({"keys": {}}), json!("x"), json!({"keys": [{"kty": "RSA"}]})] {
        assert!(judged_with(&verifier, &broken, &nameless).is_err(), "{broken}");
    }
}

#[test]
fn a_token_is_valid_between_its_times() {
    for (name, value, fine) in [
        ("exp", json!(NOW - 60), true),
        ("exp", json!(NOW - 61), false),
        ("exp", Value::Null, false),
        ("exp", json!("1900000000"), false),
        ("nbf", json!(NOW + 60), true),
        ("nbf", json!(NOW + 61), false),
        ("iat", json!(NOW + 60), true),
        ("iat", json!(NOW + 61), false),
        ("iat", json!(1_700_000_000.5), true),
        ("iat", json!(true), false),
    ] {
        let judged = with_claim(name, value.clone());
        assert_eq!(judged.is_ok(), fine, "{name} {value}: {judged:?}");
    }
    let mut endless = claims();
    endless.as_object_mut().unwrap().remove("exp");
    let endless = token(&json!({"alg": "RS256"}), &endless);
    assert_eq!(judged(&endless), Err(Unverified::Jwt("it has no exp claim")));
    let aged = verifier(&json!({"max_age": "5m"}));
    assert!(judged_with(&aged, &keys(), &endless).is_ok(), "max_age limits the token");
    let of = |seconds: i64| {
        let mut claims = claims();
        claims["iat"] = json!(NOW - seconds);
        judged_with(&aged, &keys(), &token(&json!({"alg": "RS256"}), &claims)).is_ok()
    };
    assert!(of(360));
    assert!(!of(361));
}

#[test]
fn a_token_is_valid_for_its_issuer_and_audience() {
    for (name, value, fine) in [
        ("iss", json!("https://accounts.example.com/"), false),
        ("iss", json!(["https://accounts.example.com"]), false),
        ("iss", Value::Null, false),
        ("aud", json!(["other", "placet"]), true),
        ("aud", json!(["other"]), false),
        ("aud", json!([]), false),
        ("aud", json!("Placet"), false),
        ("aud", Value::Null, false),
        ("email", json!("other@example.com"), false),
        ("email", Value::Null, false),
    ] {
        let judged = with_claim(name, value.clone());
        assert_eq!(judged.is_ok(), fine, "{name} {value}: {judged:?}");
    }
}

#[test]
fn a_body_digest_in_the_token_covers_the_body() {
    let verifier = verifier(&json!({"body_hash_claim": "request_body_sha256"}));
    let with = |digest: Value| {
        let mut claims = claims();
        claims["request_body_sha256"] = digest;
        judged_with(&verifier, &keys(), &token(&json!({"alg": "ES256"}), &claims))
    };
    assert!(with(json!(sha256_hex(BODY.as_bytes()))).unwrap().proven.coverage.body);
    for wrong in [json!(sha256_hex(b"{}")), json!(""), Value::Null, json!("zz")] {
        assert_eq!(with(wrong.clone()), Err(Unverified::BodyHash), "{wrong}");
    }
    let absent = token(&json!({"alg": "ES256"}), &claims());
    assert_eq!(judged_with(&verifier, &keys(), &absent), Err(Unverified::BodyHash));
}

#[test]
fn a_malformed_token_is_refused() {
    let right = token(&json!({"alg": "RS256"}), &claims());
    let critical = token(&json!({"alg": "RS256", "crit": ["exp"]}), &claims());
    let (header, text) = (r#"{"alg":"RS256"}"#, claims().to_string());
    assert!(judged(&token_of("RS256", header, &text)).is_ok());
    let two_algorithms = token_of("RS256", r#"{"alg":"none","alg":"RS256"}"#, &text);
    let two_issuers = token_of("RS256", header, &text.replacen('{', r#"{"iss":"x","#, 1));
    let no_object = token_of("RS256", header, "[]");
    for wrong in [
        critical,
        two_algorithms,
        two_issuers,
        no_object,
        String::new(),
        ".".into(),
        "..".into(),
        "a.b".into(),
        format!("{right}="),
        format!("{right}.x"),
        format!(" {right}"),
        right.replace('.', " "),
    ] {
        assert!(judged(&wrong).is_err(), "{wrong}");
    }
    let verifier = verifier(&json!({}));
    for value in [right.clone(), format!("Basic {right}"), String::new()] {
        let request = Request::post(BODY).add("authorization", &value);
        assert_eq!(request.judged(&verifier, NOW), Err(Unverified::Missing), "{value}");
    }
}
