use getty_hessian2::{Hessian, to_vec};

#[derive(Hessian)]
#[hessian(part)]
struct Base {
    id: i32,
}

fn main() {
    to_vec(&Base { id: 1 }).unwrap();
}
