use getty_rpc::service;

#[service]
trait NoAttributes {
    async fn greet(&self, name: String) -> String;
}

#[service(version = "1.0.0")]
trait NoInterface {
    async fn greet(&self, name: String) -> String;
}

#[service(interface = "")]
trait EmptyInterface {
    async fn greet(&self, name: String) -> String;
}

#[service(interface = com.example.Greeter)]
trait InterfaceWithoutQuotes {
    async fn greet(&self, name: String) -> String;
}

#[service(interface = "com.example.Greeter", versoin = "1.0.0")]
trait UnknownAttribute {
    async fn greet(&self, name: String) -> String;
}

fn main() {}
