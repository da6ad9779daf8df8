//! Times every kernel this processor has: HMAC-SHA-256 with a ready key.
//!
//!     cargo run --release -p hookseal-lanes --example throughput -- [--json] [--quick]
//!         [--kernel NAME] [--bytes N] [--head N] [--messages N] [--rounds N]
//!
//! All messages of a batch have one length and lie in the cache. A figure is the median of the
//! rounds, after one that is not counted. `--head` puts that many bytes before each body, as
//! `id.timestamp.` stands there; `gb_per_s` counts them too.

use std::{env, error::Error, hint::black_box, time::Instant};

use hookseal_lanes::{Job, Kernel, KeyState, Mac};

/// Sizes of a body in bytes.
const SIZES: [usize; 11] = [
    64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536,
];
/// Bytes of one batch: half the cache that a core of a server has for itself.
const BATCH_BYTES: usize = 1024 * 1024;
const ROUNDS: usize = 15;

/// How many messages of that size make a batch: every lane has at least one.
fn batch_of(bytes: usize) -> usize {
    (BATCH_BYTES / bytes.max(1)).clamp(Kernel::MOST_LANES, 512)
}

/// What stands behind a name on the command line.
fn argument(name: &str) -> Option<String> {
    env::args().skip_while(|it| it != name).nth(1)
}

fn number(name: &str) -> Result<Option<usize>, Box<dyn Error>> {
    let parse = |text: String| text.parse().map_err(|error| format!("{name}: {error}"));
    Ok(argument(name).map(parse).transpose()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let is_asked = |name: &str| env::args().any(|it| it == name);
    let rounds = match number("--rounds")? {
        Some(rounds) => rounds.max(1),
        None if is_asked("--quick") => 1,
        None => ROUNDS,
    };
    let kernels = match argument("--kernel") {
        Some(name) => vec![Kernel::by_name(&name)?],
        None => Kernel::ALL.to_vec(),
    };
    let sizes = number("--bytes")?.map_or(SIZES.to_vec(), |bytes| vec![bytes]);
    let head = vec![b'.'; number("--head")?.unwrap_or(0)];
    for bytes in sizes {
        let messages = number("--messages")?.unwrap_or_else(|| batch_of(bytes));
        for kernel in kernels.iter().filter(|kernel| kernel.is_available()) {
            let nanos = median_nanos(*kernel, &head, bytes, messages, rounds);
            print(
                *kernel,
                head.len() + bytes,
                bytes,
                messages,
                nanos,
                is_asked("--json"),
            );
        }
    }
    Ok(())
}

/// Nanoseconds a message.
#[expect(clippy::cast_precision_loss, reason = "a figure has three digits")]
fn median_nanos(kernel: Kernel, head: &[u8], bytes: usize, messages: usize, rounds: usize) -> f64 {
    let key = KeyState::new(b"thirty-two bytes of an example: .");
    let bodies: Vec<Vec<u8>> = (0..messages)
        .map(|at| vec![at.to_le_bytes()[0]; bytes])
        .collect();
    let mut jobs = Vec::with_capacity(messages);
    let mut macs = vec![Mac::default(); messages];
    // Making the jobs is part of the work, as it is for the rival in benches/ipsec_mb.c.
    let mut once = || {
        let start = Instant::now();
        jobs.clear();
        jobs.extend(black_box(&bodies).iter().map(|body| Job {
            key: &key,
            head,
            body,
            tail: &[],
        }));
        // A watch that never stops the work leaves nothing to be handled.
        _ = kernel.macs(black_box(&jobs), &mut macs, &mut |_| Ok(()));
        black_box(&macs);
        start.elapsed().as_secs_f64() * 1e9 / messages as f64
    };
    once();
    let mut nanos: Vec<f64> = (0..rounds).map(|_| once()).collect();
    nanos.sort_by(f64::total_cmp);
    nanos[rounds / 2]
}

#[expect(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "what it is for; a figure has three digits"
)]
fn print(kernel: Kernel, hashed: usize, bytes: usize, messages: usize, nanos: f64, json: bool) {
    let (name, gigabytes) = (kernel.name(), hashed as f64 / nanos);
    if json {
        println!(
            r#"{{"kernel": "{name}", "bytes": {bytes}, "messages": {messages}, "ns_per_message": {nanos:.1}, "gb_per_s": {gigabytes:.3}}}"#
        );
    } else {
        println!("{name:>9} {bytes:>6} B {nanos:>9.1} ns {gigabytes:>7.3} GB/s");
    }
}
