use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(class = "com.example.Dict", map)]
struct Dict(Vec<i32>);

fn main() {}
