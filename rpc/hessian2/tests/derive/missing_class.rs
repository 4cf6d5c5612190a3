use getty_hessian2::Hessian;

#[derive(Hessian)]
struct User {
    name: String,
}

fn main() {}
