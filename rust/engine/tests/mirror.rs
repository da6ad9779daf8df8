//! What a drop-in refuses beyond the strict reading, because its original does.

mod common;

use std::sync::Arc;

use common::{NOW, go_on, scheme, secret};
use hookseal_engine::{
    Kernel, Outcome, Place, Verdict,
    endpoint::Endpoint,
    header::{Role, Slot},
    mirror::{self, Instant, Seen},
    secret::Fault,
    sign::signature,
    verify::{self, Rules},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &[u8] = b"{}";

fn endpoint(name: &str) -> Arc<Endpoint> {
    Endpoint::new("", scheme(name), None, &[secret(SECRET)]).expect("an endpoint")
}

fn slot(family: u8, role: Role) -> Slot {
    Slot { family, role }
}

/// The signature over these very bytes.
fn signed(id: &[u8], stamp: &[u8]) -> Vec<u8> {
    let (id, stamp) = (Some(id), Some(stamp));
    let endpoint = endpoint("standard-webhooks");
    signature(Kernel::Single, &endpoint, BODY, id, stamp, NOW, &mut go_on)
        .expect("nobody interrupts")
        .expect("it is live")
        .into_bytes()
}

/// The three headers of a family.
fn three<'a>(family: u8, id: &'a [u8], stamp: &'a [u8], mac: &'a [u8]) -> Vec<(Slot, &'a [u8])> {
    vec![
        (slot(family, Role::Id), id),
        (slot(family, Role::Timestamp), stamp),
        (slot(family, Role::Signature), mac),
    ]
}

fn seen(values: &[(Slot, &[u8])]) -> Seen {
    let mut seen = Seen::default();
    for (slot, _) in values {
        seen.note(*slot, false);
    }
    seen
}

fn judged_at(scheme: &str, values: &[(Slot, &[u8])], seen: Seen, at: Instant) -> Outcome {
    let (endpoint, rules) = (endpoint(scheme), Rules::default());
    mirror::judge(
        Kernel::Single,
        &endpoint,
        &rules,
        BODY,
        values,
        seen,
        at,
        &mut go_on,
    )
    .expect("nobody interrupts")
}

fn judged(scheme: &str, values: &[(Slot, &[u8])]) -> Verdict {
    let at = Instant {
        seconds: NOW,
        has_fraction: false,
    };
    judged_at(scheme, values, seen(values), at).verdict
}

/// The strict reading's own verdict.
fn strictly(scheme: &str, values: &[(Slot, &[u8])]) -> Verdict {
    let (endpoint, rules) = (endpoint(scheme), Rules::default());
    let judged = verify::judge(
        Kernel::Single,
        &endpoint,
        &rules,
        BODY,
        values,
        NOW,
        &mut go_on,
    );
    judged.expect("nobody interrupts").0.verdict
}

#[test]
fn what_is_plain_is_judged_as_ever() {
    let stamp = NOW.to_string();
    let mac = signed(b"a", stamp.as_bytes());
    let good = three(0, b"a", stamp.as_bytes(), &mac);
    assert_eq!(judged("standard-webhooks", &good), Verdict::Valid);
    let other = three(0, b"b", stamp.as_bytes(), &mac);
    assert_eq!(
        judged("standard-webhooks", &other),
        Verdict::SignatureMismatch
    );
    assert_eq!(judged("standard-webhooks", &[]), Verdict::MissingHeader);
}

#[test]
fn what_the_strict_reading_takes_and_the_originals_do_not() {
    let stamp = NOW.to_string();
    let stamp = stamp.as_bytes();
    let mac = signed(b"a", stamp);
    let tabbed = [b"\t", mac.as_slice()].concat();
    let tabbed_later = [b" \t", mac.as_slice()].concat();
    let zeroed = [b"0", stamp].concat();
    let zeroed_mac = signed(b"a", &zeroed);
    let bad = signed(b"other", stamp);
    let mut twice = three(0, b"a", stamp, &mac);
    twice.push((slot(0, Role::Signature), &bad));
    let cases = [
        (three(0, b" a", stamp, &mac), Verdict::MalformedHeader),
        (three(0, b"a\t", stamp, &mac), Verdict::MalformedHeader),
        (
            three(0, b"a", &zeroed, &zeroed_mac),
            Verdict::MalformedTimestamp,
        ),
        (three(0, b"a", stamp, &tabbed), Verdict::MalformedSignature),
        (
            three(0, b"a", stamp, &tabbed_later),
            Verdict::MalformedSignature,
        ),
        (twice, Verdict::MalformedSignature),
    ];
    for (values, verdict) in cases {
        assert_eq!(strictly("standard-webhooks", &values), Verdict::Valid);
        assert_eq!(judged("standard-webhooks", &values), verdict);
    }
}

#[test]
fn blank_is_not_missing() {
    let stamp = NOW.to_string();
    let stamp = stamp.as_bytes();
    let mac = signed(b"a", stamp);
    let cases = [
        (three(0, b" ", stamp, &mac), Verdict::MalformedHeader),
        (three(0, b"a", b"\t", &mac), Verdict::MalformedTimestamp),
        (three(0, b"a", stamp, b"  "), Verdict::MalformedSignature),
        (three(0, b" ", b"1", &mac), Verdict::TooOld),
        (three(0, b" ", b"x", &mac), Verdict::MalformedTimestamp),
        (three(0, b" ", b"", &mac), Verdict::MissingHeader),
    ];
    for (values, verdict) in cases {
        assert_eq!(judged("standard-webhooks", &values), verdict);
    }
}

