#[getty_rpc::service(interface = "com.example.Greeter")]
trait Greeter<T> {
    async fn greet(&self, name: T) -> String;
}

fn main() {}
