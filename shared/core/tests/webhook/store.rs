//! What the webhook function does with verified requests, in memory.

use std::collections::BTreeMap;

use placet_core::Timestamp;
use placet_core::receipt::Identity;
use placet_core::webhook::{Documents, Verifier};

use crate::request::Request;
use crate::sns;

pub fn moment(at: i64) -> Timestamp {
    Timestamp::from_millis(at * 1000)
}

pub fn identity(verifier: &Verifier, request: &Request, at: i64) -> Identity {
    identity_with(&sns::documents(), verifier, request, at)
}

pub fn identity_with(
    documents: &Documents,
    verifier: &Verifier,
    request: &Request,
    at: i64,
) -> Identity {
    let verified = request.verified(verifier, documents, at).unwrap();
    Identity::of(&verified, moment(at))
}

/// The stored claims and receipts: the receipt of each claim with its expiry, and the body of each receipt.
#[derive(Default)]
pub struct Store {
    claimed: BTreeMap<String, (String, Timestamp)>,
    receipts: BTreeMap<String, Vec<u8>>,
}

impl Store {
    /// Stores a request as the webhook function does: makes the claims, then stores the receipt that the
    /// claims name. Returns the number of events.
    pub fn receives(&mut self, verifier: &Verifier, request: &Request, at: i64) -> usize {
        self.stores(identity(verifier, request, at), &request.body, at)
    }

    pub fn len(&self) -> usize {
        self.receipts.len()
    }

    pub fn stores(&mut self, identity: Identity, body: &[u8], at: i64) -> usize {
        let mut id = identity.receipt_id.clone();
        for claim in &identity.claims {
            let held = self.claimed.get(&claim.key).filter(|(_, until)| *until > moment(at));
            match held {
                Some((owner, _)) => id.clone_from(owner),
                None => {
                    self.claimed.insert(claim.key.clone(), (id.clone(), claim.expires));
                }
            }
        }
        if identity.compares_bodies && self.receipts.get(&id).is_some_and(|known| known != body) {
            id = identity.apart(None, body);
        }
        self.receipts.entry(id).or_insert_with(|| body.to_vec());
        self.receipts.len()
    }
}
