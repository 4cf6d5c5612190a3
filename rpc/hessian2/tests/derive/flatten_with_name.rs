use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(part)]
struct Base {
    id: i32,
}

#[derive(Hessian)]
#[hessian(class = "com.example.Leaf")]
struct Leaf {
    #[hessian(flatten, rename = "parent")]
    base: Base,
}

fn main() {}
