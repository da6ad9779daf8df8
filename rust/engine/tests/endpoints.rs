//! The secrets of one endpoint: how many, what they are called, when they are live, and how
//! they follow one another.

mod common;

use common::{NOW, base64, endpoint, endpoint_of, go_on, hmac, labelled, scheme, secret, windowed};
use hookseal_engine::{
    Kernel,
    endpoint::{Endpoint, MAX_SECRETS, each},
    secret::{Fault, Secret},
    sign,
    timestamp::Tolerance,
};

#[test]
fn from_one_to_eight_secrets() {
    let texts: Vec<_> = (0..=MAX_SECRETS).map(|at| format!("key {at}")).collect();
    let secrets: Vec<_> = texts.iter().map(|text| secret(text)).collect();
    let new = |secrets| Endpoint::new("", scheme("uplift"), None, secrets);
    assert_eq!(new(&secrets[..0]).err(), Some((0, Fault::NoSecret)));
    assert_eq!(new(&secrets).err(), Some((MAX_SECRETS, Fault::TooMany)));
    let mut full = Endpoint::clone(&new(&secrets[..MAX_SECRETS]).unwrap());
    assert_eq!(full.held().len(), MAX_SECRETS);
    assert_eq!(full.rotate(&secrets[8], None), Err(Fault::TooMany));
    assert_eq!(full.rotate(&secrets[8], Some(NOW)), Err(Fault::TooMany));
    assert_eq!(labels(&full), ["0", "1", "2", "3", "4", "5", "6", "7"]);
    assert_eq!(full.live(NOW), 0xff);
}

#[test]
fn what_a_label_is() {
    let mut secret = secret("key");
    let longest = "x".repeat(64);
    for label in ["a", " ", "~", "0", "with space", &longest] {
        assert_eq!(secret.set_label(label), Ok(()), "{label:?}");
        assert_eq!(secret.label(), Some(label));
    }
    for label in [
        "",
        &"x".repeat(65),
        "a\n",
        "\t",
        "\x7f",
        "\x1f",
        "ä",
        "a\u{a0}",
    ] {
        assert_eq!(secret.set_label(label), Err(Fault::Label), "{label:?}");
        assert_eq!(secret.label(), Some(&*longest), "it keeps the one it had");
    }
}

#[test]
fn labels_of_secrets_that_enter_together() {
    let rows: [(&[&str], &[&str]); 14] = [
        (&["", "", ""], &["0", "1", "2"]),
        (&["a", "", "b", ""], &["a", "0", "b", "1"]),
        // A number in use is skipped, wherever it is asked for.
        (&["0", "", ""], &["0", "1", "2"]),
        (&["", "0", ""], &["1", "0", "2"]),
        (&["", "", "1"], &["0", "2", "1"]),
        (&["", "", "0", "2"], &["1", "3", "0", "2"]),
        // A number that was given moves the counter past itself.
        (&["5", "", ""], &["5", "6", "7"]),
        (&["", "5", ""], &["0", "5", "6"]),
        (&["7", "3", ""], &["7", "3", "8"]),
        (&["999999999", ""], &["999999999", "1000000000"]),
        // Ten digits, a leading zero, or more than digits are words like others.
        (&["1000000000", ""], &["1000000000", "0"]),
        (&["05", "", ""], &["05", "0", "1"]),
        (&["00", ""], &["00", "0"]),
        (&["5 ", "+7", "-1", ""], &["5 ", "+7", "-1", "0"]),
    ];
    for (given, expected) in rows {
        let secrets: Vec<_> = given
            .iter()
            .enumerate()
            .map(|(at, label)| keyed(at, label))
            .collect();
        let endpoint = endpoint_of("uplift", &secrets);
        assert_eq!(labels(&endpoint), expected, "{given:?}");
    }
    for given in [["a", "a"], ["0", "0"], ["x y", "x y"]] {
        let secrets = [labelled("key 0", given[0]), labelled("key 1", given[1])];
        let refused = Endpoint::new("", scheme("uplift"), None, &secrets).err();
        assert_eq!(refused, Some((1, Fault::LabelTaken)), "{given:?}");
    }
}

