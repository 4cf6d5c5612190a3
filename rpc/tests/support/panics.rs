//! Counts panics, also those that somebody catches.

use std::{
    panic::{set_hook, take_hook},
    sync::Once,
    sync::atomic::{AtomicUsize, Ordering},
};

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// How many panics there have been in this process since the first call. Only for test binaries in which nothing
/// panics on purpose.
pub(crate) fn count_panics() -> usize {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            before(info);
        }));
    });
    PANICS.load(Ordering::SeqCst)
}
