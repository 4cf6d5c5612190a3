#[getty_rpc::service(interface = "com.example.Greeter")]
trait Greeter {
    async fn greet(&self, name: String) -> String;
    #[method(name = "greet")]
    async fn greet_twice(&self, name: String) -> String;
}

fn main() {}
