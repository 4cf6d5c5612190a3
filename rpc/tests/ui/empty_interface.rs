#[getty_rpc::service(interface = "")]
trait Greeter {
    async fn greet(&self, name: String) -> String;
}

fn main() {}
