//! Senders that publish their keys. Placet fetches the keys when it needs them, caches them, and fetches them
//! again when a sender changes them.

use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};

use crate::receiver::{Receiver, Reply};
use crate::world::World;

/// A key of the sender, with its id.
struct Key {
    id: &'static str,
    pair: Ed25519KeyPair,
}

impl Key {
    fn new(id: &'static str) -> Self {
        Self { id, pair: Ed25519KeyPair::generate().unwrap() }
    }

    fn token(&self, world: &World) -> String {
        let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let expires = world.clock.now().seconds() + 600;
        let header = part(json!({"alg": "EdDSA", "kid": self.id}));
        let claims =
            part(json!({"iss": "https://sender.example", "aud": "placet", "exp": expires}));
        let signature = self.pair.sign(format!("{header}.{claims}").as_bytes());
        format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn published(keys: &[&Key]) -> Reply {
    let json = |key: &&Key| {
        let x = URL_SAFE_NO_PAD.encode(key.pair.public_key());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": key.id, "x": x})
    };
    let keys: Vec<Value> = keys.iter().map(json).collect();
    Reply::Body(200, json!({"keys": keys}).to_string().into_bytes())
}

async fn world(sender: &Receiver) -> World {
    let jwt = format!(
        "{{at: header:authorization, scheme: Bearer, jwks: 'http://127.0.0.1:{}/keys', \
         algorithms: [EdDSA], issuer: https://sender.example, audience: placet}}",
        sender.port
    );
    let tokens = format!("{{checks: {{jwt: {jwt}}}, identity: json:/id}}");
    World::building().source("tokens", &tokens).start().await
}

async fn send(world: &World, key: &Key, id: u32) -> StatusCode {
    world
        .post("/webhooks/tokens")
        .key(&key.token(world))
        .json(&json!({"id": id}))
        .send()
        .await
        .status
}

#[tokio::test]
async fn keys_are_fetched_once_and_again_for_a_new_one() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let sender = Receiver::start().await;
    let world = world(&sender).await;
    sender.answers([published(&[&old]), published(&[&old, &new])]);

    for id in 0..3 {
        assert_eq!(send(&world, &old, id).await, StatusCode::OK);
    }
    assert_eq!(sender.received().len(), 1);
    world.advance(Duration::from_secs(61));
    assert_eq!(send(&world, &new, 3).await, StatusCode::OK);
    assert_eq!(send(&world, &old, 4).await, StatusCode::OK);
    assert_eq!(sender.received().len(), 2);

    world.settle().await;
    assert_eq!(world.receipts().await.len(), 5);
    world.finish().await;
}

#[tokio::test]
async fn invented_key_ids_do_not_cause_a_fetch_each_time() {
    let (known, forged) = (Key::new("known"), Key::new("forged"));
    let sender = Receiver::start().await;
    let world = world(&sender).await;
    sender.answers([published(&[&known]), published(&[&known])]);
    assert_eq!(send(&world, &known, 0).await, StatusCode::OK);

    for _ in 0..5 {
        assert_eq!(send(&world, &forged, 1).await, StatusCode::UNAUTHORIZED);
    }

    assert_eq!(sender.received().len(), 1, "fetched less than a minute ago");
    world.settle().await;
    assert_eq!(world.receipts().await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn it_is_our_fault_if_keys_cannot_be_fetched() {
    let key = Key::new("key");
    let sender = Receiver::start().await;
    let world = world(&sender).await;
    sender.answers([Reply::Status(500), published(&[&key])]);

    for _ in 0..3 {
        assert_eq!(send(&world, &key, 0).await, StatusCode::SERVICE_UNAVAILABLE);
    }

    assert_eq!(sender.received().len(), 1, "keys are not fetched again at once");
    world.advance(Duration::from_secs(61));
    assert_eq!(send(&world, &key, 0).await, StatusCode::OK);
    world.settle().await;
    assert_eq!(world.receipts().await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn old_keys_stay_valid_a_little_longer_if_new_keys_cannot_be_fetched() {
    let key = Key::new("key");
    let sender = Receiver::start().await;
    let world = world(&sender).await;
    let error_page = Reply::Body(200, b"<html>busy</html>".to_vec());
    sender.answers([published(&[&key]), error_page, Reply::Status(500)]);

    for id in 0..3 {
        assert_eq!(send(&world, &key, id).await, StatusCode::OK);
        world.advance(Duration::from_secs(2 * 60 * 60));
    }

    assert_eq!(sender.received().len(), 3);
    world.settle().await;
    assert_eq!(world.receipts().await.len(), 3);
    world.finish().await;
}
