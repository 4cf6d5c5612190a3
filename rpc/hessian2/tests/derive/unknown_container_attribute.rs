use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(class = "com.example.User", rename = "User")]
struct User {
    name: String,
}

fn main() {}
