use crate::{Secret, Timestamp, webhook};

/// The signature headers of one attempt: the Standard Webhooks headers, and the same values under Svix's
/// names. Each secret has one signature, so that the receiver can change its secret.
pub fn signed_headers(
    secrets: &[Secret],
    id: &str,
    at: Timestamp,
    body: &[u8],
) -> [(&'static str, String); 6] {
    let signatures: Vec<String> =
        secrets.iter().map(|secret| webhook::sign(secret, id, at, body)).collect();
    let (id, seconds, signature) = (id.to_owned(), at.seconds().to_string(), signatures.join(" "));
    [
        ("webhook-id", id.clone()),
        ("webhook-timestamp", seconds.clone()),
        ("webhook-signature", signature.clone()),
        ("svix-id", id),
        ("svix-timestamp", seconds),
        ("svix-signature", signature),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::{Documents, Incoming, Scheme, Verifier, parse_secret, presets};

    #[test]
    fn each_secret_verifies_either_header_set() {
        let now = Timestamp::from_millis(1_614_265_330_500);
        let secrets =
            ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"];
        let keys = secrets.map(|text| parse_secret(text).unwrap());
        let headers = signed_headers(&keys, "msg_1", now, b"body");
        let preset = presets::preset("standard").unwrap();
        let scheme: Scheme = serde_json::from_value(preset).unwrap();
        for secret in secrets {
            let secrets = [secret.to_owned()];
            let verifier = Verifier::open("placet", scheme.clone(), &secrets, &[], None).unwrap();
            for set in ["webhook", "svix"] {
                let mut request = Incoming::post("/", b"body");
                let of_set = headers.iter().filter(|(name, _)| name.starts_with(set));
                request.headers = of_set.map(|(name, value)| (*name, value.as_str())).collect();
                let verified = verifier.verify(request, &Documents::default(), now).unwrap();
                assert_eq!(verified.identity.as_deref(), Some("msg_1"));
            }
        }
    }
}
