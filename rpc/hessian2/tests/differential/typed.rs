//! Rust types against Java's classes: what a bean holds after reading, by its own fields, and what it is again in Rust.

use std::collections::{BTreeMap, BTreeSet};

use getty_hessian2::{Date, DecodeOwned, Encode, Exception, Hessian, Throwable, Value, from_slice, to_vec};
use serde_json::{Value as Json, json};

use crate::graph::{Graph, Item};
use crate::peer::{Answer, Peer};
use crate::plain;
use crate::random::Random;

const PEERS: [&str; 2] = ["GETTY_HESSIAN_LITE_4", "GETTY_HESSIAN_LITE_3"];

#[derive(Debug, PartialEq, Hessian)]
#[hessian(class = "com.example.peer.Everything")]
struct Everything {
    flag: bool,
    octet: i8,
    small: i16,
    number: i32,
    big: i64,
    precise: f64,
    letter: char,
    text: String,
    maybe_flag: Option<bool>,
    maybe_small: Option<i16>,
    maybe_number: Option<i32>,
    maybe_big: Option<i64>,
    maybe_real: Option<f32>,
    maybe_precise: Option<f64>,
    maybe_letter: Option<char>,
    bytes: Vec<u8>,
    date: Date,
    numbers: Vec<i32>,
    texts: Vec<String>,
    list: Vec<Option<i64>>,
    set: BTreeSet<String>,
    map: BTreeMap<i32, Vec<u8>>,
    color: Color,
    part: Option<Part>,
    parts: Vec<Part>,
    any: Value,
}

#[derive(Debug, PartialEq, Hessian)]
#[hessian(class = "com.example.peer.Part")]
struct Part {
    name: String,
    next: Option<Box<Self>>,
    weight: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Hessian)]
#[hessian(class = "com.example.peer.Color")]
enum Color {
    Red,
    Green,
    DarkBlue,
}

/// A bean of one `float`.
#[derive(Debug, PartialEq, Hessian)]
#[hessian(class = "com.example.peer.Single")]
struct Single {
    real: f32,
}

/// An object without a field, of the class that has all of them.
#[derive(Debug, PartialEq, Hessian)]
#[hessian(class = "com.example.peer.Everything")]
struct Nothing {}

/// Its fields that may be null.
#[derive(Debug, Default, PartialEq, Hessian)]
#[hessian(class = "com.example.peer.Everything")]
struct Nulls {
    text: Option<String>,
    maybe_flag: Option<bool>,
    maybe_number: Option<i32>,
    bytes: Option<Vec<u8>>,
    date: Option<Date>,
    numbers: Vec<i32>,
    list: Option<Vec<i64>>,
    map: BTreeMap<i32, Vec<u8>>,
    color: Option<Color>,
    part: Option<Part>,
    any: Value,
}

#[derive(Debug, PartialEq, thiserror::Error, Hessian)]
#[error("{message}")]
#[hessian(class = "com.example.peer.BusinessException", exception)]
struct BusinessError {
    message: String,
    code: i32,
}

#[test]
#[ignore = "asks Java processes that scripts/build-peers builds"]
fn a_struct_with_a_field_of_every_kind_is_the_bean_and_comes_back() {
    let mut random = Random::new(0);
    let values: Vec<_> = (0..300).map(|_| everything(&mut random)).collect();
    all_come_back(&values, Everything::tree);
}

/// 4.0.4 is left out: it writes the eight bytes of a double over the four of a field of the type `float`, and over what
/// lies behind it. A field of the type `Float` is right there too.
#[test]
#[ignore = "asks Java processes that scripts/build-peers builds"]
fn a_float_is_the_field_and_comes_back_from_hessian_lite_3() {
    let mut random = Random::new(0);
    let values: Vec<_> = (0..300).map(|_| Single { real: random.number() as f32 }).collect();
    let tree = |value: &Single| object("com.example.peer.Single", [("real", float(value.real))]);
    come_back("GETTY_HESSIAN_LITE_3", &values, tree);
}

