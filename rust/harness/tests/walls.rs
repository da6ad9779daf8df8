//! No kernel reads or writes past what it was given, on either side.

#![cfg(unix)]

#[path = "../../lanes/tests/common/mod.rs"]
mod common;

use std::{array, env, os::unix::process::ExitStatusExt, process::Command};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use common::{Draw, go_on, reference, rsp::unhex};
use hookseal_harness::{Side, Walled, page_bytes};
use hookseal_lanes::{Job, Kernel, KeyState, Mac, base64_mac_vartime, hex_mac_vartime};

const ALIGNMENTS: usize = 64;
const LONGEST: usize = 512;

/// Every length at every alignment, and at the walls themselves.
#[test]
fn pieces_of_messages() {
    let page = whole_page(1);
    let key = &KeyState::new(b"key");
    for length in 0..=LONGEST {
        let pieces = places(length).map(|start| &page[start..start + length]);
        let expected = pieces.map(|piece| reference(b"key", &[piece]));
        for which in 0..3 {
            let jobs = pieces.map(|piece| {
                let piece_at = |at| if at == which { piece } else { &[][..] };
                let [head, body, tail] = array::from_fn(piece_at);
                Job {
                    key,
                    head,
                    body,
                    tail,
                }
            });
            for kernel in Kernel::ALL {
                let name = format!("{kernel:?}: piece {which}, {length} bytes");
                let mut macs = [Mac::default(); 2 * ALIGNMENTS];
                kernel.macs(&jobs, &mut macs, &mut go_on).unwrap();
                assert_eq!(macs, expected, "{name}");
                // Alone, at one wall and at the other.
                for at in [0, ALIGNMENTS] {
                    let mac = kernel.mac(&jobs[at], &mut go_on).unwrap();
                    assert_eq!(mac, expected[at], "{name}, alone");
                }
            }
        }
    }
}

/// Each piece, the keys, the jobs and the slots for the MACs are at walls of their own.
#[test]
fn batches() {
    let mut draw = Draw::new(2);
    // 128 MACs fill a page: there are walls on both sides of them.
    for count in (0..=2 * Kernel::MOST_LANES + 1).chain([page_bytes() / size_of::<Mac>()]) {
        for side in [Side::Start, Side::End] {
            let mut drawn = |limit| {
                let length = draw.below(limit);
                draw.bytes(length)
            };
            let (secrets, texts): (Vec<_>, Vec<_>) = (0..count)
                .map(|_| {
                    let pieces = [90, 300, 20].map(|limit| Walled::new(side, drawn(limit)));
                    (drawn(80), pieces)
                })
                .unzip();
            let keys = secrets.iter().map(|secret| KeyState::new(secret)).collect();
            let keys = Walled::new(side, keys);
            let both = || texts.iter().zip(&secrets);
            let jobs = texts
                .iter()
                .zip(&*keys)
                .map(|([head, body, tail], key)| Job {
                    key,
                    head,
                    body,
                    tail,
                });
            let jobs = Walled::new(side, jobs.collect());
            let expected: Vec<_> = both()
                .map(|([head, body, tail], secret)| reference(secret, &[head, body, tail]))
                .collect();
            for kernel in Kernel::ALL {
                let mut macs = Walled::new(side, vec![Mac::default(); count]);
                kernel.macs(&jobs, &mut macs, &mut go_on).unwrap();
                assert_eq!(macs[..], expected, "{kernel:?}: {count} jobs");
            }
        }
    }
}

/// Keys are read where they lie, whether they are hashed first or not.
#[test]
fn keys() {
    let page = whole_page(3);
    for length in 0..=LONGEST {
        for start in places(length) {
            let key = &page[start..start + length];
            let job = Job {
                key: &KeyState::new(key),
                head: b"",
                body: b"body",
                tail: b"",
            };
            let mac = Kernel::Single.mac(&job, &mut go_on).unwrap();
            assert_eq!(mac, reference(key, &[b"body"]), "{length} bytes");
        }
    }
}

/// What reads the text forms of a MAC loads whole vectors.
#[test]
fn texts_of_macs() {
    let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let mac: Mac = unhex(hex).try_into().unwrap();
    let base64 = STANDARD.encode(mac);
    let mut page = whole_page(4);
    for start in places(base64.len()) {
        let place = &mut page[start..start + base64.len()];
        place.copy_from_slice(base64.as_bytes());
        assert_eq!(base64_mac_vartime((&*place).try_into().unwrap()), Some(mac));
    }
    for start in places(hex.len()) {
        let place = &mut page[start..start + hex.len()];
        place.copy_from_slice(hex.as_bytes());
        for any_case in [false, true] {
            let read = hex_mac_vartime((&*place).try_into().unwrap(), any_case);
            assert_eq!(read, Some(mac));
        }
    }
}

/// The walls stand: whoever reads or writes one byte too many dies of it.
#[test]
fn who_goes_past_a_wall_dies() {
    for name in [
        "reads_behind",
        "reads_before",
        "writes_behind",
        "writes_before",
    ] {
        let mut child = Command::new(env::current_exe().unwrap());
        // Address sanitizer is not to say it in its own words.
        child.env("ASAN_OPTIONS", "handle_segv=0");
        let output = child.args(["--ignored", "--exact", name]).output().unwrap();
        assert_eq!(
            output.status.signal(),
            Some(SEGMENTATION_FAULT),
            "{name}: {output:?}"
        );
    }
}

const SEGMENTATION_FAULT: i32 = 11;

#[test]
#[ignore = "dies: run by who_goes_past_a_wall_dies"]
fn reads_behind() {
    let bytes = Walled::new(Side::End, vec![1_u8; 3]);
    touch(bytes.as_ptr().wrapping_add(3), false);
}

#[test]
#[ignore = "dies: run by who_goes_past_a_wall_dies"]
fn reads_before() {
    let bytes = Walled::new(Side::Start, vec![1_u8; 3]);
    touch(bytes.as_ptr().wrapping_sub(1), false);
}

#[test]
#[ignore = "dies: run by who_goes_past_a_wall_dies"]
fn writes_behind() {
    let macs = Walled::new(Side::End, vec![Mac::default(); 3]);
    touch(macs.as_flattened().as_ptr_range().end, true);
}

#[test]
#[ignore = "dies: run by who_goes_past_a_wall_dies"]
fn writes_before() {
    let macs = Walled::new(Side::Start, vec![Mac::default(); 3]);
    touch(macs.as_flattened().as_ptr().wrapping_sub(1), true);
}

#[expect(unsafe_code, reason = "to see that it is not survived")]
fn touch(byte: *const u8, is_write: bool) {
    if is_write {
        // SAFETY: none. The page may not be touched, and the process is to end here.
        unsafe { byte.cast_mut().write_volatile(1) };
    } else {
        // SAFETY: as above.
        unsafe { byte.read_volatile() };
    }
}

/// A page full of bytes, with walls on both sides.
fn whole_page(seed: u64) -> Walled<u8> {
    Walled::new(Side::End, Draw::new(seed).bytes(page_bytes()))
}

/// Where a piece of that length can begin in a page: 0 to 63 bytes behind the wall at its start,
/// and then as many before the wall at its end.
fn places(length: usize) -> [usize; 2 * ALIGNMENTS] {
    let last = page_bytes() - length;
    array::from_fn(|at| {
        if at < ALIGNMENTS {
            at
        } else {
            last - (at - ALIGNMENTS)
        }
    })
}
