use getty_hessian2::Hessian;

#[derive(Hessian)]
#[hessian(class = "com.example.BizException", exception)]
struct BizException {
    message: String,
    stack_trace: String,
}

fn main() {}
