use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(class = "Lcom/example/User;")]
struct User {
    name: String,
}

fn main() {}
