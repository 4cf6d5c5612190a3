//! A program that includes what is made, serves it, and calls it.
#![deny(warnings)]

include!("../../out/protos.rs");

use com::x::{Greeter, HelloReply, HelloRequest, common::Query, hello_request::r#type::Self_};
use getty_rpc::prost_types;

/// An exception.
#[derive(Debug)]
pub struct NotFound;

/// An implementation.
pub struct Hello;

impl Greeter for Hello {
    async fn say_hello(&self, request: HelloRequest) -> HelloReply {
        HelloReply { text: request.name }
    }

    async fn check(&self, _request: Self_) -> Result<(), NotFound> {
        Err(NotFound)
    }

    async fn ping(&self, _request: ()) {}

    async fn http_name(&self, request: String) -> i64 {
        i64::try_from(request.len()).unwrap()
    }

    async fn r#type(&self, _request: prost_types::Timestamp) -> prost_types::Any {
        prost_types::Any::default()
    }

    async fn find(&self, request: Query) -> com::x::common::query::Page {
        com::x::common::query::Page { hits: vec![request.text] }
    }
}

#[cfg(test)]
mod tests {
    use getty_rpc::{java::JavaType, prost::Message};

    use super::*;

    #[test]
    fn messages_travel_and_have_the_descriptors_of_their_classes() {
        let request = HelloRequest { name: "Ada".into(), ..Default::default() };
        assert_eq!(HelloRequest::decode(&*request.encode_to_vec()).unwrap(), request);
        assert_eq!(HelloRequest::DESCRIPTOR, "Lcom/x/HelloRequest;");
        assert_eq!(Self_::DESCRIPTOR, "Lcom/x/HelloRequest$Type$Self;");
        assert_eq!(Query::DESCRIPTOR, "Lorg/common/Common$Query;");
    }
}
