struct User;

#[getty_rpc::service(interface = "com.example.Greeter")]
trait Greeter {
    async fn greet(&self, name: String, user: User) -> String;
    async fn find(&self, name: String) -> Option<User>;
}

fn main() {}
