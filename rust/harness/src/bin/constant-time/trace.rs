//! Traces: the address of every instruction that a case executes, for many secrets. If all are
//! the same, no branch of the machine code, as it was compiled and as this processor ran it, went
//! by a secret. Unlike a memory checker it sees every instruction set; it does not see the
//! addresses of data.

#![expect(
    unsafe_code,
    reason = "processes are started and stepped by the system's calls"
)]

use std::{collections::BTreeSet, ffi::c_int, io, ptr::null_mut};

use crate::{cases::Case, draw::Draw};

/// How many secrets. Half of all random MACs differ from another in their first bit, so that a
/// bad comparison shows itself at once.
const SECRETS: usize = 8;

/// Traces a case, and says how many different traces there were.
pub fn run(case: &Case) -> c_int {
    stay_on_one_processor();
    // What is asked of the processor once is asked here, and what is allocated once.
    drop((case.prepare)(&mut Draw::new(0))());
    // Nothing is allocated or freed in between: children begin with the parent's memory.
    let mut traces = [(0, 0); SECRETS];
    for (seed, trace) in (1..).zip(&mut traces) {
        match traced(case, seed) {
            Ok(found) => *trace = found,
            Err(error) => {
                println!("impossible: {error}");
                return 3;
            }
        }
    }
    let different: BTreeSet<_> = traces.into_iter().collect();
    let steps = traces.iter().map(|(_, steps)| steps).max().unwrap_or(&0);
    println!("secrets {SECRETS} traces {} steps {steps}", different.len());
    0
}

/// Two processes that take turns do so three times as fast on one processor.
fn stay_on_one_processor() {
    // SAFETY: a local set of processors; where it does not help, it does no harm.
    unsafe {
        let mut here: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(
            usize::try_from(libc::sched_getcpu()).unwrap_or_default(),
            &mut here,
        );
        libc::sched_setaffinity(0, size_of_val(&here), &raw const here);
    }
}

/// A number that is the same for the same trace, and how many instructions it has.
fn traced(case: &Case, seed: u64) -> io::Result<(u64, u64)> {
    // Both processes have all addresses in common, and so have all children.
    // SAFETY: there is one thread, so the child may do anything.
    let child = unsafe { libc::fork() };
    if child == 0 {
        be_traced(case, seed);
    }
    if child < 0 {
        return Err(io::Error::last_os_error());
    }
    let result = follow(child);
    // SAFETY: the child is ours, and has not been waited for to its end.
    unsafe {
        libc::kill(child, libc::SIGKILL);
        libc::waitpid(child, null_mut(), 0);
    }
    result
}

/// The child's part: work between two stops.
fn be_traced(case: &Case, seed: u64) -> ! {
    let work = (case.prepare)(&mut Draw::new(seed));
    // SAFETY: calls without memory; `_exit` leaves the parent's buffers alone.
    unsafe {
        if libc::ptrace(libc::PTRACE_TRACEME) != 0 {
            libc::_exit(1);
        }
        libc::raise(libc::SIGSTOP);
    }
    let result = work();
    // SAFETY: as above.
    unsafe { libc::raise(libc::SIGSTOP) };
    drop(result);
    // SAFETY: as above.
    unsafe { libc::_exit(0) }
}

/// The parent's part: from the first stop to the second, instruction by instruction.
fn follow(child: libc::pid_t) -> io::Result<(u64, u64)> {
    expect_stop(child, libc::SIGSTOP)?;
    // FNV-1a's numbers, over whole addresses.
    let (mut digest, mut steps) = (0xcbf2_9ce4_8422_2325_u64, 0);
    loop {
        // SAFETY: the child is stopped; no signal is handed on.
        if unsafe { libc::ptrace(libc::PTRACE_SINGLESTEP, child, 0, 0) } != 0 {
            return Err(io::Error::last_os_error());
        }
        if expect_stop(child, libc::SIGTRAP)? == libc::SIGSTOP {
            return Ok((digest, steps));
        }
        let at = std::mem::offset_of!(libc::user, regs)
            + std::mem::offset_of!(libc::user_regs_struct, rip);
        // SAFETY: the child is stopped; a word of its registers is read.
        let rip = unsafe { libc::ptrace(libc::PTRACE_PEEKUSER, child, at, 0) };
        digest = (digest ^ rip.cast_unsigned()).wrapping_mul(0x0000_0100_0000_01b3);
        digest ^= digest >> 29;
        steps += 1;
    }
}

/// Waits for a stop by that signal, or by the one that ends the work.
fn expect_stop(child: libc::pid_t, signal: c_int) -> io::Result<c_int> {
    let mut status = 0;
    // SAFETY: the child is ours, the number a local.
    if unsafe { libc::waitpid(child, &raw mut status, 0) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let stopped_by = libc::WSTOPSIG(status);
    if libc::WIFSTOPPED(status) && (stopped_by == signal || stopped_by == libc::SIGSTOP) {
        Ok(stopped_by)
    } else {
        Err(io::Error::other(format!(
            "a child ended with status {status:#x}"
        )))
    }
}
