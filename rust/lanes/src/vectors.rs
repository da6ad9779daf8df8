//! What no caller can ask for alone: SHA-256 without a key, through the code of every kernel,
//! and the padding of messages too long to hash in a test.

use crate::{
    BLOCK_BYTES, Block, Job, Kernel, KeyState, Mac, State,
    array::{self, Arrays},
    hmac::digest_of,
    message::Message,
    streams::Wide,
    wide::States,
};
#[cfg(target_arch = "x86_64")]
use crate::{avx2, avx512, shani2};

#[path = "../tests/common/rsp.rs"]
mod rsp;

const SHORT: &str = include_str!("../../../tests/vectors/nist/SHA256ShortMsg.rsp");
const LONG: &str = include_str!("../../../tests/vectors/nist/SHA256LongMsg.rsp");
const MONTE_CARLO: &str = include_str!("../../../tests/vectors/nist/SHA256Monte.rsp");

#[test]
fn nist_short_messages() {
    assert_eq!(in_every_lane(SHORT), 65);
}

#[test]
fn nist_long_messages() {
    assert_eq!(in_every_lane(LONG), 64);
}

/// Figure 1 of the validation system: of each thousand digests the last is a checkpoint, and
/// the seed of the next thousand. Every digest is of the three before it.
#[test]
fn nist_monte_carlo() {
    let seed = rsp::values(MONTE_CARLO, "Seed").next().map(rsp::unhex);
    let checkpoints: Vec<_> = rsp::values(MONTE_CARLO, "MD").map(rsp::unhex).collect();
    assert_eq!(checkpoints.len(), 100);
    for code in codes() {
        let mut seed: Mac = seed.clone().unwrap().try_into().unwrap();
        for (count, checkpoint) in checkpoints.iter().enumerate() {
            let mut last = [seed; 3];
            for _ in 0..1000 {
                let digest = code.digest(count % code.width, last.as_flattened());
                last = [last[1], last[2], digest];
            }
            seed = last[2];
            assert_eq!(seed[..], *checkpoint, "{:?}: {count}", code.kernel);
        }
    }
}

/// Where the length in bits leaves 32 bits behind, and 2^29 bytes are not hashed to see it.
#[test]
fn the_length_in_bits_has_64_bits() {
    let zeros = vec![0; (1 << 29) + BLOCK_BYTES];
    let key = KeyState::new(b"key");
    let mut message = Message::none(&key);
    for length in (1 << 29) - 2 * BLOCK_BYTES..=zeros.len() {
        for (head, tail) in [(0, 0), (1, 0), (0, 1), (64, 9), (100, 100)] {
            let job = Job {
                key: &key,
                head: &zeros[..head],
                body: &zeros[..length - head - tail],
                tail: &zeros[..tail],
            };
            message.begin(0, &job);
            let mut last = [0; BLOCK_BYTES];
            while !message.is_through() {
                let run = message.run();
                last = run[run.len() - 1];
                message.advance(run.len());
            }
            let bits = (BLOCK_BYTES as u64 + length as u64) * 8;
            assert_eq!(last[56..], bits.to_be_bytes(), "{length} bytes");
        }
    }
}

/// Holds every lane of every kernel to a file of messages; how many there were.
fn in_every_lane(file: &str) -> usize {
    let rows = rsp::messages(file);
    for code in codes() {
        for (message, expected) in &rows {
            for lane in 0..code.width {
                let digest = code.digest(lane, message);
                let name = format!("{:?}, lane {lane}: {}", code.kernel, message.len());
                assert_eq!(digest[..], *expected, "{name} bytes");
            }
        }
    }
    rows.len()
}

/// What absorbs the blocks of a message in one lane.
type Absorb = fn(usize, &mut State, &[Block]);

/// The code of a kernel.
struct Code {
    kernel: Kernel,
    width: usize,
    absorb: Absorb,
}

/// The code of every kernel that this processor can run.
fn codes() -> Vec<Code> {
    let codes: Vec<(Kernel, usize, Absorb)> = vec![
        (Kernel::Single, 1, |_, state, blocks| {
            Kernel::Single.compress(state, blocks);
        }),
        (Kernel::Portable, 1, |_, state, blocks| {
            array::compress(state, blocks);
        }),
        (Kernel::Portable, array::WIDTH, |lane, state, blocks| {
            in_lane(&Arrays, lane, state, blocks);
        }),
        #[cfg(target_arch = "x86_64")]
        (Kernel::Avx2, avx2::WIDTH, |lane, state, blocks| {
            in_lane(&avx2::Proof::find().unwrap(), lane, state, blocks);
        }),
        #[cfg(target_arch = "x86_64")]
        (Kernel::Shani2, 2, |lane, state, blocks| {
            in_lane(&shani2::Proof::find().unwrap(), lane, state, blocks);
        }),
        #[cfg(target_arch = "x86_64")]
        (Kernel::Avx512, avx512::WIDTH, |lane, state, blocks| {
            in_lane(&avx512::Proof::find().unwrap(), lane, state, blocks);
        }),
    ];
    let codes = codes.into_iter().map(|(kernel, width, absorb)| Code {
        kernel,
        width,
        absorb,
    });
    codes.filter(|code| code.kernel.is_available()).collect()
}

impl Code {
    fn digest(&self, lane: usize, message: &[u8]) -> Mac {
        let mut padded = [message, &[0x80]].concat();
        padded.resize((message.len() + 9).next_multiple_of(BLOCK_BYTES) - 8, 0);
        padded.extend((message.len() as u64 * 8).to_be_bytes());
        let mut state = initial();
        (self.absorb)(lane, &mut state, padded.as_chunks().0);
        digest_of(&state)
    }
}

/// In the other lanes lie other messages.
fn in_lane<const WIDTH: usize>(
    wide: &impl Wide<WIDTH>,
    lane: usize,
    state: &mut State,
    blocks: &[Block],
) {
    let others: Vec<Block> = blocks.iter().map(|block| block.map(|byte| !byte)).collect();
    let mut all: [&[Block]; WIDTH] = [&others; WIDTH];
    all[lane] = blocks;
    let mut states =
        States(state.map(|word| std::array::from_fn(|at| word ^ u32::from(at != lane))));
    let nothing = [std::ptr::null(); WIDTH];
    wide.compress(&mut states, &all, blocks.len(), &nothing);
    *state = states.0.map(|words| words[lane]);
}

/// FIPS 180-4 §5.3.3, by its words: of the square roots of the first eight primes, the first 32
/// bits behind the point.
fn initial() -> State {
    [2_u128, 3, 5, 7, 11, 13, 17, 19].map(|prime| {
        let root = (prime << 64).isqrt().to_le_bytes();
        u32::from_le_bytes([root[0], root[1], root[2], root[3]])
    })
}
