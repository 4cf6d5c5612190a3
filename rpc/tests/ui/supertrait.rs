#[getty_rpc::service(interface = "com.example.Greeter")]
trait Greeter: Clone {
    async fn greet(&self, name: String) -> String;
}

fn main() {}
