use getty_rpc::service;

#[service(interface = "com.example.Greeter")]
trait Borrowed {
    async fn greet(&self, title: String, name: &str) -> String;
}

#[service(interface = "com.example.Greeter")]
trait OfNoOneType {
    async fn greet(&self, name: impl Into<String>) -> String;
}

#[service(interface = "com.example.Greeter")]
trait WithoutAName {
    async fn greet(&self, (first, last): (String, String)) -> String;
}

#[service(interface = "com.example.Greeter")]
trait TooMany {
    #[rustfmt::skip]
    async fn sum(
        &self, a: i32, b: i32, c: i32, d: i32, e: i32, f: i32, g: i32, h: i32, i: i32, j: i32, k: i32, l: i32, m: i32,
    ) -> i32;
}

fn main() {}
