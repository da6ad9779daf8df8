//! Messages as an endpoint gets them, signed by Standard Webhooks.

use std::sync::Arc;

use hookseal_engine::{
    endpoint::Endpoint,
    header::{Role, Slot},
    scheme::{Algorithm, Encoding, Family, KeyText, Names, Part, Scheme, Unit},
    secret::{Kind, Secret},
};
use hookseal_lanes::{Job, Kernel, KeyState, Mac};

use crate::draw::encoded_base64;

/// The moment at which messages are judged, and were signed.
pub const NOW: i64 = 1_700_000_000;

const ID: &[u8] = b"msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
const TIMESTAMP: &[u8] = b"1700000000";

/// The scheme of a name.
pub fn scheme(algorithm: Algorithm, key: KeyText) -> Arc<Scheme> {
    let is_token = algorithm == Algorithm::Token;
    let signed = |header: &str| (!is_token).then(|| header.into());
    let families = vec![Family {
        signature: "webhook-signature".into(),
        id: signed("webhook-id"),
        timestamp: signed("webhook-timestamp"),
    }];
    let head: &[&str] = if is_token {
        &[]
    } else {
        &["{id}", ".", "{timestamp}", "."]
    };
    Arc::new(Scheme {
        name: "constant-time".into(),
        names: Names::of(&families),
        families,
        prefix: if is_token { vec![] } else { b"v1,".into() },
        encoding: if is_token {
            Encoding::Token
        } else {
            Encoding::Base64
        },
        separator: (!is_token).then_some(b' '),
        head: head.iter().map(|part| Part::named(part)).collect(),
        tail: Vec::new(),
        id_forbidden: b".".into(),
        algorithm,
        key,
        key_prefix: if key == KeyText::Base64 {
            "whsec_".into()
        } else {
            String::new()
        },
        unit: Unit::Seconds,
        tolerance: (!is_token).then_some((300, 300)),
        key_length: None,
    })
}

/// An endpoint of keys, which are not marked: making one looks for weak secrets.
pub fn endpoint(algorithm: Algorithm, keys: &[Vec<u8>]) -> Arc<Endpoint> {
    let secrets: Vec<_> = keys
        .iter()
        .filter_map(|key| Secret::new(key.clone().into(), Kind::Bytes).ok())
        .collect();
    let endpoint = Endpoint::new("", scheme(algorithm, KeyText::Utf8), None, &secrets);
    endpoint.unwrap_or_else(|fault| panic!("secret {fault:?}"))
}

/// A message with its headers.
pub struct Message {
    pub body: Vec<u8>,
    signature: Vec<u8>,
}

impl Message {
    /// A message that is signed with a key, and with other MACs beside it.
    pub fn signed(body: Vec<u8>, key: &[u8], others: &[Mac]) -> Self {
        let job = Job {
            key: &KeyState::new(key),
            head: &[ID, b".", TIMESTAMP, b"."].concat(),
            body: &body,
            tail: &[],
        };
        let mac = Kernel::Single
            .mac(&job, &mut |_| Ok(()))
            .unwrap_or_default();
        let mut signature = Vec::new();
        for mac in others.iter().chain([&mac]) {
            if !signature.is_empty() {
                signature.push(b' ');
            }
            signature.extend_from_slice(b"v1,");
            signature.extend_from_slice(&encoded_base64(mac));
        }
        Self { body, signature }
    }

    /// A message with a token.
    pub fn with_token(body: Vec<u8>, token: Vec<u8>) -> Self {
        Self {
            body,
            signature: token,
        }
    }

    /// Its headers; of a token's scheme none but the token is read.
    pub fn values(&self) -> [(Slot, &[u8]); 3] {
        let slot = |role| Slot { family: 0, role };
        [
            (slot(Role::Signature), &self.signature),
            (slot(Role::Id), ID),
            (slot(Role::Timestamp), TIMESTAMP),
        ]
    }
}
