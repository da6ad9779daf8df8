//! What every tool must find, or its silence means nothing: code as it should not be written.

use hookseal_lanes::Mac;

/// Compares until the first bit that differs, and says where it is. Of a loop that says no more
/// than whether there is one, a compiler makes a comparison without a branch.
#[inline(never)]
pub fn early_exit(a: &Mac, b: &Mac) -> usize {
    let mut at = 0;
    while at < 8 * a.len() && (a[at / 8] ^ b[at / 8]) >> (at % 8) & 1 == 0 {
        at += 1;
    }
    at
}

/// Looks each byte up in a table.
#[inline(never)]
pub fn lookup(mac: &Mac) -> Mac {
    mac.map(|byte| TABLE[usize::from(byte)])
}

/// Squares: a table that no compiler computes instead.
static TABLE: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0_u8;
    while at < u8::MAX {
        at += 1;
        table[at as usize] = at.wrapping_mul(at) ^ 0x5a;
    }
    table
};
