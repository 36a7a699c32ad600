//! An allocator that counts, for whoever measures what is allocated: a bench and the `measure-*` programs include it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Counts what is allocated, and leaves it to the system.
struct Counting;

/// How often something was allocated, or moved to a larger place.
pub static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
/// How much is in use.
pub static BYTES: AtomicI64 = AtomicI64::new(0);

thread_local! {
    /// How often this thread did: a test's harness allocates beside it whenever it gets the core.
    pub static HERE: Cell<u64> = const { Cell::new(0) };
}

fn asked() {
    ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    // A thread that ends has no place of its own any more.
    let _ = HERE.try_with(|count| count.set(count.get() + 1));
}

fn count(bytes: usize, sign: i64) {
    // Nothing is larger than an address space, half of which is positive.
    BYTES.fetch_add(sign * bytes as i64, Ordering::Relaxed);
}

// SAFETY: every call goes on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        asked();
        count(layout.size(), 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        asked();
        count(layout.size(), -1);
        count(size, 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
