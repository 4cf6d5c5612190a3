use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(class = "com.example.Items", list)]
struct Items {
    items: Vec<i32>,
}

fn main() {}
