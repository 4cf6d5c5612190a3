use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(class = "com.example.User")]
struct User {
    thread: std::thread::ThreadId,
}

fn main() {}
