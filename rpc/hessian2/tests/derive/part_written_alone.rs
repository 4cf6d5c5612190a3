use getty_hessian2::{EncodeState, Encoder, Hessian};

#[derive(Hessian)]
#[hessian(part)]
struct Base {
    id: i32,
}

fn main() {
    let (mut out, mut state) = (Vec::new(), EncodeState::new());
    Encoder::new(&mut out, &mut state).write(&Base { id: 1 }).unwrap();
}
