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
/// | `blocking` | the method is `async fn`, and its handler must not block |
///
/// A `blocking` method is a plain `fn`; callers see no difference. On the server its handler runs on one of tokio's threads for
/// blocking work, so it may compute for long, read files or wait for locks, and holds up nobody. Code that is async is called there
/// with `tokio::runtime::Handle::current().block_on(...)`.
///
/// ```ignore
/// #[service(interface = "com.example.Thumbnails")]
/// trait Thumbnails {
///     #[method(blocking)]
///     fn shrink(&self, image: Vec<u8>, width: i32) -> Vec<u8>;
/// }
/// ```
///
/// Where the handler of an `async fn` is dropped when its caller stops waiting, nothing can stop a thread: a `blocking` handler that
/// has begun runs to its end, its answer is then not sent, and until then it counts as a running call (`Server::running`) and an
/// orderly shutdown waits for it. One that still waits for a thread at its deadline does not run. Tokio has 512 such threads
/// unless `tokio::runtime::Builder::max_blocking_threads` says otherwise; calls beyond that wait for one.
#[proc_macro_attribute]
pub fn service(attributes: TokenStream, item: TokenStream) -> TokenStream {
    service::expand(attributes.into(), item.into()).into()
}
