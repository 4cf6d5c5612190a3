//! Reading and writing bodies of a connection allocates nothing once it is warm.
#![allow(clippy::unwrap_used, reason = "a test may")]

use getty_hessian2::{DecodeState, Decoder, EncodeState, Encoder, Hessian};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

#[derive(Hessian)]
#[hessian(class = "com.example.User")]
struct User<'a> {
    name: &'a str,
    age: Option<i32>,
    id: i64,
    role: Role,
    photo: &'a [u8],
}

#[derive(Hessian)]
#[hessian(class = "com.example.Role")]
enum Role {
    Admin,
}

fn write(out: &mut Vec<u8>, state: &mut EncodeState) {
    out.clear();
    state.begin(out);
    let mut e = Encoder::new(out, state);
    for text in ["2.0.2", "com.example.UserService", "0.0.0", "getUser", "Lcom/example/User;"] {
        e.str(text);
    }
    for id in 0..2 {
        let photo = &[1, 2, 3];
        e.write(&User { name: "许多往事在眼前", age: Some(18), id, role: Role::Admin, photo }).unwrap();
    }
    e.map(None).unwrap();
    for text in ["path", "com.example.UserService", "version", "0.0.0"] {
        e.str(text);
    }
    e.end_map();
}

fn read(body: &[u8], state: &mut DecodeState) {
    state.reset();
    for _ in 0..5 {
        Decoder::new(body, state).str().unwrap();
    }
    let mut d = Decoder::new(body, state);
    let arguments = d.mark();
    d.skip().unwrap();
    d.skip().unwrap();
    let mut attachments = d.map().unwrap();
    while d.next_key::<&str>(&mut attachments).unwrap().is_some() {
        d.skip().unwrap();
    }
    d.end().unwrap();
    d.rewind(arguments);
    for id in 0..2 {
        assert_eq!(d.read::<User<'_>>().unwrap().id, id);
    }
}

fn main() {
    a_warm_connection_allocates_nothing();
}

fn a_warm_connection_allocates_nothing() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let (mut out, mut writing, mut reading) = (Vec::new(), EncodeState::new(), DecodeState::new());
    let mut warm = 0;
    for round in 0..1_000 {
        write(&mut out, &mut writing);
        read(&out, &mut reading);
        if round == 9 {
            warm = dhat::HeapStats::get().total_blocks;
        }
    }
    assert_eq!(dhat::HeapStats::get().total_blocks, warm);
}
