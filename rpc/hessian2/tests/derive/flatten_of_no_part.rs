use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(class = "com.example.Base")]
struct Base {
    id: i32,
}

#[derive(Hessian)]
#[hessian(class = "com.example.Leaf")]
struct Leaf {
    #[hessian(flatten)]
    base: Base,
    name: String,
}

fn main() {}
