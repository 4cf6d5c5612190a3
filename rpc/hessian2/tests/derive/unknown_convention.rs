use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(class = "com.example.User", rename_all = "kebab-case")]
struct User {
    name: String,
}

fn main() {}
