//! Owns Java's collections that keep their class on the wire. Rust's own are written without one.

use std::collections::{self, BTreeMap, BTreeSet, VecDeque};

macro_rules! collections {
    ($(
        #[$doc:meta] $name:ident<$($param:ident),*>($inner:ty) $form:ident $class:tt
        $(where [$($bound:tt)*])?;
    )*) => {$(
        #[$doc]
        ///
        /// Written with its class, and read from any class.
        #[derive(Clone, Debug, Default, PartialEq, Eq, crate::Hessian)]
        #[hessian(class = $class, $form)]
        pub struct $name<$($param),*>(
            /// The items.
            pub $inner,
        ) $(where $($bound)*)?;

        impl<$($param),*> From<$inner> for $name<$($param),*> $(where $($bound)*)? {
            fn from(items: $inner) -> Self {
                Self(items)
            }
        }
    )*};
}

collections! {
    /// `java.util.LinkedList`.
    LinkedList<T>(Vec<T>) list "java.util.LinkedList";
    /// `java.util.ArrayDeque`, a queue.
    ArrayDeque<T>(VecDeque<T>) list "java.util.ArrayDeque";
    /// `java.util.HashSet`.
    HashSet<T>(collections::HashSet<T>) list "java.util.HashSet" where [T: std::hash::Hash + Eq];
    /// `java.util.LinkedHashSet`, in the order of insertion. Nothing keeps items from being there twice.
    LinkedHashSet<T>(Vec<T>) list "java.util.LinkedHashSet";
    /// `java.util.TreeSet`.
    TreeSet<T>(BTreeSet<T>) list "java.util.TreeSet" where [T: Ord];
    /// `java.util.TreeMap`.
    TreeMap<K, V>(BTreeMap<K, V>) map "java.util.TreeMap" where [K: Ord];
}
