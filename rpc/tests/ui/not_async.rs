#[getty_rpc::service(interface = "com.example.Greeter")]
trait Greeter {
    async fn greet(&self, name: String) -> String;
    fn part(&self, name: String) -> String;
}

fn main() {}
