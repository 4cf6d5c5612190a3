#[getty_rpc::service(interface = "com.example.Greeter")]
struct Greeter;

fn main() {}
