//! The same work on several threads. In: how many pieces. Out: their results, in order, whatever the number of threads.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// `work` of 0, 1, 2, … `count` − 1 on up to `threads` threads, this one among them. Where no thread can be started
/// (in a browser), this one does it all.
pub(super) fn map<T: Send + Sync>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let results: Vec<OnceLock<T>> = (0..count).map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let run = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(result) = results.get(at) else {
                break;
            };
            result.get_or_init(|| work(at));
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(count) {
            if thread::Builder::new().spawn_scoped(scope, run).is_err() {
                break;
            }
        }
        run();
    });
    results
        .into_iter()
        .enumerate()
        .map(|(at, result)| result.into_inner().unwrap_or_else(|| work(at)))
        .collect()
}

/// As many threads as this machine runs at once.
pub(super) fn available() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_come_in_order_on_any_number_of_threads() {
        let expected: Vec<usize> = (0..50).map(|at| at * at).collect();
        for threads in [0, 1, 3, 100] {
            assert_eq!(super::map(50, threads, |at| at * at), expected);
        }
        assert!(super::map(0, 4, |at| at).is_empty());
    }
}
