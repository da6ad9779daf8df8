//! Code that handles secrets, run where a tool can watch it: see docs/constant-time.md.
//!
//! ```text
//! constant-time list         the cases there are on this machine
//! constant-time run CASE     one case, with its secrets marked (see `taint`)
//! constant-time trace CASE   one case with several secrets, step by step (see `trace`)
//! ```
//!
//! `tools/constant_time.py` builds it for each tool and judges what it says.

#![no_main]
#![expect(
    clippy::print_stdout,
    reason = "what it prints is what it is for; a script reads it"
)]

mod cases;
#[path = "../../../../engine/src/compare.rs"]
mod compare;
mod controls;
mod draw;
mod message;
mod taint;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod trace;

use std::{
    ffi::{CStr, c_char, c_int},
    io::Write as _,
};

use cases::Case;
use draw::Draw;

/// The same secrets on every run.
const SEED: u64 = 2104;

// C's main: that of Rust's std runs code which the memory sanitizer has not seen compiled, and
// takes what it wrote for memory without a value.
#[expect(unsafe_code, reason = "the name of C's main")]
// SAFETY: there is no other one.
#[unsafe(no_mangle)]
extern "C" fn main(count: c_int, arguments: *const *const c_char) -> c_int {
    let count = usize::try_from(count).unwrap_or_default();
    let argument = |at: usize| {
        if at >= count {
            return &[][..];
        }
        #[expect(unsafe_code, reason = "C hands over pointers")]
        // SAFETY: as C has it, `count` pointers to text that ends with 0, and lives on.
        unsafe { CStr::from_ptr(*arguments.add(at)) }.to_bytes()
    };
    let cases = cases::all();
    let wanted = |at| cases.iter().find(|case| case.is_named(argument(at)));
    match (argument(1), wanted(2)) {
        (b"list", _) => {
            for case in &cases {
                let [what, dash, kernel] = case.name();
                println!("{what}{dash}{kernel}");
            }
            0
        }
        (b"run", Some(case)) => run(case),
        #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
        (b"trace", Some(case)) => trace::run(case),
        _ => {
            println!("constant-time list | run CASE | trace CASE");
            2
        }
    }
}

/// Runs a case, and says how much of what came out is marked still.
fn run(case: &Case) -> c_int {
    let work = (case.prepare)(&mut Draw::new(SEED));
    // What a tool reports before this is of nothing secret: std writes what the memory sanitizer has
    // not seen written.
    let _ = std::io::stderr().write_all(b"work begins\n");
    let mut result = work();
    let marked = taint::count(&result);
    taint::reveal(&mut result);
    let digest = hookseal_lanes::sha256(&result);
    println!(
        "marked {marked} of {} result {:016x}",
        result.len(),
        digest
            .first_chunk()
            .map_or(0, |word| u64::from_be_bytes(*word))
    );
    0
}
