//! Times every kernel this processor has: HMAC-SHA-256 with a ready key.
//!
//!     cargo run --release -p hookseal-lanes --example throughput -- [--json] [--quick] [--kernel NAME]

use std::{hint::black_box, time::Instant};

use hookseal_lanes::{Job, Kernel, KeyState, Mac};

/// Sizes of a body in bytes.
const SIZES: [usize; 7] = [64, 256, 1024, 4096, 16_384, 32_768, 65_536];
/// Bytes of one batch: warm in the cache of a core.
const BATCH_BYTES: usize = 512 * 1024;
/// The fewest messages of one batch: every lane has several.
const FEWEST: usize = 64;
const ROUNDS: usize = 15;

#[expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "what it is for"
)]
fn main() {
    let is_asked = |name: &str| std::env::args().any(|it| it == name);
    let (json, rounds) = (
        is_asked("--json"),
        if is_asked("--quick") { 1 } else { ROUNDS },
    );
    let only = std::env::args().skip_while(|it| it != "--kernel").nth(1);
    let key = KeyState::new(b"thirty-two bytes of an example: .");
    for bytes in SIZES {
        let messages = (BATCH_BYTES / bytes).clamp(FEWEST, 512);
        let bodies: Vec<Vec<u8>> = (0..messages)
            .map(|at| vec![at.to_le_bytes()[0]; bytes])
            .collect();
        let jobs: Vec<_> = bodies
            .iter()
            .map(|body| Job {
                key: &key,
                head: &[],
                body,
                tail: &[],
            })
            .collect();
        for kernel in Kernel::ALL
            .into_iter()
            .filter(|kernel| kernel.is_available())
        {
            if only.as_ref().is_some_and(|only| only != kernel.name()) {
                continue;
            }
            let mut macs = vec![Mac::default(); messages];
            let mut times: Vec<f64> = (0..rounds)
                .map(|_| {
                    let start = Instant::now();
                    _ = kernel.macs(black_box(&jobs), &mut macs, &mut |_| Ok(()));
                    black_box(&macs);
                    start.elapsed().as_secs_f64() * 1e9 / messages as f64
                })
                .collect();
            times.sort_by(f64::total_cmp);
            let ns = times[times.len() / 2];
            let (name, gigabytes) = (kernel.name(), bytes as f64 / ns);
            if json {
                println!(
                    r#"{{"kernel": "{name}", "bytes": {bytes}, "messages": {messages}, "ns_per_message": {ns:.1}, "gb_per_s": {gigabytes:.3}}}"#
                );
            } else {
                println!("{name:>9} {bytes:>6} B {ns:>9.1} ns {gigabytes:>7.3} GB/s");
            }
        }
    }
}
