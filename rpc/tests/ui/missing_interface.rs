#[getty_rpc::service(version = "1.0.0")]
trait Greeter {
    async fn greet(&self, name: String) -> String;
}

fn main() {}
