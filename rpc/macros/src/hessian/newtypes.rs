//! Owns structs around one collection: a list or map with Java's name of its class.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, FieldsUnnamed, Result, parse_quote};

use super::attributes::{Container, Form};
use super::generics;
use super::structs;

pub(super) fn expand(
    input: &DeriveInput,
    container: &Container,
    fields: &FieldsUnnamed,
    krate: &TokenStream,
) -> Result<TokenStream> {
    let mut one = fields.unnamed.iter();
    let (Some(field), None, Form::Map(_) | Form::List(_)) = (one.next(), one.next(), container.form) else {
        return Err(Error::new_spanned(
            fields,
            "a Java class has named fields: give the fields names, or implement Encode and Decode by hand",
        ));
    };
    if let Some(span) = container.exception.or(container.part) {
        return Err(Error::new(span, "a list or map has no fields: it is neither an exception nor a part"));
    }
    let class = container.class()?;
    let writes = match container.form {
        Form::List(_) => quote! {
            e.list_of(#class, self.0.len())?;
            for (index, item) in self.0.iter().enumerate() {
                #krate::Encode::encode_to(item, e).map_err(|error| error.in_item(index))?;
            }
            e.end_list();
        },
        _ => quote! {
            e.map(::core::option::Option::Some(#class))?;
            for (index, (key, value)) in self.0.iter().enumerate() {
                #krate::Encode::encode_to(key, e).map_err(|error| error.in_item(index))?;
                #krate::Encode::encode_to(value, e).map_err(|error| error.in_item(index))?;
            }
            e.end_map();
        },
    };
    let encode = generics::plain(input, &quote!(#krate::Encode), Some(&quote!(#krate::Encode)));
    let mut readable = input.clone();
    if input.generics.type_params().next().is_some() {
        // What the collection asks of its items, such as Ord, is only known to the collection.
        let ty = &field.ty;
        readable.generics.make_where_clause().predicates.push(parse_quote!(#ty: #krate::Decode<'de>));
    }
    let decode = generics::decode(&readable, krate);
    let java = structs::java_type(input, class, krate);
    Ok(quote! {
        #[automatically_derived]
        #encode {
            fn encode_to<S: #krate::Sink>(&self, e: &mut #krate::Encoder<'_, S>) -> #krate::Result<()> {
                #writes
                ::core::result::Result::Ok(())
            }
        }

        #[automatically_derived]
        #decode {
            fn decode_from(d: &mut #krate::Decoder<'de, '_>) -> #krate::Result<Self> {
                #krate::Decode::decode_from(d).map(Self)
            }

            fn absent(field: &'static str) -> #krate::Result<Self> {
                #krate::Decode::absent(field).map(Self)
            }
        }

        #java
    })
}
