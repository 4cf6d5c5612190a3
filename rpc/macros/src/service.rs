//! Owns `#[service]`: a plain trait becomes a client stub, a server dispatch and a method table. It reads the trait into a
//! [`model`], and writes code from that alone.

mod attributes;
mod client;
mod model;
mod server;

use proc_macro2::TokenStream;
use quote::quote;

use attributes::{Serialization, ServiceAttributes};
use model::ServiceModel;

/// The expansion of `#[service(attributes)] item`.
pub(crate) fn expand(attributes: TokenStream, item: TokenStream) -> TokenStream {
    let parsed = syn::parse2::<ServiceAttributes>(attributes)
        .and_then(|attributes| ServiceModel::new(attributes, syn::parse2(item)?));
    match parsed {
        Ok(service) => {
            let declaration = service.declaration();
            let client = client::stub(&service);
            let server = server::dispatch(&service);
            if service.attributes.serializations.contains(&Serialization::Protobuf) {
                // Says what to do where `getty-rpc` was built without it.
                return quote! { #declaration ::getty_rpc::derive::with_protobuf! { #client #server } };
            }
            quote! { #declaration #client #server }
        }
        Err(error) => error.into_compile_error(),
    }
}
