use getty_rpc::service;

#[service(interface = "com.example.Greeter")]
trait NotAsync {
    async fn greet(&self, name: String) -> String;
    fn part(&self, name: String) -> String;
}

#[service(interface = "com.example.Greeter")]
trait Generic {
    async fn greet<T>(&self, name: T) -> String;
}

#[service(interface = "com.example.Greeter")]
trait WithoutSelf {
    async fn greet(name: String) -> String;
}

#[service(interface = "com.example.Greeter")]
trait WithMutSelf {
    async fn greet(&mut self, name: String) -> String;
}

fn main() {}
