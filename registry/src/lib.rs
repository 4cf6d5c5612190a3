//! Who provides what, where.
