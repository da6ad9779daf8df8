//! Signing: the other direction, for tests, examples and senders.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookseal_lanes::{Interrupted, Job, Kernel, Mac, Watch};

use crate::{
    endpoint::{Endpoint, each},
    key::Key,
    scheme::{Encoding, Scheme},
    secret::Fault,
    verify::write_parts,
};

/// One signature for each secret that is live at `at`, as a header's value.
///
/// # Errors
/// [`Fault::NoneLive`] inside, if no secret is live; [`Interrupted`] if `watch` says so.
pub fn signature(
    kernel: Kernel,
    endpoint: &Endpoint,
    body: &[u8],
    id: Option<&[u8]>,
    timestamp: Option<&[u8]>,
    at: i64,
    watch: &mut Watch<'_>,
) -> Result<Result<String, Fault>, Interrupted> {
    let scheme = endpoint.scheme();
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    write_parts(&scheme.head, id, timestamp, |part| {
        head.extend_from_slice(part);
    });
    write_parts(&scheme.tail, id, timestamp, |part| {
        tail.extend_from_slice(part);
    });
    let mut text = String::new();
    for position in each(endpoint.live(at)) {
        if let Key::Mac(key) = endpoint.key(position) {
            let mac = kernel.mac(
                &Job {
                    key,
                    head: &head,
                    body,
                    tail: &tail,
                },
                watch,
            )?;
            if let (false, Some(separator)) = (text.is_empty(), scheme.separator) {
                text.push(char::from(separator));
            }
            write_mac(scheme, &mac, &mut text);
        }
    }
    Ok(if text.is_empty() {
        Err(Fault::NoneLive)
    } else {
        Ok(text)
    })
}

/// A token as a header's value.
#[must_use]
pub fn signature_of_token(scheme: &Scheme, token: &str) -> String {
    format!("{}{token}", String::from_utf8_lossy(&scheme.prefix))
}

fn write_mac(scheme: &Scheme, mac: &Mac, text: &mut String) {
    text.push_str(&String::from_utf8_lossy(&scheme.prefix));
    match scheme.encoding {
        Encoding::Base64 => STANDARD.encode_string(mac, text),
        Encoding::Hex | Encoding::HexAnyCase => text.push_str(&base16ct::lower::encode_string(mac)),
        // A token's scheme computes no MAC.
        Encoding::Token => {}
    }
}

/// Whether a header can carry a token: no control character, no white space at an end.
#[must_use]
pub fn is_sendable(token: &[u8]) -> bool {
    !token.iter().any(u8::is_ascii_control) && crate::header::trim(token) == token
}
