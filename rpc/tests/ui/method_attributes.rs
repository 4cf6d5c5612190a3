use getty_rpc::service;

#[service(interface = "com.example.Greeter")]
trait UnknownAttribute {
    #[method(timeout = 500)]
    async fn greet(&self, name: String) -> String;
}

#[service(interface = "com.example.Greeter")]
trait ZeroTimeout {
    #[method(timeout_ms = 0)]
    async fn greet(&self, name: String) -> String;
}

#[service(interface = "com.example.Greeter")]
trait OneWayWithAnAnswer {
    #[method(oneway)]
    async fn greet(&self, name: String) -> String;
}

#[service(interface = "com.example.Greeter")]
trait OneWayWithAnException {
    #[method(oneway)]
    async fn greet(&self, name: String) -> Result<(), getty_rpc::Throwable>;
}

#[service(interface = "com.example.Greeter")]
trait BlockingAndAsync {
    #[method(blocking)]
    async fn greet(&self, name: String) -> String;
}

#[service(interface = "com.example.Greeter")]
trait OneWayAndBlockingWithAnAnswer {
    #[method(oneway, blocking)]
    fn greet(&self, name: String) -> String;
}

fn main() {}
