#[getty_rpc::service(interface = "com.example.Greeter")]
trait Greeter {
    async fn greet(&mut self, name: String) -> String;
}

fn main() {}