#[test]
#[ignore = "asks Java processes that scripts/build-peers builds"]
fn fields_that_java_has_and_rust_did_not_send_come_back_as_nulls() {
    for peer in PEERS {
        let (tree, again) = ask(&mut Peer::of(peer), &Nothing {});
        assert_eq!(tree["object"][0], units("com.example.peer.Everything"));
        assert_eq!(tree["object"][1].as_array().unwrap().len(), 26);
        assert_eq!(read::<Nulls>(&again), Nulls::default());
    }
}

#[test]
#[ignore = "asks Java processes that scripts/build-peers builds"]
fn constants_are_the_enums_and_come_back() {
    all_come_back(&[vec![Color::Red, Color::DarkBlue, Color::Green, Color::Red]], |_| {
        let color =
            |name: &str| json!({"object": [units("com.example.peer.Color"), [[units("name"), text(name)]]]});
        json!({"list": ["", [color("RED"), color("DARK_BLUE"), color("GREEN"), {"ref": 1}]]})
    });
}

#[test]
#[ignore = "asks Java processes that scripts/build-peers builds"]
fn points_in_time_are_dates_and_come_back() {
    let mut random = Random::new(0);
    let dates: Vec<_> = (0..300).map(|_| Date::from_millis(random.millis())).collect();
    all_come_back(&dates, |date| json!({"date": date.as_millis()}));
}

#[test]
#[ignore = "asks Java processes that scripts/build-peers builds"]
fn an_exception_is_javas_with_its_cause_and_comes_back() {
    let cause = Throwable::of_class("java.io.IOException", None);
    let exception = Throwable::new("wörld 😀").with_cause(cause);
    all_come_back(std::slice::from_ref(&exception), |_| {
        throwable(
            "java.lang.RuntimeException",
            text("wörld 😀"),
            throwable("java.io.IOException", json!("null"), json!({"ref": 1}), &[]),
            &[],
        )
    });
}

#[test]
#[ignore = "asks Java processes that scripts/build-peers builds"]
fn an_error_of_ones_own_is_the_exception_class_and_comes_back() {
    let error = BusinessError { message: "no such user".to_owned(), code: 404 };
    assert_eq!(BusinessError::CLASS, "com.example.peer.BusinessException");
    all_come_back(std::slice::from_ref(&error), |error| {
        let own = [("code", json!({"int": error.code}))];
        throwable(BusinessError::CLASS, text(&error.message), json!({"ref": 0}), &own)
    });
}

/// Sends values to both libraries: what each then holds must be the tree, and what it writes the value again.
fn all_come_back<T: Encode + DecodeOwned + PartialEq + std::fmt::Debug>(
    values: &[T],
    tree: impl Fn(&T) -> Json,
) {
    PEERS.iter().for_each(|peer| come_back(peer, values, &tree));
}

fn come_back<T: Encode + DecodeOwned + PartialEq + std::fmt::Debug>(
    peer: &'static str,
    values: &[T],
    tree: impl Fn(&T) -> Json,
) {
    let mut peer = Peer::of(peer);
    for value in values {
        let (actual, again) = ask(&mut peer, value);
        assert_eq!(actual, sorted(tree(value)), "{value:?}");
        assert_eq!(read::<T>(&again), *value);
    }
}

fn ask(peer: &mut Peer, value: &impl Encode) -> (Json, Vec<u8>) {
    let answers = peer.ask(&[to_vec(value).unwrap()]);
    match answers.into_iter().next().unwrap() {
        Answer::Value(tree, again) => (sorted(serde_json::from_slice(&tree).unwrap()), again),
        Answer::Error(error) => panic!("{error}"),
    }
}

fn read<T: DecodeOwned>(bytes: &[u8]) -> T {
    from_slice(bytes).unwrap()
}

