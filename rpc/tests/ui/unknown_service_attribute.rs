#[getty_rpc::service(interface = "com.example.Greeter", versoin = "1.0.0")]
trait Greeter {
    async fn greet(&self, name: String) -> String;
}

fn main() {}
