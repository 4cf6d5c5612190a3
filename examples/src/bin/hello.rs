//! The smallest server and client, in one process.

use getty_rpc::{Client, Server, service};

#[service(interface = "com.example.Greeter")]
trait Greeter {
    async fn greet(&self, name: String) -> String;
}

struct Hello;

impl Greeter for Hello {
    async fn greet(&self, name: String) -> String {
        format!("Hello, {name}!")
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::bind("127.0.0.1:0").await?.service(GreeterServer::new(Hello));
    let address = server.local_addr().ok_or("no address")?.to_string();
    tokio::spawn(server.serve());

    let greeter: GreeterClient = Client::direct(&address)?.refer();
    println!("{}", greeter.greet("world").await?);
    Ok(())
}