#[test]
fn a_number_is_never_given_twice() {
    let mut endpoint = Endpoint::clone(&endpoint("uplift", &["a", "b"]));
    assert_eq!(endpoint.rotate(&secret("c"), None).as_deref(), Ok("2"));
    assert_eq!(endpoint.remove("2"), Ok(true));
    assert_eq!(endpoint.rotate(&secret("d"), None).as_deref(), Ok("3"));
    assert_eq!(labels(&endpoint), ["3", "0", "1"]);
    // What fails counts nothing.
    assert_eq!(endpoint.rotate(&secret("d"), None), Err(Fault::SameKey));
    assert_eq!(
        endpoint.rotate(&labelled("d", "77"), None),
        Err(Fault::SameKey)
    );
    assert_eq!(
        endpoint.rotate(&labelled("e", "3"), None),
        Err(Fault::LabelTaken)
    );
    assert_eq!(endpoint.rotate(&secret("e"), None).as_deref(), Ok("4"));
    assert_eq!(
        endpoint.rotate(&labelled("f", "9"), None).as_deref(),
        Ok("9")
    );
    assert_eq!(endpoint.remove("9"), Ok(true));
    assert_eq!(endpoint.rotate(&secret("g"), None).as_deref(), Ok("10"));
    let changed = endpoint.changed(scheme("uplift"), None, &[secret("h"), secret("a")]);
    assert_eq!(labels(&changed.unwrap()), ["11", "12"]);
    let changed = endpoint.changed(scheme("uplift"), None, &[secret("h"), labelled("a", "0")]);
    assert_eq!(
        labels(&changed.unwrap()),
        ["11", "0"],
        "a label may be asked for again"
    );
}

#[test]
fn a_zero_that_was_asked_for_is_not_given_again() {
    let secrets = [labelled("a", "0"), labelled("b", "other")];
    let mut endpoint = Endpoint::clone(&endpoint_of("uplift", &secrets));
    assert_eq!(endpoint.remove("0"), Ok(true));
    assert_eq!(endpoint.rotate(&secret("c"), None).as_deref(), Ok("1"));
}

#[test]
fn the_counter_skips_a_number_in_use() {
    // Ten digits do not move the counter, so it has to walk into them.
    let mut endpoint = Endpoint::clone(&endpoint_of("uplift", &[labelled("a", "999999999")]));
    let ten_digits = labelled("b", "1000000000");
    assert_eq!(
        endpoint.rotate(&ten_digits, None).as_deref(),
        Ok("1000000000")
    );
    assert_eq!(
        endpoint.rotate(&secret("c"), None).as_deref(),
        Ok("1000000001")
    );
}

#[test]
fn the_last_secret_stays() {
    let mut endpoint = Endpoint::clone(&endpoint("uplift", &["a", "b"]));
    assert_eq!(endpoint.remove("2"), Ok(false));
    assert_eq!(endpoint.remove("0"), Ok(true));
    assert_eq!(endpoint.remove("0"), Ok(false));
    assert_eq!(endpoint.remove("1"), Err(Fault::LastSecret));
    assert_eq!(labels(&endpoint), ["1"]);
}

#[test]
fn windows_by_the_second() {
    let endpoint = endpoint_of(
        "uplift",
        &[
            windowed("always", None, None),
            windowed("from", Some(10), None),
            windowed("until", None, Some(20)),
            windowed("both", Some(10), Some(20)),
            windowed("a second", Some(15), Some(16)),
            windowed("never", Some(20), Some(20)),
        ],
    );
    for (at, live) in [
        (i64::MIN, 0b00_0101),
        (0, 0b00_0101),
        (9, 0b00_0101),
        (10, 0b00_1111),
        (14, 0b00_1111),
        (15, 0b01_1111),
        (16, 0b00_1111),
        (19, 0b00_1111),
        (20, 0b00_0011),
        (i64::MAX, 0b00_0011),
    ] {
        assert_eq!(endpoint.live(at), live, "{at}");
    }
    assert_eq!(endpoint.always_live(), 0b00_0001);
    assert!(endpoint.needs_instant(None));
    let positions: Vec<_> = each(0b1010_0001).collect();
    assert_eq!(positions, [0, 5, 7]);
}

