use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(part)]
struct Base {
    name: String,
}

#[derive(Hessian)]
#[hessian(class = "com.example.Leaf")]
struct Leaf {
    #[hessian(flatten)]
    base: Base,
    name: String,
}

fn main() {}
