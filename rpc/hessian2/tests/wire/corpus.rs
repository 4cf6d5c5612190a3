//! What fuzzing begins with: the bytes of real peers, of hostile ones, and the bombs.

use crate::bombs::bombs;
use crate::malformed::{parse, rows};

/// Longer bodies are mostly more of the same, and slow.
const LEN: usize = 16 << 10;

/// Bodies with their names.
pub(crate) fn corpus() -> Vec<(String, Vec<u8>)> {
    let files = [
        include_str!("../vectors/hessian2_java_vectors.jsonl"),
        include_str!("../vectors/hessian2_go_vectors.jsonl"),
        include_str!("../vectors/hessian2_testhessian2_vectors.jsonl"),
    ];
    let rows = rows().into_iter().chain(files.into_iter().flat_map(parse));
    let rows = rows.map(|row| (row.name.clone(), row.bytes()));
    let bombs = bombs(64).into_iter().map(|bomb| (bomb.name.replace(' ', "_"), bomb.bytes));
    rows.chain(bombs).filter(|(_, bytes)| bytes.len() <= LEN).collect()
}
