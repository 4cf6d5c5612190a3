use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(class = "com.example.User")]
struct User {
    #[hessian(name = "userName")]
    name: String,
}

fn main() {}
