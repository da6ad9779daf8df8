//! Messages that notice which threads hash them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use hookseal_engine::{
    Kernel, Stop, Watch,
    batch::{Crew, with_crew},
    verify::Rules,
};

use super::{Message, batch_of, endpoint, hex, hmac};

/// What is worth a grain of its own.
const BODY_BYTES: usize = 128 * 1024;

/// Messages whose bodies notice who reads them.
pub struct Scene {
    bytes: Arc<[u8]>,
    on_another_thread: Arc<dyn Fn() + Send + Sync>,
}

/// A body that calls a function where a thread other than the one that made it reads it.
pub struct Body {
    bytes: Arc<[u8]>,
    on_another_thread: Arc<dyn Fn() + Send + Sync>,
    made_on: thread::ThreadId,
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        if thread::current().id() != self.made_on {
            (self.on_another_thread)();
        }
        &self.bytes
    }
}

impl Scene {
    pub fn new(on_another_thread: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            bytes: vec![b'x'; BODY_BYTES].into(),
            on_another_thread: Arc::new(on_another_thread),
        }
    }

    pub fn body(&self) -> Body {
        Body {
            bytes: Arc::clone(&self.bytes),
            on_another_thread: Arc::clone(&self.on_another_thread),
            made_on: thread::current().id(),
        }
    }

    pub fn messages(&self, count: usize) -> Vec<Message> {
        let endpoint = endpoint("uplift", &["key"]);
        let signature = format!("sha256={}", hex(&hmac(b"key", &[&self.bytes])));
        let headers = [("x-uplift-signature-256", signature)];
        vec![Message::new(&endpoint, &self.bytes, &headers); count]
    }

    /// How many messages were valid.
    pub fn batch(
        &self,
        messages: &[Message],
        kernel: Kernel,
        threads: usize,
        watch: &mut Watch<'_>,
    ) -> Result<usize, Stop> {
        let bodies = messages.iter().map(|_| self.body());
        let outcomes = batch_of(messages, bodies, kernel, threads, watch)?;
        Ok(outcomes.iter().filter(|outcome| outcome.is_valid()).count())
    }

    /// The same message many times, all in one chunk however full it is.
    pub fn one_chunk(
        &self,
        message: &Message,
        count: usize,
        threads: usize,
        watch: &mut Watch<'_>,
    ) -> Result<(), Stop> {
        with_crew(Kernel::detect(), threads, Rules::default(), |crew| {
            self.start(crew, message, count);
            crew.finish(watch)
        })
    }

    /// The same where the first body that another thread reads raises a flag, and all go on by
    /// `then`.
    pub fn begun(then: impl Fn() + Send + Sync + 'static) -> (Self, Arc<AtomicBool>) {
        let is_begun = flag();
        let scene = Self::new({
            let is_begun = Arc::clone(&is_begun);
            move || {
                is_begun.store(true, Ordering::Release);
                then();
            }
        });
        (scene, is_begun)
    }

    /// Starts a chunk with so many of the same message.
    pub fn start(&self, crew: &mut Crew<'_, '_, Body>, message: &Message, count: usize) {
        self.fill(crew, message, count);
        crew.close(1).expect("there is memory");
        crew.start();
    }

    fn fill(&self, crew: &Crew<'_, '_, Body>, message: &Message, count: usize) {
        for number in 0..count {
            message.push(&mut crew.chunk(), number, self.body());
        }
    }

    /// Whoever held a body has let go of it.
    pub fn assert_let_go(&self) {
        assert_eq!(Arc::strong_count(&self.bytes), 1);
    }
}

pub fn flag() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}
