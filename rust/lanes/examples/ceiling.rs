//! What this processor can do at most: the bound that no kernel of its kind can pass.
//!
//!     cargo run --release -p hookseal-lanes --example ceiling
//!
//! Prints one JSON object a line: `{"kernel", "ns_per_block"}`, the least time for one block of
//! SHA-256 (64 bytes). It is measured by instructions that wait for nothing, neither for each
//! other nor for memory, so it holds the ports of the core and its frequency at this moment:
//!
//! - vectors: how many independent additions end in a nanosecond, and how many instructions one
//!   compression of a block in every lane has (`instructions`), if each took no more than one
//!   addition;
//! - SHA extensions: the instructions of one block that no other can replace, in eight streams.

#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "instructions by name, so that none is optimised away"
)]
mod x86_64 {
    use std::{arch::asm, time::Instant};

    use hookseal_lanes::Kernel;

    /// Instructions of one compression over all lanes but loads and stores: 64 rounds, 48 steps
    /// of the schedule, eight last additions, and bytes and words put in order. Counted in
    /// wide.rs and in the kernel's own file.
    fn instructions(kernel: Kernel) -> Option<f64> {
        match kernel {
            // A round: two Σ of 3 rotations and 1 xor3, Ch and Maj of 1, 7 additions. A step: two
            // σ of 2 rotations, 1 shift, 1 xor3, and 3 additions. 16 swaps, 64 moves.
            Kernel::Avx512 => Some(64.0 * 17.0 + 48.0 * 11.0 + 8.0 + 80.0),
            // A rotation is 3, so a round: two Σ of 11, Ch of 3, Maj of 3 with what the last
            // round had, 7 additions. A step: two σ of 9, and 3 additions. 16 swaps, 48 moves.
            Kernel::Avx2 => Some(64.0 * 35.0 + 48.0 * 21.0 + 8.0 + 64.0),
            _ => None,
        }
    }

    /// The least nanoseconds for one block.
    pub fn nanos_per_block(kernel: Kernel) -> Option<f64> {
        if !kernel.is_available() {
            return None;
        }
        let count = instructions(kernel);
        match kernel {
            // SAFETY: the kernel is available, so the processor has AVX-512.
            Kernel::Avx512 => Some(count? / least(|| unsafe { adds_512() }) / 16.0),
            // SAFETY: the kernel is available, so the processor has AVX2.
            Kernel::Avx2 => Some(count? / least(|| unsafe { adds_256() }) / 8.0),
            // SAFETY: the kernel is available, so the processor has the SHA extensions.
            Kernel::Shani2 => Some(1.0 / least(|| unsafe { sha_blocks() })),
            Kernel::Portable | Kernel::Single => None,
        }
    }

    /// How many of what `work` does `LOOPS` times a call end in a nanosecond, at best: another
    /// process can only slow it down.
    fn least(work: impl Fn() -> f64) -> f64 {
        let mut best = 0.0_f64;
        for _ in 0..200 {
            let start = Instant::now();
            let done = work();
            best = best.max(done / (start.elapsed().as_secs_f64() * 1e9));
        }
        best
    }

    /// Often enough that the clock's own time does not count.
    const LOOPS: u32 = 2_000;
    const ADDS: u32 = 24;

    /// Additions that do not wait for each other: each register is a chain of its own.
    #[target_feature(enable = "avx512f")]
    fn adds_512() -> f64 {
        // SAFETY: changes vector registers, all of which are named as changed, and a counter.
        unsafe {
            asm!(
                "2:",
                ".rept 2",
                ".irp lane, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11",
                r"vpaddd zmm\lane, zmm\lane, zmm\lane",
                ".endr",
                ".endr",
                "dec ecx",
                "jnz 2b",
                inout("ecx") LOOPS => _,
                clobber_abi("sysv64"),
                options(nomem, nostack),
            );
        }
        f64::from(LOOPS * ADDS)
    }

    /// The same in the registers of AVX2.
    #[target_feature(enable = "avx2")]
    fn adds_256() -> f64 {
        // SAFETY: as above.
        unsafe {
            asm!(
                "2:",
                ".rept 2",
                ".irp lane, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11",
                r"vpaddd ymm\lane, ymm\lane, ymm\lane",
                ".endr",
                ".endr",
                "dec ecx",
                "jnz 2b",
                inout("ecx") LOOPS => _,
                clobber_abi("sysv64"),
                options(nomem, nostack),
            );
        }
        f64::from(LOOPS * ADDS)
    }

    /// A block each time: 32 pairs of rounds, and 12 of either half of the schedule.
    #[target_feature(enable = "sha,sse2")]
    fn sha_blocks() -> f64 {
        // SAFETY: as above.
        unsafe {
            asm!(
                "2:",
                ".rept 4",
                ".irp lane, 1, 2, 3, 4, 5, 6, 7, 8",
                r"sha256rnds2 xmm\lane, xmm9",
                ".endr",
                ".irp lane, 10, 11, 12",
                r"sha256msg1 xmm\lane, xmm9",
                ".endr",
                ".irp lane, 13, 14, 15",
                r"sha256msg2 xmm\lane, xmm9",
                ".endr",
                ".endr",
                "dec ecx",
                "jnz 2b",
                inout("ecx") LOOPS => _,
                clobber_abi("sysv64"),
                options(nomem, nostack),
            );
        }
        f64::from(LOOPS)
    }
}

#[expect(clippy::print_stdout, reason = "what it is for")]
fn main() {
    #[cfg(target_arch = "x86_64")]
    for kernel in hookseal_lanes::Kernel::ALL {
        if let Some(nanos) = x86_64::nanos_per_block(kernel) {
            let name = kernel.name();
            println!(r#"{{"kernel": "{name}", "ns_per_block": {nanos:.3}}}"#);
        }
    }
}
