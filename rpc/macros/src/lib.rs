//! Owns the entry points of the macros; what they do lies in the modules. It generates nothing itself.
#![forbid(unsafe_code)]

mod hessian;
mod service;

use proc_macro::TokenStream;

/// Implements `Encode`, `Decode` and `JavaType` of `getty-hessian2`. See that crate.
#[proc_macro_derive(Hessian, attributes(hessian))]
pub fn hessian(input: TokenStream) -> TokenStream {
    hessian::derive(input.into(), &quote::quote!(::getty_hessian2)).into()
}

/// As `Hessian`, for crates that depend on `getty-rpc` alone, which exports it as `Hessian`.
#[proc_macro_derive(HessianRpc, attributes(hessian))]
pub fn hessian_rpc(input: TokenStream) -> TokenStream {
    hessian::derive(input.into(), &quote::quote!(::getty_rpc::hessian2)).into()
}

/// Makes a remote service of a plain trait: a client stub `NameClient`, a server dispatch `NameServer` and the table of methods
/// that peers know it by. See `getty-rpc`.
///
/// ```ignore
/// #[service(interface = "com.example.Users", version = "1.0.0", group = "g")]
/// trait Users {
///     async fn get_user(&self, id: i64) -> Result<User, UserNotFound>;   // Java: getUser(long)
///     #[method(oneway)]
///     async fn log(&self, note: String);
///     #[method(name = "getUser", timeout_ms = 500)]                      // a Java overload
///     async fn get_user_by_name(&self, name: String) -> Option<User>;
/// }
/// ```
///
/// | attribute of a service | default |
/// |---|---|
/// | `interface = "..."` | none: it must be there |
/// | `version = "..."`, `group = "..."` | none |
/// | `serialization = "..."` | `hessian2`; `protobuf`, or both with a comma: then the stub uses the first and the server answers in both |
///
/// In `protobuf` every argument and every result is a `prost::Message`; a result may also be an `Option` of one, and an exception
/// is a `ProtobufException`.
///
/// | attribute of a method | default |
/// |---|---|
/// | `name = "..."` | the Rust name in camelCase |
/// | `descriptor = "..."` | from the declared types |
/// | `timeout_ms = n` | the client's |
/// | `oneway` | callers wait for the answer |
/// | `idempotent` | a call that may have run is not sent again |
#[proc_macro_attribute]
pub fn service(attributes: TokenStream, item: TokenStream) -> TokenStream {
    service::expand(attributes.into(), item.into()).into()
}
