//! Owns `#[derive(Hessian)]`: from a struct or enum to `Encode`, `Decode` and `JavaType`. It never looks at types
//! beyond the item itself.

mod attributes;
mod definition;
mod enums;
mod exceptions;
mod generics;
mod names;
mod newtypes;
mod parts;
mod structs;

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput, Error, Fields, Result};

/// The implementations, or the error as code. `krate` is the path of `getty-hessian2`.
pub(crate) fn derive(input: TokenStream, krate: &TokenStream) -> TokenStream {
    expand(input, krate).unwrap_or_else(Error::into_compile_error)
}

fn expand(input: TokenStream, krate: &TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(input)?;
    let container = attributes::container(&input)?;
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if container.exception.is_some() => {
                exceptions::expand(&input, &container, &fields.named, krate)
            }
            Fields::Named(fields) => structs::expand(&input, &container, &fields.named, krate),
            Fields::Unit => structs::expand(&input, &container, &Default::default(), krate),
            Fields::Unnamed(fields) => newtypes::expand(&input, &container, fields, krate),
        },
        Data::Enum(data) => enums::expand(&input, &container, data, krate),
        Data::Union(data) => {
            Err(Error::new_spanned(data.union_token, "a union has no form in Java: use a struct or an enum"))
        }
    }
}
