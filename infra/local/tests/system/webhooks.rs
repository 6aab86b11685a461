//! Webhooks as senders make and sign them.

use http::StatusCode;
use placet_core::Digest;
use placet_core::webhook::{Draft, hmac_sha256, parse_secret, sign};
use serde_json::{Value, json};

use crate::client;
use crate::receiver::Received;
use crate::request::{Reply, Request};
use crate::world::{WEBHOOK_SECRET, World};

/// An HMAC-SHA256 in hexadecimal digits: the signature of most senders.
pub fn hex_mac(secret: &str, parts: &[&[u8]]) -> String {
    hmac_sha256(secret.as_bytes(), parts).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes that do not compress.
pub fn noise(size: u32) -> Vec<u8> {
    let blocks =
        (0..size.div_ceil(32)).map(|block| *Digest::of_bytes(&block.to_le_bytes()).as_bytes());
    blocks.flatten().take(size as usize).collect()
}

/// The body that HumanLayer's cloud sends when a person has decided a call.
pub fn completed(call: &client::Draft, approved: bool) -> Value {
    let mut body = call.humanlayer();
    body["status"] = json!({"approved": approved, "comment": "by mail"});
    body
}

impl World {
    /// A webhook to a source with this event id, signed by the scheme of the source.
    pub fn signed(&self, source: &str, id: &str, content_type: &str, body: &[u8]) -> Request<'_> {
        let signed = self.signs(source, id, content_type, body);
        signed.unwrap_or_else(|| panic!("{source} cannot be signed"))
    }

    /// The same; `None` if the source would refuse this body.
    pub fn signs(
        &self,
        source: &str,
        id: &str,
        content_type: &str,
        body: &[u8],
    ) -> Option<Request<'_>> {
        let runtime = &self.system.runtime;
        let found = runtime.config.source(source).unwrap();
        let verifier = found.open(source, &runtime.environment).unwrap();
        let path = format!("/webhooks/{source}");
        let draft = Draft { path: &path, content_type, id, body, at: self.clock.now() };
        let signed = verifier.sign(&draft).ok()?;
        let mark = if signed.query.is_empty() { "" } else { "?" };
        let target = format!("{path}{mark}{}", signed.query);
        let headers = signed.headers.iter();
        let post = headers.fold(self.post(&target), |post, (name, value)| post.header(name, value));
        Some(post.body(body.to_vec()))
    }

    /// Sends a JSON webhook and checks that it is accepted.
    pub async fn receive(&self, source: &str, id: &str, body: &Value) {
        let body = body.to_string();
        let reply = self.signed(source, id, "application/json", body.as_bytes()).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    }

    /// Sends a webhook as HumanLayer's cloud does, signed now.
    pub async fn deliver(&self, delivery_id: &str, body: &Value) -> Reply {
        let body = body.to_string();
        let secret = parse_secret(WEBHOOK_SECRET).unwrap();
        let now = self.clock.now();
        self.post("/webhook/inbound")
            .header("svix-id", delivery_id)
            .header("svix-timestamp", &now.seconds().to_string())
            .header("svix-signature", &sign(&secret, delivery_id, now, body.as_bytes()))
            .body(body)
            .send()
            .await
    }

    /// Checks the signatures of a received webhook in both header sets with this secret. Returns the webhook
    /// id.
    #[track_caller]
    pub fn signed_id(&self, request: &Received, secret: &str) -> String {
        let (secret, now) = (parse_secret(secret).unwrap(), self.clock.now());
        let ids = ["webhook", "svix"].map(|set| {
            let header = |name: &str| request.header(&format!("{set}-{name}")).unwrap();
            assert_eq!(header("timestamp"), now.seconds().to_string());
            let signature = sign(&secret, header("id"), now, &request.body);
            assert!(header("signature").split(' ').any(|one| one == signature), "{request:?}");
            header("id")
        });
        assert_eq!(ids[0], ids[1]);
        ids[0].to_owned()
    }
}
