//! The vectors' independent account of what bytes mean, and comparing it with a value.

use getty_hessian2::{Kind, Val};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::malformed::{from_recipe, try_unhex};
use crate::sha256;

/// A line of a vector file. Fields that are not here are of no concern.
#[derive(Deserialize)]
pub(crate) struct Row<'a> {
    pub(crate) name: String,
    pub(crate) category: Option<String>,
    suite: Option<String>,
    pub(crate) hex: Option<String>,
    recipe: Option<String>,
    #[serde(borrow)]
    pub(crate) tree: Option<Tree<'a>>,
    pub(crate) verify: Option<String>,
    pub(crate) lite_3_2_13: Option<String>,
}

impl Row<'_> {
    /// The bytes, if the row has any.
    pub(crate) fn bytes(&self) -> Result<Option<Vec<u8>>, String> {
        match (&self.hex, &self.recipe) {
            (Some(hex), _) => try_unhex(hex).map(Some),
            (None, Some(recipe)) => from_recipe(&self.name, recipe).map(Some),
            (None, None) => Ok(None),
        }
    }

    pub(crate) fn category(&self) -> &str {
        self.category.as_deref().or(self.suite.as_deref()).unwrap_or("(none)")
    }

    /// Whether the bytes must come out again: Java reads them back, and they are its own choice of several.
    pub(crate) fn is_exact(&self) -> bool {
        matches!(self.verify.as_deref(), Some("equal" | "reencode-equal"))
    }
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
    text.lines().map(|line| row(line.as_bytes()).unwrap()).collect()
}

/// Levels of brackets in a row. Reading and comparing a tree recurses.
const LEVELS: usize = 2_000;

/// A line of a file. Takes up to 16 MiB of stack.
pub(crate) fn row(line: &[u8]) -> Result<Row<'_>, String> {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in line {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if deepest > LEVELS {
        return Err(format!("{deepest} levels of brackets"));
    }
    let mut json = serde_json::Deserializer::from_slice(line);
    json.disable_recursion_limit();
    let row = Row::deserialize(&mut json).map_err(|error| error.to_string())?;
    json.end().map_err(|error| error.to_string())?;
    Ok(row)
}

/// Checks that the values of a body are what the tree says.
pub(crate) fn check_all<'v>(
    tree: &Tree<'_>,
    values: impl ExactSizeIterator<Item = Val<'v>>,
) -> Result<(), String> {
    let trees = tree.values.as_deref().unwrap_or(std::slice::from_ref(tree));
    if trees.len() != values.len() {
        return Err(format!("{} values, the tree has {}", values.len(), trees.len()));
    }
    let mut seen = Vec::new();
    trees.iter().zip(values).try_for_each(|(tree, val)| check(tree, val, &mut seen))
}

/// Checks that a value is what the tree says. `seen` are the containers so far, in the order of their numbers.
fn check<'v>(tree: &Tree<'_>, val: Val<'v>, seen: &mut Vec<Val<'v>>) -> Result<(), String> {
    let same = match tree.t.as_str() {
        "null" => val.is_null(),
        "bool" => val.as_bool() == Some(tree.plain() == "true"),
        "int" => val.kind() == Some(Kind::Int) && val.as_i64().map(Ok) == Some(tree.plain().parse::<i64>()),
        "long" => val.kind() == Some(Kind::Long) && val.as_i64().map(Ok) == Some(tree.plain().parse::<i64>()),
        "double" => {
            let bits = u64::from_str_radix(tree.part("bits", tree.bits.as_deref())?, 16);
            val.kind() == Some(Kind::Double) && val.as_f64().map(f64::to_bits) == bits.ok()
        }
        "date" => {
            let millis = tree.part("ms", tree.ms.as_deref())?.parse().ok();
            val.as_date().map(|date| date.as_millis()) == millis && millis.is_some()
        }
        "string" => check_text(tree, val)?,
        "binary" => check_binary(tree, val)?,
        "list" => {
            seen.push(val);
            let items = tree.part("items", tree.items.as_deref())?;
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
            let entries = tree.part("entries", tree.entries.as_deref())?;
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
            let fields = tree.part("fields", tree.fields.as_deref())?;
            if val.class() != tree.class.as_deref() || val.len() != fields.len() {
                return Err(format!("object of {:?}, {} fields: {val:?}", tree.class, fields.len()));
            }
            return fields.iter().zip(val.fields()).try_for_each(|((name, field), (field_name, val))| {
                if !field_name.encode_utf16().eq(units(name.get())?) {
                    return Err(format!("field {name}: {field_name}"));
                }
                check(field, val, seen)
            });
        }
        "ref" => {
            let target = tree.i.and_then(|index| seen.get(index));
            target.is_some_and(|target| val.is_same(*target))
        }
        other => return Err(format!("tree node {other}")),
    };
    if same { Ok(()) } else { Err(format!("{} {:?}: {val:?}", tree.t, tree.v.map(RawValue::get))) }
}

impl Tree<'_> {
    fn part<T>(&self, name: &str, part: Option<T>) -> Result<T, String> {
        part.ok_or_else(|| format!("the tree's {} has no {name}", self.t))
    }

    /// The value as text without quotes.
    fn plain(&self) -> &str {
        self.v.map_or("", |v| v.get().trim_matches('"'))
    }

    fn named_type(&self) -> Option<&str> {
        self.r#type.as_deref().filter(|name| !name.is_empty())
    }
}

fn check_text(tree: &Tree<'_>, val: Val<'_>) -> Result<bool, String> {
    let Some(actual) = val.to_utf16() else { return Ok(false) };
    Ok(match (tree.v, &tree.sha256_utf16be) {
        (Some(text), _) => units(text.get())? == actual,
        (None, Some(hash)) => {
            let bytes: Vec<u8> = actual.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            tree.utf16_len == Some(actual.len()) && sha256::hex(&bytes) == *hash
        }
        (None, None) => return Err("the tree's string has neither text nor hash".to_owned()),
    })
}

fn check_binary(tree: &Tree<'_>, val: Val<'_>) -> Result<bool, String> {
    let Some(actual) = val.as_bytes() else { return Ok(false) };
    Ok(match (&tree.hex, &tree.sha256) {
        (Some(hex), _) => try_unhex(hex)? == actual,
        (None, Some(hash)) => tree.len == Some(actual.len()) && sha256::hex(actual) == *hash,
        (None, None) => return Err("the tree's binary has neither bytes nor hash".to_owned()),
    })
}

/// UTF-16 units of a JSON string, which may hold half a surrogate pair.
fn units(json: &str) -> Result<Vec<u16>, String> {
    let wrong = || format!("not a JSON string: {json:.60}");
    let text = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).ok_or_else(wrong)?;
    let mut chars = text.chars();
    let mut units = Vec::new();
    while let Some(char) = chars.next() {
        match char {
            '\\' => units.push(match chars.next().ok_or_else(wrong)? {
                'u' => {
                    let digits: String = chars.by_ref().take(4).collect();
                    u16::from_str_radix(&digits, 16).map_err(|_| wrong())?
                }
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
    Ok(units)
}
