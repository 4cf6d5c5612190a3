//! Owns the generics of the implementations: lifetimes borrow from the input, type parameters can be read and
//! written themselves.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, GenericParam, Generics, parse_quote};

/// Implements a trait without parameters; `bound` is what type parameters must be.
pub(super) fn plain(input: &DeriveInput, path: &TokenStream, bound: Option<&TokenStream>) -> TokenStream {
    let generics = bounded(&input.generics, bound);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let ident = &input.ident;
    quote!(impl #impl_generics #path for #ident #ty_generics #where_clause)
}

/// Implements `Decode<'de>`.
pub(super) fn decode(input: &DeriveInput, krate: &TokenStream) -> TokenStream {
    let generics = with_de(input, krate);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, ty_generics, _) = input.generics.split_for_impl();
    let ident = &input.ident;
    quote!(impl #impl_generics #krate::Decode<'de> for #ident #ty_generics #where_clause)
}

/// The type's generics and `'de`, which outlives all that is borrowed.
pub(super) fn with_de(input: &DeriveInput, krate: &TokenStream) -> Generics {
    let mut generics = bounded(&input.generics, Some(&quote!(#krate::Decode<'de>)));
    let lifetimes: Vec<_> = generics.lifetimes().map(|param| param.lifetime.clone()).collect();
    generics.params.insert(0, parse_quote!('de: #(#lifetimes)+*));
    generics
}

fn bounded(generics: &Generics, bound: Option<&TokenStream>) -> Generics {
    let mut generics = generics.clone();
    for param in &mut generics.params {
        if let (GenericParam::Type(param), Some(bound)) = (param, bound) {
            param.bounds.push(parse_quote!(#bound));
        }
    }
    generics
}