/// The tree with the items of hash sets, and the entries of hash maps, in the order of their text.
fn sorted(mut tree: Json) -> Json {
    match &mut tree {
        Json::Array(items) => items.iter_mut().for_each(|item| *item = sorted(item.take())),
        Json::Object(members) => {
            members.values_mut().for_each(|value| *value = sorted(value.take()));
            let is_set = members.get("list").is_some_and(|list| list[0] == units("java.util.HashSet"));
            let unordered = if is_set { "list" } else { "map" };
            if let Some(items) = members.get_mut(unordered).and_then(|content| content[1].as_array_mut()) {
                items.sort_by_key(Json::to_string);
            }
        }
        _ => {}
    }
    tree
}

/// What the peers tell of a `Throwable`: the fields of the class, then those of its superclasses.
fn throwable(class: &str, message: Json, cause: Json, own: &[(&str, Json)]) -> Json {
    let stack = json!({"list": [units("[java.lang.StackTraceElement"), []]});
    let base = [
        ("detailMessage", message),
        ("cause", cause),
        ("stackTrace", stack),
        ("suppressedExceptions", json!({"list": ["", []]})),
    ];
    object(class, own.iter().cloned().chain(base))
}

impl Everything {
    fn tree(&self) -> Json {
        let fields = [
            ("flag", json!({"bool": self.flag})),
            ("octet", json!({"byte": self.octet})),
            ("small", json!({"short": self.small})),
            ("number", json!({"int": self.number})),
            ("big", json!({"long": self.big})),
            ("precise", double(self.precise)),
            ("letter", letter(self.letter)),
            ("text", text(&self.text)),
            ("maybeFlag", maybe(self.maybe_flag, |flag| json!({"bool": flag}))),
            ("maybeSmall", maybe(self.maybe_small, |small| json!({"short": small}))),
            ("maybeNumber", maybe(self.maybe_number, |number| json!({"int": number}))),
            ("maybeBig", maybe(self.maybe_big, |big| json!({"long": big}))),
            ("maybeReal", maybe(self.maybe_real, float)),
            ("maybePrecise", maybe(self.maybe_precise, double)),
            ("maybeLetter", maybe(self.maybe_letter, letter)),
            ("bytes", binary(&self.bytes)),
            ("date", json!({"date": self.date.as_millis()})),
            ("numbers", list("[int", self.numbers.iter().map(|number| json!({"int": number})))),
            ("texts", list("[string", self.texts.iter().map(|item| text(item)))),
            ("list", list("", self.list.iter().map(|item| maybe(*item, |long| json!({"long": long}))))),
            ("set", list("java.util.HashSet", self.set.iter().map(|item| text(item)))),
            ("map", map(self.map.iter().map(|(key, value)| json!([{"int": key}, binary(value)])))),
            ("color", self.color.tree()),
            ("part", maybe(self.part.as_ref(), Part::tree)),
            ("parts", list("", self.parts.iter().map(Part::tree))),
            ("any", leaf(&Graph::of_value(&self.any).root)),
        ];
        object("com.example.peer.Everything", fields)
    }
}

impl Part {
    fn tree(&self) -> Json {
        let next = maybe(self.next.as_deref(), Self::tree);
        object(
            "com.example.peer.Part",
            [("name", text(&self.name)), ("next", next), ("weight", double(self.weight))],
        )
    }
}

impl Color {
    fn tree(self) -> Json {
        let name = match self {
            Self::Red => "RED",
            Self::Green => "GREEN",
            Self::DarkBlue => "DARK_BLUE",
        };
        object("com.example.peer.Color", [("name", text(name))])
    }
}

fn object<'f>(class: &str, fields: impl IntoIterator<Item = (&'f str, Json)>) -> Json {
    let fields: Vec<_> = fields.into_iter().map(|(name, value)| json!([units(name), value])).collect();
    json!({"object": [units(class), fields]})
}

fn list(name: &str, items: impl Iterator<Item = Json>) -> Json {
    json!({"list": [units(name), items.collect::<Vec<_>>()]})
}

