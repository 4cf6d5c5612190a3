#[getty_rpc::service]
trait Greeter {
    async fn greet(&self, name: String) -> String;
}

fn main() {}
