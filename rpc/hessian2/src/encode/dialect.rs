//! Owns how versions of Java's codec differ in what they write. All of them read what any of them writes.

/// The version of Java's hessian-lite whose choices are made on writing.
///
/// Both versions, and dubbo-go, read what either of them writes. The older one is for peers that compare bytes, or that
/// look at the type name of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// hessian-lite 4, of Dubbo 3.3. An `ArrayList` has no type name; binaries are cut at a buffer of 8 KiB.
    #[default]
    HessianLite4,
    /// hessian-lite 3.2.13, of Dubbo 2.7 and the first releases of Dubbo 3. Lists that would have no type name have
    /// `java.util.ArrayList`; binaries are cut at a buffer of 4 KiB, which is empty where a binary begins.
    HessianLite3,
}

impl Dialect {
    /// Bytes of the buffer that Java writes through.
    pub(super) fn buffer(self) -> usize {
        match self {
            Self::HessianLite4 => 8192,
            Self::HessianLite3 => 4096,
        }
    }

    /// Whether a list that would have no type name is named as an `ArrayList`.
    #[inline]
    pub(super) fn names_all_lists(self) -> bool {
        self == Self::HessianLite3
    }

    /// Whether the buffer is flushed where a binary begins.
    #[inline]
    pub(super) fn flushes_before_binaries(self) -> bool {
        self == Self::HessianLite3
    }
}
