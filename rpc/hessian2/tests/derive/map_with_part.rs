use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(part)]
struct Base {
    id: i32,
}

#[derive(Hessian)]
#[hessian(class = "com.example.Dict", map)]
struct Dict {
    #[hessian(flatten)]
    base: Base,
}

fn main() {}
