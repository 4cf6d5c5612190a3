#[getty_rpc::service(interface = "com.example.Greeter")]
trait Greeter {
    async fn greet<T>(&self, name: T) -> String;
}

fn main() {}
