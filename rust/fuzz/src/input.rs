//! An input of a corpus, read from its beginning. Behind its end there are zeros, so that every
//! input means something.

use std::sync::{Arc, OnceLock};

use hookseal_engine::scheme::Scheme;

use crate::common;

/// What is left of an input.
pub struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let given = self.take(N);
        array[..given.len()].copy_from_slice(given);
        array
    }

    /// So many bytes, or all that are left.
    pub fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// A byte that says how many bytes come, and those.
    pub fn text(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte());
        self.take(length)
    }

    pub fn rest(self) -> &'a [u8] {
        self.rest
    }

    pub fn scheme(&mut self) -> &'static Arc<Scheme> {
        let schemes = schemes();
        &schemes[usize::from(self.byte()) % schemes.len()]
    }
}

/// The schemes that an input can name, by number. Those are of the list, and not all there are: with
/// each new preset every number would mean another one, and the corpus other messages.
fn schemes() -> &'static [Arc<Scheme>] {
    static SCHEMES: OnceLock<Vec<Arc<Scheme>>> = OnceLock::new();
    SCHEMES.get_or_init(|| {
        let mut schemes = common::schemes();
        let listed = include_str!("../schemes.txt").lines();
        listed
            .map(|name| schemes.remove(name).expect("a scheme of schemes.json"))
            .collect()
    })
}
