#[getty_rpc::service(interface = "com.example.Greeter")]
trait Greeter {
    async fn greet(&self, (first, last): (String, String)) -> String;
}

fn main() {}
