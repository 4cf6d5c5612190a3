//! Owns the user: an object as services send it, of 20 fields of several kinds.

use getty_hessian2::Hessian;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize, Hessian)]
#[hessian(class = "com.example.User")]
#[serde(rename = "com.example.User", rename_all = "camelCase")]
pub(crate) struct User {
    #[prost(int64, tag = "1")]
    id: i64,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    email: String,
    #[prost(string, optional, tag = "4")]
    phone: Option<String>,
    #[prost(string, optional, tag = "5")]
    company: Option<String>,
    #[prost(string, optional, tag = "6")]
    department: Option<String>,
    #[prost(string, tag = "7")]
    country: String,
    #[prost(string, tag = "8")]
    city: String,
    #[prost(string, tag = "9")]
    street: String,
    #[prost(string, tag = "10")]
    postal_code: String,
    #[prost(int32, tag = "11")]
    age: i32,
    #[prost(int32, tag = "12")]
    level: i32,
    #[prost(int64, tag = "13")]
    points: i64,
    #[prost(double, tag = "14")]
    balance: f64,
    #[prost(double, tag = "15")]
    discount: f64,
    #[prost(bool, tag = "16")]
    active: bool,
    #[prost(bool, tag = "17")]
    verified: bool,
    #[prost(int64, tag = "18")]
    created: i64,
    #[prost(int64, tag = "19")]
    updated: i64,
    #[prost(string, repeated, tag = "20")]
    tags: Vec<String>,
}

/// The list as protobuf has it: the only field of a message.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Users {
    #[prost(message, repeated, tag = "1")]
    users: Vec<User>,
}

impl Users {
    pub(crate) fn new(users: Vec<User>) -> Self {
        Self { users }
    }
}

impl User {
    /// The user of a number: no two have the same text, and one in four has Chinese names.
    pub(crate) fn numbered(number: i32) -> Self {
        let chinese = number % 4 == 0;
        let id = 10_000_000 + i64::from(number);
        Self {
            id,
            name: if chinese { format!("王小明{number}") } else { format!("Thomas Miller {number}") },
            email: format!("user{number}@example.com"),
            phone: (number % 3 != 0).then(|| format!("+86 10 8888 {number:04}")),
            company: Some("Example Trading Ltd.".to_owned()),
            department: (number % 2 == 0).then(|| "Research and Development".to_owned()),
            country: if chinese { "中国" } else { "Germany" }.to_owned(),
            city: if chinese { "杭州市" } else { "Frankfurt am Main" }.to_owned(),
            street: format!("{number} Main Street"),
            postal_code: format!("{:05}", number * 7 % 100_000),
            age: 18 + number % 60,
            level: number % 10,
            points: i64::from(number) * 131,
            balance: f64::from(number * 1_234) / 100.0,
            discount: 0.25,
            active: number % 5 != 0,
            verified: number % 7 != 0,
            created: 1_700_000_000_000 + i64::from(number) * 86_400_123,
            updated: 1_760_000_000_000 + i64::from(number) * 3_600_321,
            tags: vec!["customer".to_owned(), format!("group-{}", number % 17)],
        }
    }
}
