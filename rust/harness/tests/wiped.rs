//! No keyed state is left in memory that was given back: who has both states of a key can forge.

mod looking;

use std::slice::from_ref;

use hookseal_lanes::{Interrupted, Job, Kernel, KeyState, Mac};
use looking::{Search, alone};
use sha2::block_api::compress256;

#[test]
fn what_is_given_back_holds_no_keyed_state() {
    let _alone = alone();
    let keyed = [0x36, 0x5c].map(|pad| keyed_state(b"a key", pad));
    let bytes = keyed.map(|state| state.map(u32::to_ne_bytes));
    let [inner, outer] = [bytes[0].as_flattened(), bytes[1].as_flattened()];
    let search = Search::of(&[("inner", inner), ("outer", outer)]);

    // The control: what is looked for is found.
    assert_eq!(
        search.found(|| drop(vec![keyed[0], keyed[1]])),
        ["inner", "outer"]
    );
    assert_eq!(search.found(|| drop(vec![keyed[1]])), ["outer"]);
    assert_eq!(search.found(|| drop(keyed[1][2..7].to_vec())), ["outer"]);
    assert_eq!(search.blocks(|| drop(vec![[0_u32; 8]])), 0);

    let key = KeyState::new(b"a key");
    assert_eq!(search.blocks(|| drop(Box::new(key.clone()))), 0);
    for kernel in Kernel::ALL {
        for count in (0..=40).chain([64, 100]) {
            for ragged in [0, 1, 64, 100] {
                let bodies: Vec<_> = (0..count).map(|at| vec![7; 100 + ragged * at]).collect();
                let job = |body| Job {
                    key: &key,
                    head: &b"head"[..],
                    body,
                    tail: &[],
                };
                let jobs: Vec<_> = bodies.iter().map(|body| job(body)).collect();
                let mut macs = vec![Mac::default(); count];
                for goes_on in [true, false] {
                    let mut watch = |_| if goes_on { Ok(()) } else { Err(Interrupted) };
                    let left = search.blocks(|| _ = kernel.macs(&jobs, &mut macs, &mut watch));
                    assert_eq!(left, 0, "{kernel:?}: {count} jobs, {ragged} bytes apart");
                }
            }
        }
    }
}

/// RFC 2104's intermediate result for a short key.
fn keyed_state(key: &[u8], pad: u8) -> [u32; 8] {
    // FIPS 180-4 §5.3.3.
    let mut state = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    let mut block = [pad; 64];
    for (byte, key) in block.iter_mut().zip(key) {
        *byte ^= key;
    }
    compress256(&mut state, from_ref(&block));
    state
}
