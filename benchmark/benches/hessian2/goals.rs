//! Owns how fast the codec is to be beside others. It measures nothing.

/// The time of `case` is at most so many times that of `of`.
pub(crate) struct Goal {
    pub(crate) case: &'static str,
    pub(crate) at_most: f64,
    pub(crate) of: &'static str,
}

const fn goal(case: &'static str, at_most: f64, of: &'static str) -> Goal {
    Goal { case, at_most, of }
}

/// What is asked of a group.
pub(crate) fn of(group: &str) -> &'static [Goal] {
    match group {
        "BenchmarkMessage: encode" => MESSAGE_ENCODE,
        "BenchmarkMessage: decode" => MESSAGE_DECODE,
        "user of 20 fields: decode" | "1,000 users: decode" => UNTYPED,
        "64 KiB of ASCII: encode" => ASCII_ENCODE,
        "64 KiB of ASCII: decode" => ASCII_DECODE,
        "1 MiB of bytes: encode" | "1 MiB of bytes: decode" => BINARY,
        _ => &[],
    }
}

const MESSAGE_ENCODE: &[Goal] = &[
    goal("own", 1.2, "prost"),
    goal("own", 0.5, "serde_json"),
    goal("own, nothing cached", 3.0, "prost"),
    goal("own, serde bridge", 1.5, "prost"),
    goal("own, serde bridge", 0.5, "serde_json"),
];

const MESSAGE_DECODE: &[Goal] = &[
    goal("own", 1.3, "prost"),
    goal("own", 0.5, "serde_json"),
    goal("own, nothing cached", 3.0, "prost"),
    goal("own, serde bridge", 1.5, "prost"),
    goal("own, serde bridge", 0.5, "serde_json"),
    goal("Value", 3.0, "prost"),
    goal("skip", 0.7, "own"),
];

const UNTYPED: &[Goal] = &[goal("Value", 3.0, "prost"), goal("skip", 0.7, "own")];

const ASCII_ENCODE: &[Goal] = &[goal("own", 2.2, "memcpy")];

const ASCII_DECODE: &[Goal] = &[goal("own", 1.5, "from_utf8 + to_owned")];

const BINARY: &[Goal] = &[goal("own", 1.2, "memcpy")];
