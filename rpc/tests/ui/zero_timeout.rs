#[getty_rpc::service(interface = "com.example.Greeter")]
trait Greeter {
    #[method(timeout_ms = 0)]
    async fn greet(&self, name: String) -> String;
}

fn main() {}
