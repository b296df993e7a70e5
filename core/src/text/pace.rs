//! Long work that pauses, so that who waits for it can do other things in between.
//!
//! Such work is an `async fn` that is given a [`Pace`] and tells it what it does. Nothing else happens while it runs: there is
//! no executor, no thread and no clock, and what it comes to is the same wherever it pauses.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// How far work goes before it pauses. Clones count together.
#[derive(Clone, Debug)]
pub struct Pace(Option<Rc<Count>>);

#[derive(Debug, Default)]
struct Count {
    /// Bytes to go before it pauses.
    left: Cell<usize>,
    read: Cell<usize>,
}

impl Pace {
    /// Of work that is done [`at_once`].
    pub const AT_ONCE: Pace = Pace(None);

    /// Whether nobody waits for a pause.
    pub fn is_at_once(&self) -> bool {
        self.0.is_none()
    }

    /// So many bytes of text were read.
    pub async fn read(&self, bytes: usize) {
        if let Some(count) = &self.0 {
            count.read.set(count.read.get().saturating_add(bytes));
        }
        self.went(bytes).await;
    }

    /// Other work was done, that takes about as long as to read so many bytes.
    pub async fn went(&self, bytes: usize) {
        if self.is_tired(bytes) {
            Pause(false).await;
        }
    }

    fn is_tired(&self, bytes: usize) -> bool {
        let Some(count) = &self.0 else {
            return false;
        };
        let left = count.left.get().saturating_sub(bytes);
        count.left.set(left);
        left == 0
    }
}

/// Not ready the first time that it is asked.
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

/// Work that is done a stretch at a time.
pub struct Stretches<T> {
    work: Pin<Box<dyn Future<Output = T>>>,
    count: Rc<Count>,
}

impl<T> Stretches<T> {
    pub fn new<W: Future<Output = T> + 'static>(work: impl FnOnce(Pace) -> W) -> Self {
        let count = Rc::<Count>::default();
        Self {
            work: Box::pin(work(Pace(Some(count.clone())))),
            count,
        }
    }

    /// Goes on for about so many bytes, and gives what it comes to when that was the rest.
    pub fn go_on(mut self, bytes: usize) -> Result<T, Self> {
        self.count.left.set(bytes);
        match poll(self.work.as_mut()) {
            Poll::Ready(done) => Ok(done),
            Poll::Pending => Err(self),
        }
    }

    /// How many bytes of text were read.
    pub fn read(&self) -> usize {
        self.count.read.get()
    }
}

/// What work comes to that is given [`Pace::AT_ONCE`].
pub fn at_once<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(done) = poll(work.as_mut()) {
            return done;
        }
    }
}

fn poll<T>(work: Pin<&mut (impl Future<Output = T> + ?Sized)>) -> Poll<T> {
    work.poll(&mut Context::from_waker(Waker::noop()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn count(to: usize, pace: &Pace) -> usize {
        let mut counted = 0;
        for _ in 0..to {
            counted += 1;
            pace.read(10).await;
            pace.went(5).await;
        }
        counted
    }

    #[test]
    fn work_pauses_after_each_stretch_and_comes_to_the_same() {
        assert_eq!(at_once(count(7, &Pace::AT_ONCE)), 7);
        for (bytes, stretches) in [(1, 15), (15, 8), (30, 4), (1000, 1)] {
            let mut work = Stretches::new(async move |pace| count(7, &pace).await);
            let mut times = 1;
            let done = loop {
                match work.go_on(bytes) {
                    Ok(done) => break done,
                    Err(more) => work = more,
                }
                assert!(work.read() <= 70);
                times += 1;
            };
            assert_eq!((done, times), (7, stretches), "{bytes}");
        }
    }
}
