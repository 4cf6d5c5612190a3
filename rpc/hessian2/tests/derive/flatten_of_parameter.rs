use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(class = "com.example.Leaf")]
struct Leaf<T> {
    #[hessian(flatten)]
    base: Vec<T>,
}

fn main() {}
