//! SHA-256 of messages that all begin alike.

use crate::{
    BLOCK_BYTES, Interrupted, Job, Kernel, Keyed, Mac, State, Watch,
    hmac::{self, INITIAL, Pace},
    message::Start,
};

/// What messages begin with, hashed once: whole blocks, the last one filled up with zeros. It is no
/// secret; as the key of a [`Job`] it makes a digest, not a MAC.
#[derive(Clone, Debug)]
pub struct SharedStart {
    state: State,
    bytes: usize,
}

impl SharedStart {
    /// Hashes a beginning.
    #[must_use]
    pub fn new(start: &[u8]) -> Self {
        let mut whole = start.to_vec();
        whole.resize(start.len().next_multiple_of(BLOCK_BYTES), 0);
        let mut state = INITIAL;
        Kernel::Single.compress(&mut state, whole.as_chunks().0);
        Self {
            state,
            bytes: whole.len(),
        }
    }

    /// The digest of the beginning and a message behind it.
    ///
    /// # Errors
    /// [`Interrupted`] if `watch` says so.
    pub fn digest(
        kernel: Kernel,
        job: &Job<'_, Self>,
        watch: &mut Watch<'_>,
    ) -> Result<Mac, Interrupted> {
        hmac::mac(kernel, job, &mut Pace::new(watch))
    }
}

impl Start for SharedStart {
    fn state(&self) -> &State {
        &self.state
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn outer(&self) -> Option<&State> {
        None
    }
}

impl Keyed for SharedStart {
    type Mac = Mac;

    fn macs(
        kernel: Kernel,
        jobs: &[Job<'_, Self>],
        macs: &mut [Mac],
        watch: &mut Watch<'_>,
    ) -> Result<(), Interrupted> {
        kernel.hash(jobs, macs, watch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{hmac::STEP_BYTES, sha256};

    #[test]
    fn it_is_sha_256_of_the_whole() {
        let bytes: Vec<u8> = (0..=255).cycle().take(700).collect();
        for start in [0_usize, 1, 63, 64, 65, 130] {
            let shared = SharedStart::new(&bytes[..start]);
            let mut before = bytes[..start].to_vec();
            before.resize(start.next_multiple_of(BLOCK_BYTES), 0);
            let mut jobs = Vec::new();
            let mut digests = Vec::new();
            for length in (0..140).chain([500]) {
                let rest = &bytes[7..7 + length];
                let digest = sha256(&[&before, rest].concat());
                for cut in [0, length / 3, length] {
                    let (head, body) = rest.split_at(cut / 2);
                    let (body, tail) = body.split_at(cut - cut / 2);
                    let key = &shared;
                    let job = Job {
                        key,
                        head,
                        body,
                        tail,
                    };
                    assert_eq!(
                        SharedStart::digest(Kernel::Single, &job, &mut |_| Ok(())),
                        Ok(digest)
                    );
                    jobs.push(job);
                    digests.push(digest);
                }
            }
            for kernel in Kernel::ALL.into_iter().filter(|it| it.is_available()) {
                let mut found = vec![Mac::default(); jobs.len()];
                let done = Keyed::macs(kernel, &jobs, &mut found, &mut |_| Ok(()));
                assert_eq!(
                    (done, found),
                    (Ok(()), digests.clone()),
                    "{}",
                    kernel.name()
                );
            }
        }
    }

    #[test]
    fn it_can_be_interrupted() {
        let long = vec![0; 3 * STEP_BYTES];
        let job = Job {
            key: &SharedStart::new(b"x"),
            head: &[],
            body: &long,
            tail: &[],
        };
        let mut heard = 0;
        let stopped = SharedStart::digest(Kernel::Single, &job, &mut |bytes| {
            heard += bytes;
            if heard > STEP_BYTES {
                Err(Interrupted)
            } else {
                Ok(())
            }
        });
        assert_eq!(stopped, Err(Interrupted));
    }
}
