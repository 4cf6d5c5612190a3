use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(class = "com.example.Sum")]
struct Sum {
    total: i128,
}

fn main() {}
