#[getty_rpc::service(interface = "com.example.Greeter")]
trait Greeter {
    #[method(oneway)]
    async fn greet(&self, name: String) -> String;
}

fn main() {}
