//! Owns random numbers and random leaves: scalars with the boundaries of their encodings, text and binaries around the
//! sizes of chunks and buffers.

use crate::graph::Item;

/// A generator of random numbers (SplitMix64): the same for the same seed, everywhere and always.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    /// From 0 to `end`, without it.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Where the encodings of `int` and `long` change, and the ends of Java's types.
const INTEGERS: [i64; 24] = [
    0,
    -8,
    15,
    -16,
    47,
    -0x80,
    0x7f,
    0xff,
    -0x800,
    0x7ff,
    -0x8000,
    0x7fff,
    0xffff,
    -0x4_0000,
    0x3_ffff,
    1 << 24,
    i32::MIN as i64,
    i32::MAX as i64,
    u32::MAX as i64,
    1 << 40,
    -(1 << 53),
    1 << 53,
    i64::MIN,
    i64::MAX,
];

const DOUBLES: [f64; 20] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.001,
    0.009,
    0.1,
    0.5,
    12.34,
    65.536,
    40_000.0,
    2_147_483.647,
    2_147_483.648,
    -2_147_483.648,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MIN,
    f64::MAX,
    5e-324,
];

/// Units of the short forms, of a chunk, and of Java's buffers.
const TEXT_LENGTHS: [usize; 5] = [0, 31, 32, 1_023, 1_024];
const LONG_TEXT_LENGTHS: [usize; 6] = [4_096, 8_191, 0x8000, 0x8001, 0xffff, 0x1_0001];
const BINARY_LENGTHS: [usize; 5] = [0, 15, 16, 1_023, 1_024];
const LONG_BINARY_LENGTHS: [usize; 7] = [4_093, 4_096, 8_189, 8_192, 16_378, 0xffff, 0x1_0000];

impl Random {
    pub(crate) fn int(&mut self) -> i32 {
        self.long() as i32
    }

    /// A boundary or its neighbour, or a number of any width.
    pub(crate) fn long(&mut self) -> i64 {
        match self.below(3) {
            0 => self.pick(&INTEGERS).wrapping_add(self.pick(&[-1, 0, 1])),
            1 => (self.bits() as i64) >> self.below(64),
            _ => self.below(300) as i64 - 100,
        }
    }

    pub(crate) fn double(&mut self) -> f64 {
        match self.below(4) {
            0 => self.pick(&DOUBLES),
            1 => self.long() as f64,
            2 => 0.001 * f64::from(self.int()),
            _ => f64::from_bits(self.bits()),
        }
    }

    /// Whole minutes, which are shorter on the wire, or any millisecond.
    pub(crate) fn millis(&mut self) -> i64 {
        match self.below(3) {
            0 => i64::from(self.int()) * 60_000,
            1 => (i64::from(i32::MAX) * 60_000).wrapping_add(self.long()),
            _ => self.long(),
        }
    }

    /// UTF-16 units; with `odd` also halves of pairs.
    pub(crate) fn units(&mut self, odd: bool) -> Vec<u16> {
        let len = self.length(TEXT_LENGTHS, LONG_TEXT_LENGTHS);
        let alphabet = self.below(if odd { 8 } else { 7 });
        let mut units = Vec::with_capacity(len + 1);
        while units.len() < len {
            let char = match alphabet {
                0 | 1 => self.pick(&['a', 'Z', '0', ' ', '"', '\n']),
                2 => self.pick(&['\0', '\u{1}', '\u{7f}', 'x']),
                3 => self.pick(&['\u{80}', 'é', '\u{7ff}']),
                4 => self.pick(&['\u{800}', '中', '\u{d7ff}', '\u{e000}', '\u{fffe}', '\u{ffff}']),
                5 => self.pick(&['😀', '\u{1_0000}', '\u{10_ffff}']),
                6 => self.pick(&['a', 'é', '中', '😀', '\0']),
                _ => {
                    units.push(self.pick(&[0xd800, 0xdbff, 0xdc00, 0xdfff, 0x61]));
                    continue;
                }
            };
            units.extend_from_slice(char.encode_utf16(&mut [0; 2]));
        }
        units
    }

    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        let len = self.length(BINARY_LENGTHS, LONG_BINARY_LENGTHS);
        (0..len).map(|_| self.bits() as u8).collect()
    }

    fn length<const N: usize, const L: usize>(&mut self, short: [usize; N], long: [usize; L]) -> usize {
        let around = self.below(3);
        match self.below(1_000) {
            0 => self.pick(&long) + around - 1,
            1..50 => self.pick(&short) + around,
            _ => self.below(24),
        }
    }

    /// Any value that is not a container.
    pub(crate) fn leaf(&mut self, odd: bool) -> Item {
        match self.below(12) {
            0 => Item::Null,
            1 => Item::Bool(self.once_in(2)),
            2 | 3 => Item::Int(self.int()),
            4 | 5 => Item::Long(self.long()),
            6 | 7 => Item::Double(self.double()),
            8 => Item::Date(self.millis()),
            9 => Item::Binary(self.bytes()),
            _ => Item::Text(self.units(odd)),
        }
    }
}
