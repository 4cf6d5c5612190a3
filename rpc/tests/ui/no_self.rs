#[getty_rpc::service(interface = "com.example.Greeter")]
trait Greeter {
    async fn greet(name: String) -> String;
}

fn main() {}
