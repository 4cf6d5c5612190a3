//! Bodies that want to be large, deep or long in what they become, not in bytes.

/// A body with its name.
pub(crate) struct Bomb {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// Whether it is a value within the limits of depth and classes.
    pub(crate) is_value: bool,
}

/// Each of about `n` items, levels or definitions. `n` is a multiple of 4 and at most 0x3ffff.
pub(crate) fn bombs(n: usize) -> Vec<Bomb> {
    let len = |tag: u8, n: usize| [&[tag, b'I'][..], &(n as u32).to_be_bytes()].concat();
    let list = |item: &[u8]| [&len(b'X', n)[..], &item.repeat(n)].concat();
    let objects = |definition: &[u8], item: &[u8]| [&len(b'X', n)[..], definition, &item.repeat(n)].concat();
    let variable = |item: &[u8]| [&b"W"[..], &item.repeat(n), b"Z"].concat();
    let value = |name, bytes| Bomb { name, bytes, is_value: true };
    let error = |name, bytes| Bomb { name, bytes, is_value: false };
    let empty_names = [b"C\x01A\xc9\0".to_vec(), vec![0; 256]].concat();
    let define = |i: usize| format!("C\x04{i:04}\u{90}").chars().map(|char| char as u8).collect::<Vec<u8>>();
    vec![
        value("empty lists", list(b"\x78")),
        value("empty typed lists", [&b"\x7a\x70\x01A"[..], &len(b'X', n), &b"\x70\x90".repeat(n)].concat()),
        value("empty variable lists", variable(b"\x57\x5a")),
        value("lists of lists", list(b"\x79\x78")),
        value("maps", list(b"\x48\x5a")),
        value("entries", [&b"H"[..], &b"\x90\x90".repeat(n), b"Z"].concat()),
        value("typed maps", [&b"\x7aM\x01AZ"[..], &len(b'X', n), &b"M\x90Z".repeat(n)].concat()),
        value("objects without fields", objects(b"C\x01A\x90", b"\x60")),
        value("objects of one field", objects(b"C\x01A\x91\x01x", b"\x60\x90")),
        value("compact dates", objects(b"C\x13java.time.LocalDate\x90", b"\x60\xe0")),
        value("objects by number", [&b"C\x01A\x90H"[..], &numbered(n), b"Z"].concat()),
        value("nulls", list(b"N")),
        value("ints", list(b"\x90")),
        value("longs", list(b"\xe0")),
        value("doubles", list(b"\x5b")),
        value("dates", list(b"\x4b\0\0\0\0")),
        value("empty strings", list(b"\0")),
        value("letters", list(b"\x01a")),
        value("halves of pairs", list(b"\x01\xed\xa0\xbd")),
        value("empty binaries", list(b"\x20")),
        value("references", list(b"\x51\x90")),
        value(
            "references to a sibling",
            [&len(b'X', n)[..], b"\x79\x90", &b"\x51\x91".repeat(n - 1)].concat(),
        ),
        value("variable ints", variable(b"\x90")),
        value("chunked text", [&b"R\0\x01a".repeat(n)[..], b"\x01b"].concat()),
        value("chunks of nothing", [&b"R\0\0".repeat(n)[..], b"\0"].concat()),
        value(
            "chunked pairs",
            [&b"R\0\x01\xed\xa0\xbdR\0\x01\xed\xb8\x80".repeat(n / 2)[..], b"\0"].concat(),
        ),
        value("chunked halves", [&b"R\0\x01\xed\xa0\xbd".repeat(n)[..], b"\0"].concat()),
        value("chunked binary", [&b"A\0\x01a".repeat(n)[..], b"\x20"].concat()),
        value("chunks of nothing in binary", [&b"A\0\0".repeat(n)[..], b"\x20"].concat()),
        value("definitions of empty names", [&empty_names.repeat(n.min(4_000))[..], b"N"].concat()),
        value(
            "definitions",
            [(0..n.min(4_000)).flat_map(define).collect::<Vec<u8>>(), b"\x60".to_vec()].concat(),
        ),
        value("laughs", laughs(30)),
        error("nested lists", b"\x79".repeat(n)),
        error("nested variable lists", b"\x57".repeat(n)),
        error("nested maps", b"H\x90".repeat(n)),
        error("nested keys", b"H".repeat(n)),
        error("nested objects", [&b"C\x01A\x91\x01x"[..], &b"\x60".repeat(n)].concat()),
        error(
            "lists that claim all that is left",
            [&b"X\xd6\0\0".repeat(n / 128)[..], &b"\x90".repeat(n)].concat(),
        ),
        error(
            "a definition that claims all that is left",
            [&b"C\x01A\xd4\x03\xff"[..], &[0; 1_023]].concat(),
        ),
        error("a list too long", len(b'X', n)),
        error("a typed list too long", [&b"V\x04[int"[..], &len(b'I', n)[1..]].concat()),
        error("a definition too long", [&b"C\x01A"[..], &len(b'I', n)[1..]].concat()),
    ]
}

/// Entries of different numbers and objects without fields.
fn numbered(n: usize) -> Vec<u8> {
    let number = |i: usize| [0xd4 + (i >> 16 & 3) as u8, (i >> 8 & 0xff) as u8, (i & 0xff) as u8];
    (0..n).flat_map(|i| [&number(i)[..], b"\x60"].concat()).collect()
}

/// Lists that hold the last one twice: 2^levels items, if references were copies.
fn laughs(levels: u8) -> Vec<u8> {
    let refs: Vec<u8> = (1..levels).rev().flat_map(|level| [0x51, 0x90 + level]).collect();
    [&b"\x7a".repeat(usize::from(levels))[..], b"\x91\x92", &refs].concat()
}
