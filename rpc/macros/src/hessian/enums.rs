//! Owns enums: an object with the one field `name`, as Java writes constants.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DataEnum, DeriveInput, Error, Fields, Ident, Result, Variant};

use super::attributes::{self, Container};
use super::definition;
use super::generics;
use super::names::Case;
use super::structs;

struct Constant<'a> {
    ident: &'a Ident,
    wire: String,
}

pub(super) fn expand(
    input: &DeriveInput,
    container: &Container,
    data: &DataEnum,
    krate: &TokenStream,
) -> Result<TokenStream> {
    if let Some(span) = container.exception {
        return Err(Error::new(span, "an exception is a struct"));
    }
    container.check_object("an enum constant")?;
    let (constants, other) = constants(container, data)?;
    let class_name = container.class()?;
    let class = definition::class(class_name, &["name".to_owned()], krate);
    let encode = generics::plain(input, &quote!(#krate::Encode), Some(&quote!(#krate::Encode)));
    let decode = generics::decode(input, krate);
    let java = structs::java_type(input, class_name, krate);
    let to_wire = constants.iter().map(|Constant { ident, wire }| quote!(Self::#ident => #wire,));
    let from_wire = constants
        .iter()
        .map(|Constant { ident, wire }| quote!(#wire => ::core::result::Result::Ok(Self::#ident),));
    let other_to_wire = other.map(|ident| quote!(Self::#ident(name) => name.as_ref(),));
    let unknown = match other {
        Some(ident) => quote!(name => ::core::result::Result::Ok(Self::#ident(name.into()))),
        None => quote!(name => ::core::result::Result::Err(d.unknown_constant(#class_name, name))),
    };
    Ok(quote! {
        #[automatically_derived]
        #encode {
            fn encode_to<S: #krate::Sink>(&self, e: &mut #krate::Encoder<'_, S>) -> #krate::Result<()> {
                static CLASS: #krate::Class = #class;
                let name: &str = match self {
                    #(#to_wire)*
                    #other_to_wire
                };
                e.object(&CLASS)?;
                e.str(name);
                e.end_object();
                ::core::result::Result::Ok(())
            }
        }

        #[automatically_derived]
        #decode {
            fn decode_from(d: &mut #krate::Decoder<'de, '_>) -> #krate::Result<Self> {
                let constant = d.constant()?;
                match &*constant {
                    #(#from_wire)*
                    #unknown
                }
            }
        }

        #java
    })
}

/// The constants, and the variant that takes all others.
fn constants<'a>(
    container: &Container,
    data: &'a DataEnum,
) -> Result<(Vec<Constant<'a>>, Option<&'a Ident>)> {
    let case = container.rename_all.unwrap_or(Case::ScreamingSnake);
    let mut constants: Vec<Constant<'_>> = Vec::new();
    let mut other = None;
    for variant in &data.variants {
        let attributes = attributes::variant(variant)?;
        let ident = &variant.ident;
        if let Some(span) = attributes.other {
            if other.replace(ident).is_some() {
                return Err(Error::new(span, "only one variant can take the unknown constants"));
            }
            check_other(variant)?;
            continue;
        }
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new_spanned(
                &variant.fields,
                "a Java enum constant has no fields; for unknown constants mark one variant #[hessian(other)]",
            ));
        }
        let wire = attributes.rename.unwrap_or_else(|| case.apply(ident));
        if constants.iter().any(|constant| constant.wire == wire) {
            return Err(Error::new_spanned(ident, format!("two variants are named `{wire}` on the wire")));
        }
        constants.push(Constant { ident, wire });
    }
    if constants.is_empty() && other.is_none() {
        return Err(Error::new_spanned(&data.variants, "an enum without variants has no values"));
    }
    Ok((constants, other))
}

fn check_other(variant: &Variant) -> Result<()> {
    match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Ok(()),
        _ => Err(Error::new_spanned(
            variant,
            "the variant for unknown constants holds their name: Other(String)",
        )),
    }
}
