use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(class = "com.example.Shape")]
enum Shape {
    Point,
    Circle { radius: f64 },
}

fn main() {}
