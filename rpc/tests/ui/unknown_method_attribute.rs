#[getty_rpc::service(interface = "com.example.Greeter")]
trait Greeter {
    #[method(timeout = 500)]
    async fn greet(&self, name: String) -> String;
}

fn main() {}
