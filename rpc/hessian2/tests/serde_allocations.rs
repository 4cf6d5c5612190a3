//! Writing and reading serde types over a connection allocates nothing once it is warm. A program without threads, so
//! that every allocation counted is one of the codec.

#![allow(clippy::unwrap_used, reason = "a test may")]

use getty_hessian2::serde::Serde;
use getty_hessian2::{DecodeState, Decoder, EncodeState, Encoder};
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "com.example.User")]
struct User<'a> {
    name: &'a str,
    age: Option<i32>,
    id: i64,
    role: Role,
    home: Address<'a>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "com.example.Address")]
struct Address<'a> {
    street: &'a str,
    zip: i32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "com.example.Role")]
enum Role {
    Admin,
}

fn main() {
    a_warm_connection_allocates_nothing();
}

fn a_warm_connection_allocates_nothing() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let (mut out, mut writing, mut reading) = (Vec::new(), EncodeState::new(), DecodeState::new());
    let mut warm = 0;
    for round in 0..1_000 {
        out.clear();
        writing.begin(&out);
        let user = |id| {
            let home = Address { street: "许多往事在眼前", zip: 7 };
            Serde(User { name: "Tom", age: Some(18), id, role: Role::Admin, home })
        };
        for id in 0..2 {
            Encoder::new(&mut out, &mut writing).write(&user(id)).unwrap();
        }
        reading.reset();
        for id in 0..2 {
            assert_eq!(Decoder::new(&out, &mut reading).read::<Serde<User<'_>>>().unwrap(), user(id));
        }
        if round == 9 {
            warm = dhat::HeapStats::get().total_blocks;
        }
    }
    assert_eq!(dhat::HeapStats::get().total_blocks, warm);
}
