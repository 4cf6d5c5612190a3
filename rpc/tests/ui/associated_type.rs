#[getty_rpc::service(interface = "com.example.Greeter")]
trait Greeter {
    type Name;
    async fn greet(&self, name: String) -> String;
}

fn main() {}