#[test]
fn a_time_beyond_every_datetime_is_none() {
    let mac = signed(b"a", b"1");
    let last = three(0, b"a", b"253402300799", &mac);
    assert_eq!(judged("standard-webhooks", &last), Verdict::TooNew);
    for text in [
        &b"253402300800"[..],
        b"1700000000000",
        b"999999999999999",
        b"1",
    ] {
        let wanted = if text == b"1" {
            Verdict::TooOld
        } else {
            Verdict::MalformedTimestamp
        };
        let values = three(0, b"a", text, &mac);
        assert_eq!(judged("standard-webhooks", &values), wanted, "{text:?}");
    }
}

#[test]
fn the_past_ends_with_its_fraction() {
    let judge = |stamp: i64, has_fraction| {
        let stamp = stamp.to_string();
        let mac = signed(b"a", stamp.as_bytes());
        let values = three(0, b"a", stamp.as_bytes(), &mac);
        let at = Instant {
            seconds: NOW,
            has_fraction,
        };
        judged_at("standard-webhooks", &values, seen(&values), at).verdict
    };
    assert_eq!(judge(NOW - 300, false), Verdict::Valid);
    assert_eq!(judge(NOW - 300, true), Verdict::TooOld);
    assert_eq!(judge(NOW - 299, true), Verdict::Valid);
    for has_fraction in [false, true] {
        assert_eq!(judge(NOW + 300, has_fraction), Verdict::Valid);
        assert_eq!(judge(NOW + 301, has_fraction), Verdict::TooNew);
    }
}

#[test]
fn one_header_of_the_first_family_decides() {
    let stamp = NOW.to_string();
    let stamp = stamp.as_bytes();
    let mac = signed(b"a", stamp);
    let whole = three(1, b"a", stamp, &mac);
    assert_eq!(judged("svix", &whole), Verdict::Valid);
    assert_eq!(judged("svix", &three(0, b"a", stamp, &mac)), Verdict::Valid);
    for role in Role::ALL {
        let mut stray = whole.clone();
        let value: &[u8] = match role {
            Role::Id => b"a",
            Role::Timestamp => stamp,
            Role::Signature => &mac,
        };
        stray.push((slot(0, role), value));
        assert_eq!(strictly("svix", &stray), Verdict::Valid);
        assert_eq!(judged("svix", &stray), Verdict::MissingHeader);
        // A header that is there and nothing counts too.
        let mut seen = seen(&whole);
        seen.note(slot(0, role), false);
        let at = Instant {
            seconds: NOW,
            has_fraction: false,
        };
        let verdict = judged_at("svix", &whole, seen, at).verdict;
        assert_eq!(verdict, Verdict::MissingHeader);
    }
}

#[test]
fn odd_values_refuse() {
    let stamp = NOW.to_string();
    let mac = signed(b"a", stamp.as_bytes());
    let values = three(0, b"a", stamp.as_bytes(), &mac);
    let wanted = [
        (Role::Id, Verdict::MalformedHeader),
        (Role::Timestamp, Verdict::MalformedTimestamp),
        (Role::Signature, Verdict::MalformedSignature),
    ];
    for (role, verdict) in wanted {
        let mut seen = seen(&values);
        seen.note(slot(0, role), true);
        let at = Instant {
            seconds: NOW,
            has_fraction: false,
        };
        let outcome = judged_at("standard-webhooks", &values, seen, at);
        assert_eq!(outcome.verdict, verdict);
        assert_eq!(outcome.place, Place::Header(slot(0, role)));
    }
}

#[test]
fn the_timestamp_that_an_override_is_asked_about() {
    let endpoint = endpoint("standard-webhooks");
    let stamp = NOW.to_string();
    let mac = signed(b"a", stamp.as_bytes());
    let ask = |values: &[(Slot, &[u8])]| {
        mirror::stated(&endpoint, values, seen(values)).map(|(text, at)| (text.to_vec(), at))
    };
    let good = three(0, b"a", b"12", &mac);
    assert_eq!(ask(&good), Ok((b"12".to_vec(), 12)));
    for (values, verdict) in [
        (three(0, b"", b"12", &mac), Verdict::MissingHeader),
        (three(0, b"a", b"012", &mac), Verdict::MalformedTimestamp),
        (three(0, b"a", b"x", &mac), Verdict::MalformedTimestamp),
    ] {
        assert_eq!(ask(&values).expect_err("refused").verdict, verdict);
    }
}

#[test]
fn one_secret_that_comes_with_the_body() {
    let ask = |text: &str, body: &[u8], name: &str| {
        let scheme = scheme(name);
        let endpoint = Endpoint::new("", Arc::clone(&scheme), None, &[secret("key")]);
        let endpoint = endpoint.expect("an endpoint");
        let made = signature(Kernel::Single, &endpoint, b"x", None, None, 0, &mut go_on)
            .expect("nobody interrupts")
            .expect("it is live");
        let text = text.replace("{made}", &made);
        let secret = secret("key");
        mirror::signed(
            Kernel::Single,
            &scheme,
            &secret,
            body,
            text.as_bytes(),
            &mut go_on,
        )
        .expect("nobody interrupts")
    };
    for name in ["github", "uplift", "zoho-projects"] {
        assert_eq!(ask("{made}", b"x", name), Ok(true));
        assert_eq!(ask("{made}", b"y", name), Ok(false));
        for text in [
            "",
            " {made}",
            "{made} ",
            "{made}0",
            "sha1={made}",
            "{made}\n",
        ] {
            assert_eq!(ask(text, b"x", name), Ok(false), "{text:?}");
        }
    }
    let standard = scheme("standard-webhooks");
    let wrong = secret("not base64!");
    let asked = mirror::signed(Kernel::Single, &standard, &wrong, b"", b"", &mut go_on);
    assert_eq!(asked.expect("nobody interrupts"), Err(Fault::WhiteSpace));
}
