//! Bytes of the bridge are those of this crate's own derive.

use std::collections::BTreeMap;

use getty_hessian2::serde::Serde;
use getty_hessian2::{Date, Encode, EncodeState, Encoder, Hessian, to_vec};
use serde::Serialize;

#[derive(Hessian, Serialize)]
#[hessian(class = "com.example.Color", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename = "com.example.Color", rename_all = "SCREAMING_SNAKE_CASE")]
enum Color {
    Red,
    DarkGreen,
}

#[derive(Hessian, Serialize)]
#[hessian(class = "com.example.Address")]
#[serde(rename = "com.example.Address", rename_all = "camelCase")]
struct Address {
    street_name: String,
    zip: u32,
}

#[derive(Hessian, Serialize)]
#[hessian(class = "com.example.User")]
#[serde(rename = "com.example.User", rename_all = "camelCase")]
struct User<'a> {
    user_name: &'a str,
    small: (),
    flag: bool,
    byte: i8,
    short: i16,
    age: i32,
    id: i64,
    unsigned: Vec<u32>,
    long: u64,
    float: f32,
    ratio: f64,
    initial: char,
    nothing: Option<i32>,
    something: Option<i32>,
    born: Date,
    color: Color,
    home: Address,
    others: Vec<Address>,
    colors: Vec<Color>,
    map: BTreeMap<String, Address>,
    ints: Vec<i32>,
}

fn address(zip: u32) -> Address {
    Address { street_name: format!("Long Road {zip}"), zip }
}

fn user(text: &str) -> User<'_> {
    User {
        user_name: text,
        small: (),
        flag: true,
        byte: -7,
        short: 300,
        age: 70_000,
        id: 1 << 40,
        unsigned: vec![7, u32::MAX],
        long: 1 << 62,
        float: 0.1,
        ratio: -2.75,
        initial: '许',
        nothing: None,
        something: Some(5),
        born: Date::from_millis(894_621_091_000),
        color: Color::DarkGreen,
        home: address(1),
        others: vec![address(2), address(3)],
        colors: vec![Color::Red, Color::DarkGreen],
        map: BTreeMap::from([("a".into(), address(4))]),
        ints: vec![1, 2, 3, 4, 5, 6, 7, 8, 9],
    }
}

#[test]
fn the_first_value_of_a_class_has_the_bytes_of_the_derive() {
    assert_eq!(getty_hessian2::serde::to_vec(&user("Tom")).unwrap(), to_vec(&user("Tom")).unwrap());
    assert_eq!(to_vec(&Serde(Color::Red)).unwrap(), to_vec(&Color::Red).unwrap());
}

/// Writes bodies of several values with one state, and gives the bytes of each body.
fn bodies<'v, T: Encode + 'v>(bodies: impl IntoIterator<Item = &'v [T]>) -> Vec<Vec<u8>> {
    let mut state = EncodeState::new();
    let write = |values: &[T]| {
        let mut out = Vec::new();
        state.begin(&out);
        for value in values {
            Encoder::new(&mut out, &mut state).write(value).unwrap();
        }
        out
    };
    bodies.into_iter().map(write).collect()
}

#[test]
fn later_values_and_bodies_of_a_connection_have_the_bytes_of_the_derive() {
    let text = "long enough to cross the eight kibibytes of Java's buffer ".repeat(140);
    let texts = ["", "Tom", &text, "Ann"];
    let own: Vec<_> = texts.map(user).into_iter().collect();
    let of_serde: Vec<_> = texts.map(user).into_iter().map(Serde).collect();
    let own = bodies([&own[..1], &own[1..2], &own[..], &own[2..]]);
    let of_serde = bodies([&of_serde[..1], &of_serde[1..2], &of_serde[..], &of_serde[2..]]);
    assert!(own == of_serde);
}

#[test]
fn binary_behind_a_learned_class_is_cut_where_the_derive_cuts_it() {
    let (mut own, mut of_serde) = (EncodeState::new(), EncodeState::new());
    fn body<T: Encode>(state: &mut EncodeState, before: usize, value: &T) -> Vec<u8> {
        let mut out = Vec::new();
        state.begin(&out);
        let mut e = Encoder::new(&mut out, state);
        e.bytes(&vec![1; before]);
        e.write(value).unwrap();
        e.bytes(&[2; 9_000]);
        out
    }
    body(&mut of_serde, 0, &Serde(user("Tom")));
    for before in (7_500..8_300).step_by(7) {
        let expected = body(&mut own, before, &user("Tom"));
        assert!(body(&mut of_serde, before, &Serde(user("Tom"))) == expected, "{before} bytes before");
    }
}

#[test]
fn a_class_is_defined_once_for_a_derived_type_and_a_serde_type_in_one_body() {
    let mut state = EncodeState::new();
    let mut out = Vec::new();
    for round in 0..2 {
        out.clear();
        state.begin(&out);
        let mut e = Encoder::new(&mut out, &mut state);
        e.write(&Serde(address(1))).unwrap();
        e.write(&address(1)).unwrap();
        e.write(&Serde(address(1))).unwrap();
        let definitions = out.windows(19).filter(|window| *window == b"com.example.Address").count();
        assert_eq!(definitions, 1, "body {round}");
    }
}
