//! Owns the types that borrow their text from the body: the same fields as those that own it.

use getty_hessian2::{Decode, DecodeState, Hessian};

use super::connection;

/// [`BenchmarkMessage`](crate::cases::message::BenchmarkMessage).
#[derive(Hessian)]
#[hessian(class = "com.example.benchmark.BenchmarkMessage")]
struct Message<'a> {
    field1: &'a str,
    field2: i32,
    field3: i32,
    field4: Option<&'a str>,
    field5: Vec<i64>,
    field6: Option<i32>,
    field7: Option<&'a str>,
    field9: Option<&'a str>,
    field12: Option<bool>,
    field13: Option<bool>,
    field14: Option<bool>,
    field16: Option<i32>,
    field17: Option<bool>,
    field18: Option<&'a str>,
    field22: Option<i64>,
    field23: Option<i32>,
    field24: Option<bool>,
    field25: Option<i32>,
    field29: Option<i32>,
    field30: Option<bool>,
    field59: Option<bool>,
    field60: Option<i32>,
    field67: Option<i32>,
    field68: Option<i32>,
    field78: Option<bool>,
    field80: Option<bool>,
    field81: Option<bool>,
    field100: Option<i32>,
    field101: Option<i32>,
    field102: Option<&'a str>,
    field103: Option<&'a str>,
    field104: Option<i32>,
    field128: Option<i32>,
    field129: Option<&'a str>,
    field130: Option<i32>,
    field131: Option<i32>,
    field150: Option<i32>,
    field271: Option<i32>,
    field272: Option<i32>,
    field280: Option<i32>,
}

/// [`User`](super::user::User).
#[derive(Hessian)]
#[hessian(class = "com.example.User")]
struct User<'a> {
    id: i64,
    name: &'a str,
    email: &'a str,
    phone: Option<&'a str>,
    company: Option<&'a str>,
    department: Option<&'a str>,
    country: &'a str,
    city: &'a str,
    street: &'a str,
    postal_code: &'a str,
    age: i32,
    level: i32,
    points: i64,
    balance: f64,
    discount: f64,
    active: bool,
    verified: bool,
    created: i64,
    updated: i64,
    tags: Vec<&'a str>,
}

pub(crate) fn read_message(body: &[u8], state: &mut DecodeState) {
    read::<Message<'_>>(body, state);
}

pub(crate) fn read_user(body: &[u8], state: &mut DecodeState) {
    read::<User<'_>>(body, state);
}

pub(crate) fn read_users(body: &[u8], state: &mut DecodeState) {
    read::<Vec<User<'_>>>(body, state);
}

fn read<'de, T: Decode<'de>>(body: &'de [u8], state: &mut DecodeState) {
    std::hint::black_box(connection::read::<T>(body, state));
}
