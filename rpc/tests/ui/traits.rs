use getty_rpc::service;

#[service(interface = "com.example.Greeter")]
trait Generic<T> {
    async fn greet(&self, name: T) -> String;
}

#[service(interface = "com.example.Greeter")]
trait WithSupertrait: Clone {
    async fn greet(&self, name: String) -> String;
}

#[service(interface = "com.example.Greeter")]
trait WithType {
    type Name;
    async fn greet(&self, name: String) -> String;
}

#[service(interface = "com.example.Greeter")]
struct NoTrait;

fn main() {}
