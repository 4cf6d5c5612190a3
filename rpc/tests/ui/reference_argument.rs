#[getty_rpc::service(interface = "com.example.Greeter")]
trait Greeter {
    async fn greet(&self, title: String, name: &str) -> String;
}

fn main() {}
