//! Signature headers of every format, and names of headers.
//!
//! `input = scheme(1) count(1) (length(1) value)* value`

use hookseal_engine::{
    header::{MAX_HEADER_BYTES, Role, Slot},
    signature,
};

use crate::{input::Input, plain};

/// Signature headers of every format, and the names of headers.
///
/// # Panics
/// On a finding.
pub fn fuzz(data: &[u8]) {
    let mut input = Input::new(data);
    let scheme = input.scheme();
    let count = usize::from(input.byte() % 4);
    let mut values: Vec<_> = (0..count).map(|_| input.text()).collect();
    values.push(input.rest());
    // Longer ones are refused before anybody looks for candidates.
    if values.iter().map(|value| value.len()).sum::<usize>() > MAX_HEADER_BYTES {
        return;
    }

    for name in &values {
        let named = |slot: &Slot| {
            let header = scheme.header(*slot).expect("a header of the scheme");
            name.eq_ignore_ascii_case(header.as_bytes())
        };
        let families = (0..).zip(&scheme.families);
        let mut all = families.flat_map(|(family, headers)| {
            let roles = Role::ALL.into_iter();
            let roles = roles.filter(|role| headers.header(*role).is_some());
            roles.map(move |role| Slot { family, role })
        });
        assert_eq!(scheme.slot(name), all.find(named), "{name:?}");
    }

    let role = Role::Signature;
    let slots: Vec<_> = values
        .iter()
        .map(|value| (Slot { family: 0, role }, *value))
        .collect();
    let mut found = Vec::new();
    signature::candidates(scheme, 0, &slots[..], |mac| found.push(mac));
    let expected: Vec<_> = values
        .iter()
        .flat_map(|value| plain::candidates(scheme, value))
        .collect();
    assert_eq!(found, expected, "{}: {values:?}", scheme.name);
    assert!(found.len() <= signature::MAX_CANDIDATES);

    for value in &values {
        let token = value.strip_prefix(&scheme.prefix[..]);
        let token = token.filter(|_| str::from_utf8(value).is_ok());
        assert_eq!(signature::token(scheme, value), token);
    }
}
