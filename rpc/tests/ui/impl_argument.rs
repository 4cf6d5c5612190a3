#[getty_rpc::service(interface = "com.example.Greeter")]
trait Greeter {
    async fn greet(&self, name: impl Into<String>) -> String;
}

fn main() {}
