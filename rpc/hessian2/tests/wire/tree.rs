//! The vectors' independent account of what bytes mean, and comparing it with a value.

use getty_hessian2::{Kind, Val};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::malformed::unhex;
use crate::sha256;

#[derive(Deserialize)]
pub(crate) struct Row<'a> {
    pub(crate) name: String,
    pub(crate) hex: Option<String>,
    #[serde(borrow)]
    pub(crate) tree: Option<Tree<'a>>,
    pub(crate) verify: Option<String>,
}

/// What a value means. Which fields are there depends on `t`.
#[derive(Deserialize)]
pub(crate) struct Tree<'a> {
    pub(crate) t: String,
    #[serde(borrow)]
    v: Option<&'a RawValue>,
    bits: Option<String>,
    ms: Option<String>,
    hex: Option<String>,
    len: Option<usize>,
    sha256: Option<String>,
    utf16_len: Option<usize>,
    sha256_utf16be: Option<String>,
    #[serde(borrow)]
    items: Option<Vec<Self>>,
    #[serde(borrow)]
    entries: Option<Vec<(Self, Self)>>,
    #[serde(borrow)]
    fields: Option<Vec<(&'a RawValue, Self)>>,
    class: Option<String>,
    r#type: Option<String>,
    i: Option<usize>,
    #[serde(borrow)]
    pub(crate) values: Option<Vec<Self>>,
}

pub(crate) fn read(file: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/vectors/{file}.jsonl", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

pub(crate) fn rows(text: &str) -> Vec<Row<'_>> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Checks that a value is what the tree says. `seen` are the containers so far, in the order of their numbers.
pub(crate) fn check<'v>(tree: &Tree<'_>, val: Val<'v>, seen: &mut Vec<Val<'v>>) -> Result<(), String> {
    let same = match tree.t.as_str() {
        "null" => val.is_null(),
        "bool" => val.as_bool() == Some(tree.plain() == "true"),
        "int" => val.kind() == Some(Kind::Int) && val.as_i64() == tree.plain().parse().ok(),
        "long" => val.kind() == Some(Kind::Long) && val.as_i64() == tree.plain().parse().ok(),
        "double" => {
            let bits = u64::from_str_radix(tree.bits.as_deref().unwrap(), 16).unwrap();
            val.kind() == Some(Kind::Double) && val.as_f64().map(f64::to_bits) == Some(bits)
        }
        "date" => val.as_date().map(|date| date.as_millis()) == tree.ms.as_deref().unwrap().parse().ok(),
        "string" => check_text(tree, val),
        "binary" => check_binary(tree, val),
        "list" => {
            seen.push(val);
            let items = tree.items.as_deref().unwrap();
            if val.kind() != Some(Kind::List)
                || val.type_name() != tree.named_type()
                || val.len() != items.len()
            {
                return Err(format!("list of {:?}, {} items: {val:?}", tree.r#type, items.len()));
            }
            return items.iter().zip(val.items()).try_for_each(|(item, val)| check(item, val, seen));
        }
        "map" => {
            seen.push(val);
            let entries = tree.entries.as_deref().unwrap();
            if val.kind() != Some(Kind::Map)
                || val.type_name() != tree.named_type()
                || val.len() != entries.len()
            {
                return Err(format!("map of {:?}, {} entries: {val:?}", tree.r#type, entries.len()));
            }
            return entries.iter().zip(val.entries()).try_for_each(|((key, value), (key_val, value_val))| {
                check(key, key_val, seen)?;
                check(value, value_val, seen)
            });
        }
        "object" => {
            seen.push(val);
            let fields = tree.fields.as_deref().unwrap();
            if val.class() != tree.class.as_deref() || val.len() != fields.len() {
                return Err(format!("object of {:?}, {} fields: {val:?}", tree.class, fields.len()));
            }
            return fields.iter().zip(val.fields()).try_for_each(|((name, field), (field_name, val))| {
                if String::from_utf16(&units(name.get())).unwrap() != field_name {
                    return Err(format!("field {name}: {field_name}"));
                }
                check(field, val, seen)
            });
        }
        "ref" => {
            // Across values of one body a reference becomes a copy, within one it is the same container.
            let target = seen[tree.i.unwrap()];
            val.is_same(target) || (val == target && !seen.iter().any(|other| other.is_same(val)))
        }
        other => return Err(format!("tree node {other}")),
    };
    if same { Ok(()) } else { Err(format!("{} {:?}: {val:?}", tree.t, tree.v.map(RawValue::get))) }
}

impl Tree<'_> {
    /// The value as text without quotes.
    fn plain(&self) -> &str {
        self.v.map_or("", |v| v.get().trim_matches('"'))
    }

    fn named_type(&self) -> Option<&str> {
        self.r#type.as_deref().filter(|name| !name.is_empty())
    }
}

fn check_text(tree: &Tree<'_>, val: Val<'_>) -> bool {
    let Some(actual) = val.to_utf16() else { return false };
    match (tree.v, &tree.sha256_utf16be) {
        (Some(text), _) => units(text.get()) == actual,
        (None, Some(hash)) => {
            let bytes: Vec<u8> = actual.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            tree.utf16_len == Some(actual.len()) && sha256::hex(&bytes) == *hash
        }
        (None, None) => false,
    }
}

fn check_binary(tree: &Tree<'_>, val: Val<'_>) -> bool {
    let Some(actual) = val.as_bytes() else { return false };
    match (&tree.hex, &tree.sha256) {
        (Some(hex), _) => unhex(hex) == actual,
        (None, Some(hash)) => tree.len == Some(actual.len()) && sha256::hex(actual) == *hash,
        (None, None) => false,
    }
}

/// UTF-16 units of a JSON string, which may hold half a surrogate pair.
fn units(json: &str) -> Vec<u16> {
    let mut chars = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap().chars();
    let mut units = Vec::new();
    while let Some(char) = chars.next() {
        match char {
            '\\' => units.push(match chars.next().unwrap() {
                'u' => u16::from_str_radix(&chars.by_ref().take(4).collect::<String>(), 16).unwrap(),
                'n' => 10,
                'r' => 13,
                't' => 9,
                'b' => 8,
                'f' => 12,
                other => other as u16,
            }),
            other => units.extend_from_slice(other.encode_utf16(&mut [0; 2])),
        }
    }
    units
}
