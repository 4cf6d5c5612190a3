use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(class = "com.example.Color", map)]
enum Color {
    Red,
}

fn main() {}
