use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(class = "com.example.User")]
struct User {
    user_name: String,
    #[hessian(rename = "userName")]
    alias: String,
}

fn main() {}