fn map(entries: impl Iterator<Item = Json>) -> Json {
    json!({"map": ["", entries.collect::<Vec<_>>()]})
}

fn maybe<T>(value: Option<T>, tree: impl Fn(T) -> Json) -> Json {
    value.map_or(json!("null"), tree)
}

fn text(text: &str) -> Json {
    json!({"string": units(text)})
}

fn letter(letter: char) -> Json {
    json!({"char": units(&letter.to_string())})
}

fn float(float: f32) -> Json {
    json!({"float": format!("{:08x}", (float + 0.0).to_bits())})
}

fn double(double: f64) -> Json {
    json!({"double": format!("{:016x}", (double + 0.0).to_bits())})
}

fn binary(bytes: &[u8]) -> Json {
    json!({"binary": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()})
}

fn units(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("{unit:04x}")).collect()
}

fn leaf(item: &Item) -> Json {
    match item {
        Item::Null => json!("null"),
        Item::Bool(value) => json!({"bool": value}),
        Item::Int(value) => json!({"int": value}),
        Item::Long(value) => json!({"long": value}),
        Item::Double(value) => double(*value),
        Item::Date(millis) => json!({"date": millis}),
        Item::Text(units) => text(&String::from_utf16(units).unwrap()),
        Item::Binary(bytes) => binary(bytes),
        Item::Node(node) => panic!("node {node} is no leaf"),
    }
}

fn everything(random: &mut Random) -> Everything {
    Everything {
        flag: random.once_in(2),
        octet: random.long() as i8,
        small: random.long() as i16,
        number: random.int(),
        big: random.long(),
        precise: random.number(),
        letter: random.char(),
        text: random.text(),
        maybe_flag: random.maybe(|random| random.once_in(2)),
        maybe_small: random.maybe(|random| random.long() as i16),
        maybe_number: random.maybe(Random::int),
        maybe_big: random.maybe(Random::long),
        maybe_real: random.maybe(|random| random.number() as f32),
        maybe_precise: random.maybe(Random::number),
        maybe_letter: random.maybe(Random::char),
        bytes: random.bytes(),
        date: Date::from_millis(random.millis()),
        numbers: random.some(Random::int),
        texts: random.some(Random::text),
        list: random.some(|random| random.maybe(Random::long)),
        set: random.some(Random::text),
        map: random.some(|random| (random.int(), random.bytes())),
        color: random.pick(&[Color::Red, Color::Green, Color::DarkBlue]),
        part: random.maybe(part),
        parts: random.some(part),
        any: random.any(),
    }
}

fn part(random: &mut Random) -> Part {
    let next = random.once_in(3).then(|| Box::new(part(random)));
    Part { name: random.text(), next, weight: random.number() }
}

impl Random {
    /// A double that is equal to itself.
    fn number(&mut self) -> f64 {
        Some(self.double()).filter(|double| !double.is_nan()).unwrap_or(0.5)
    }

    /// One of those that fit in Java's `char`.
    fn char(&mut self) -> char {
        char::from_u32(self.below(0x1_0000) as u32).unwrap_or('\0')
    }

    fn text(&mut self) -> String {
        String::from_utf16(&self.units(false)).unwrap()
    }

    fn maybe<T>(&mut self, value: impl Fn(&mut Self) -> T) -> Option<T> {
        (!self.once_in(4)).then(|| value(self))
    }

    fn some<T, C: FromIterator<T>>(&mut self, value: impl Fn(&mut Self) -> T) -> C {
        (0..self.below(9)).map(|_| value(self)).collect()
    }

    /// Any value that is no container, and equal to itself.
    fn any(&mut self) -> Value {
        let root = match self.leaf(false) {
            Item::Double(double) if double.is_nan() => Item::Null,
            leaf => leaf,
        };
        Value::parse(&plain::encode(&Graph { nodes: Vec::new(), root })).unwrap()
    }
}