#[test]
fn who_needs_the_clock() {
    let window = Tolerance::Window { past: 1, future: 2 };
    let own = |tolerance| {
        Endpoint::new(
            "",
            scheme("standard-webhooks"),
            tolerance,
            &[secret("QUJD")],
        )
        .unwrap()
    };
    assert!(own(None).needs_instant(None));
    assert!(!own(None).needs_instant(Some(Tolerance::Off)));
    assert!(!own(Some(Tolerance::Off)).needs_instant(Some(window)));
    assert!(own(Some(window)).needs_instant(Some(Tolerance::Off)));
    // A verifier's window is nothing to a scheme that signs no time.
    assert!(!endpoint("uplift", &["a"]).needs_instant(Some(window)));
    assert_eq!(endpoint("uplift", &["a"]).tolerance(Some(window)), None);
    assert_eq!(
        own(Some(Tolerance::Off)).tolerance(Some(window)),
        Some(Tolerance::Off)
    );
    assert_eq!(own(None).tolerance(Some(window)), Some(window));
    let presets = Tolerance::Window {
        past: 300,
        future: 300,
    };
    assert_eq!(own(None).tolerance(None), Some(presets));
}

#[test]
fn rotation_ends_the_others_and_never_later_than_they_would() {
    let mut endpoint = Endpoint::clone(&endpoint_of(
        "uplift",
        &[
            windowed("open", None, None),
            windowed("sooner", None, Some(50)),
            windowed("later", Some(5), Some(500)),
        ],
    ));
    endpoint
        .rotate(&windowed("new", Some(7), Some(900)), Some(100))
        .unwrap();
    let windows: Vec<_> = endpoint
        .held()
        .iter()
        .map(|held| (held.not_before(), held.not_after()))
        .collect();
    assert_eq!(
        windows,
        [
            (Some(7), Some(900)),
            (None, Some(100)),
            (None, Some(50)),
            (Some(5), Some(100))
        ],
    );
    assert_eq!(labels(&endpoint), ["3", "0", "1", "2"]);
    assert_eq!(
        (endpoint.live(49), endpoint.live(50), endpoint.live(100)),
        (0xf, 0xb, 1)
    );
    // Without an end they stay as they are.
    endpoint.rotate(&secret("newer"), None).unwrap();
    assert_eq!(endpoint.held()[2].not_after(), Some(100));
    assert_eq!(endpoint.always_live(), 1);
}

#[test]
fn nobody_signs_with_a_secret_that_is_not_live() {
    let secrets = [
        windowed("a", None, Some(10)),
        windowed("b", Some(20), Some(40)),
    ];
    let endpoint = endpoint_of("test-semicolon", &secrets);
    let signed = |at| {
        sign::signature(
            Kernel::detect(),
            &endpoint,
            b"body",
            None,
            None,
            at,
            &mut go_on,
        )
        .unwrap()
    };
    assert_eq!(signed(9), Ok(base64(&hmac(b"a", &[b"body"]))));
    assert_eq!(signed(10), Err(Fault::NoneLive));
    assert_eq!(signed(39), Ok(base64(&hmac(b"b", &[b"body"]))));
    assert_eq!(signed(40), Err(Fault::NoneLive));
}

fn labels(endpoint: &Endpoint) -> Vec<&str> {
    endpoint.held().iter().map(|held| &*held.label).collect()
}

/// Another key for each position; an empty label is none.
fn keyed(at: usize, label: &str) -> Secret {
    let text = format!("key {at}");
    if label.is_empty() {
        secret(&text)
    } else {
        labelled(&text, label)
    }
}
