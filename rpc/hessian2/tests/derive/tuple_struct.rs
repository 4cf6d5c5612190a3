use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(class = "com.example.Pair")]
struct Pair(i32, i32);

fn main() {}
