//! An allocator that knows what it has given out: whoever gives memory back to the wrong side of the
//! boundary ends the process, whichever test it happens in.

use std::alloc::{GlobalAlloc, Layout, System};
use std::process;

#[global_allocator]
static MARKING: Marking = Marking;

/// Stands right before everything that was given out and not given back.
const MARK: u64 = 0x6a61_6e69_746f_7221;

/// The system's allocator behind a mark. What of it is freed as the system's own is no start of
/// anything, which the system notices; what is freed here and is not of here has no mark.
struct Marking;

impl Marking {
    /// The room for `layout` with a head for the mark, and the length of the head.
    fn widen(layout: Layout) -> Option<(Layout, usize)> {
        let head = layout.align().max(16);
        let size = layout.size().checked_add(head)?;
        Some((Layout::from_size_align(size, head).ok()?, head))
    }
}

// SAFETY: what is given out lies behind the head of an allocation of the system that is longer by it and
// at least as aligned; the head is a multiple of the alignment.
unsafe impl GlobalAlloc for Marking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((wide, head)) = Self::widen(layout) else {
            return std::ptr::null_mut();
        };
        // SAFETY: there is always a head, so the layout is not empty.
        let start = unsafe { System.alloc(wide) };
        if start.is_null() {
            return start;
        }
        // SAFETY: the head is part of the allocation.
        let memory = unsafe { start.add(head) };
        // SAFETY: as above; a head has 16 octets at least.
        let mark = unsafe { memory.sub(8) };
        // SAFETY: as above, and it is aligned to 8 octets as the head is to 16.
        unsafe { mark.cast::<u64>().write(MARK) };
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: what was given out here has a head before it; of anything else, octets are read that
        // belong to the system's allocator.
        let mark = unsafe { memory.sub(8) }.cast::<u64>();
        // SAFETY: as above.
        let found = unsafe { mark.read() };
        let Some((wide, head)) = Self::widen(layout).filter(|_| found == MARK) else {
            process::abort();
        };
        // SAFETY: it is the mark of this allocation.
        unsafe { mark.write(0) };
        // SAFETY: it was given out here, behind a head of this length.
        let start = unsafe { memory.sub(head) };
        // SAFETY: the system gave it out with this layout.
        unsafe { System.dealloc(start, wide) };
    }
}
