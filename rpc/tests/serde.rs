//! Types of serde as arguments and results of a service.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use getty_rpc::hessian2::serde::Serde;
use getty_rpc::{Client, Server, service};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "com.example.User")]
struct User {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<i32>,
}

#[service(interface = "com.example.Users")]
trait Users {
    #[method(descriptor = "Lcom/example/User;I")]
    async fn older(&self, user: Serde<User>, years: i32) -> Serde<User>;
    async fn names(&self, users: Vec<Serde<User>>) -> Vec<String>;
    async fn find(&self, name: String) -> Option<Serde<User>>;
}

struct Known;

impl Users for Known {
    async fn older(&self, Serde(user): Serde<User>, years: i32) -> Serde<User> {
        Serde(User { age: Some(user.age.unwrap_or(0) + years), ..user })
    }

    async fn names(&self, users: Vec<Serde<User>>) -> Vec<String> {
        users.into_iter().map(|user| user.0.name).collect()
    }

    async fn find(&self, name: String) -> Option<Serde<User>> {
        (name == "Ada").then_some(Serde(User { name, age: None }))
    }
}

#[tokio::test]
async fn arguments_and_results_of_a_service_may_be_types_of_serde() {
    let server = Server::bind("127.0.0.1:0").await.unwrap().service(UsersServer::new(Known));
    let address = server.local_addr().unwrap().to_string();
    tokio::spawn(server.serve());
    let users: UsersClient = Client::direct(&address).unwrap().refer();
    let ada = User { name: "Ada".into(), age: None };
    // Several calls: the connection's states learn the class from the first.
    for years in [1, 2, 3] {
        let older = users.older(Serde(ada.clone()), years).await.unwrap();
        assert_eq!(older.0, User { age: Some(years), ..ada.clone() });
    }
    let names = users.names(vec![Serde(ada.clone()), Serde(User { age: Some(1), ..ada.clone() })]).await;
    assert_eq!(names.unwrap(), ["Ada", "Ada"]);
    assert_eq!(users.find("Ada").await.unwrap(), Some(Serde(ada)));
    assert_eq!(users.find("Bob").await.unwrap(), None);
}
