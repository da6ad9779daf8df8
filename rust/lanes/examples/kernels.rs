//! Lists the kernels that this processor can run, one a line, the one that is chosen last.
//!
//!     cargo run -p hookseal-lanes --example kernels

use hookseal_lanes::{Chosen, Kernel};

#[expect(clippy::print_stdout, reason = "what it is for")]
fn main() {
    for kernel in Kernel::ALL {
        if kernel.is_available() {
            println!("{}", kernel.name());
        }
    }
    let chosen = Chosen::detected().expect("a kernel that computes right");
    println!("{}", chosen.kernel.name());
}
