//! A service of a `.proto` file, served and called in one process: `cargo run --features protobuf --bin protobuf`.
//!
//! `build.rs` makes the messages and the trait of `proto/greeter.proto`, without `protoc`. Java reaches the same service with its
//! extension `dubbo-serialization-protobuf`.

use std::fmt;

use getty_rpc::{Client, ProtobufException, Server};

use greeter::{Greeter, GreeterClient, GreeterServer, HelloReply, HelloRequest, Language};

#[allow(unreachable_pub, missing_docs, reason = "made from the .proto file, for crates that export it")]
mod greeter {
    getty_rpc::include_proto!("com.example.greeter");
}

/// A Java exception in protobuf: its class and its text travel.
#[derive(Debug)]
struct Nobody(String);

impl ProtobufException for Nobody {
    const CLASS: &'static str = "com.example.greeter.NobodyException";

    fn from_message(message: String) -> Self {
        Self(message)
    }
}

impl fmt::Display for Nobody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Nobody {}

struct Polite;

impl Greeter for Polite {
    async fn say_hello(&self, request: HelloRequest) -> Result<HelloReply, Nobody> {
        let name = &request.name;
        if name.is_empty() {
            return Err(Nobody("there is nobody to greet".to_owned()));
        }
        let text = match request.language() {
            Language::English => format!("Hello, {name}!"),
            Language::German => format!("Guten Tag, {name}!"),
            Language::Chinese => format!("你好，{name}！"),
        };
        Ok(HelloReply { text })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::bind("127.0.0.1:0").await?.service(GreeterServer::new(Polite));
    let address = server.local_addr().ok_or("no address")?.to_string();
    tokio::spawn(server.serve());

    let greeter: GreeterClient = Client::direct(&address)?.refer();
    for (name, language) in
        [("world", Language::English), ("Welt", Language::German), ("世界", Language::Chinese)]
    {
        let request = HelloRequest { name: name.to_owned(), language: language.into() };
        match greeter.say_hello(&request).await? {
            Ok(reply) => println!("{}", reply.text),
            Err(nobody) => return Err(nobody.into()),
        }
    }
    match greeter.say_hello(HelloRequest::default()).await? {
        Ok(reply) => Err(format!("nobody was greeted with {:?}", reply.text).into()),
        Err(nobody) => {
            println!("refused: {nobody}");
            Ok(())
        }
    }
}
