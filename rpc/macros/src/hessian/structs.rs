//! Owns structs: an object of one class, written in the order of declaration, read by name.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{DeriveInput, Error, Field, Ident, Result, Token, Type, TypePath};

use super::attributes::{self, Container, FieldAttributes, Form};
use super::definition;
use super::generics;
use super::names::Case;
use super::parts;

/// A field with what its attributes say.
pub(super) struct Member<'a> {
    pub(super) field: &'a Field,
    pub(super) ident: &'a Ident,
    pub(super) wire: String,
    pub(super) attributes: FieldAttributes,
}

pub(super) fn expand(
    input: &DeriveInput,
    container: &Container,
    fields: &Punctuated<Field, Token![,]>,
    krate: &TokenStream,
) -> Result<TokenStream> {
    let members = members(container, fields)?;
    if let Some(span) = members.iter().find_map(|member| member.attributes.message) {
        return Err(Error::new(
            span,
            "`message` is for exceptions: add `exception` to the struct's attributes",
        ));
    }
    let flatten = members.iter().find_map(|member| member.attributes.flatten);
    let head = match container.form {
        Form::List(span) => {
            let message = "a list has items and no fields: write a struct around one, Name(Vec<Item>)";
            return Err(Error::new(span, message));
        }
        Form::Map(span) if flatten.or(container.part).is_some() => {
            return Err(Error::new(
                span,
                "the keys of a `map` are its own fields: it has no parts and is none",
            ));
        }
        Form::Object if flatten.or(container.part).is_some() => {
            return parts::expand(input, container, &members, krate);
        }
        form => form,
    };
    let class_name = container.class()?;
    let written: Vec<&Member<'_>> = members.iter().filter(|member| !member.attributes.skip).collect();
    let names: Vec<String> = written.iter().map(|member| member.wire.clone()).collect();
    let writes = match head {
        Form::Map(_) => map_writes(class_name, &written, krate),
        _ => object_writes(class_name, &written, &names, krate),
    };
    let encode = generics::plain(input, &quote!(#krate::Encode), Some(&quote!(#krate::Encode)));
    let body = read_body(&members, &names, krate, Read::of);
    let decode = generics::decode(input, krate);
    let java = java_type(input, class_name, krate);
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
                #body
            }
        }

        #java
    })
}

fn object_writes(
    class_name: &str,
    written: &[&Member<'_>],
    names: &[String],
    krate: &TokenStream,
) -> TokenStream {
    let class = definition::class(class_name, names, krate);
    let writes = written.iter().map(|member| write(member, krate));
    quote! {
        static CLASS: #krate::Class = #class;
        e.object(&CLASS)?;
        #(#writes)*
        e.end_object();
    }
}

fn map_writes(class_name: &str, written: &[&Member<'_>], krate: &TokenStream) -> TokenStream {
    let writes = written.iter().map(|member| {
        let (wire, write) = (&member.wire, write(member, krate));
        quote! {
            e.str(#wire);
            #write
        }
    });
    quote! {
        e.map(::core::option::Option::Some(#class_name))?;
        #(#writes)*
        e.end_map();
    }
}

/// Fields with their names on the wire, each of which may be there once.
pub(super) fn members<'a>(
    container: &Container,
    fields: &'a Punctuated<Field, Token![,]>,
) -> Result<Vec<Member<'a>>> {
    let case = container.rename_all.unwrap_or(Case::Camel);
    let mut seen = HashSet::new();
    let mut members = Vec::new();
    for field in fields {
        let Some(ident) = &field.ident else { continue };
        let attributes = attributes::field(field)?;
        let wire = attributes.rename.clone().unwrap_or_else(|| case.apply(ident));
        if !attributes.skip && attributes.flatten.is_none() && !seen.insert(wire.clone()) {
            return Err(Error::new_spanned(ident, format!("two fields are named `{wire}` on the wire")));
        }
        members.push(Member { field, ident, wire, attributes });
    }
    Ok(members)
}

/// Writes one field.
pub(super) fn write(member: &Member<'_>, krate: &TokenStream) -> TokenStream {
    let Member { ident, wire, .. } = member;
    quote_spanned! {member.span()=>
        #krate::Encode::encode_to(&self.#ident, e).map_err(|error| error.in_field(#wire))?;
    }
}

impl Member<'_> {
    /// The place of the field's type, so that an error about the type points there.
    pub(super) fn span(&self) -> Span {
        self.field.ty.span().resolved_at(Span::call_site())
    }
}

/// How a field is read, and what it is when it is absent.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Read {
    /// What the type says.
    Required,
    OrDefault,
    /// The field is an `Option`, and so its own place.
    Optional,
    /// As `Optional`, with a reference to the exception itself as `None`.
    Cause,
    Skipped,
}

impl Read {
    pub(super) fn of(member: &Member<'_>) -> Self {
        match &member.attributes {
            FieldAttributes { skip: true, .. } => Self::Skipped,
            _ if is_option(&member.field.ty) => Self::Optional,
            FieldAttributes { default: true, .. } => Self::OrDefault,
            _ => Self::Required,
        }
    }
}

/// Whether a type is spelled as the standard `Option`. One that is not spelled so is read right as well, only with
/// one more check.
pub(super) fn is_option(ty: &Type) -> bool {
    let Type::Path(TypePath { qself: None, path, .. }) = ty else { return false };
    let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    match segments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["Option"] => path.leading_colon.is_none(),
        ["std" | "core", "option", "Option"] => true,
        _ => false,
    }
}

/// Where a field is kept until the object is read.
pub(super) struct Place {
    pub(super) ty: TokenStream,
    /// The decoder's method that fills it.
    pub(super) method: TokenStream,
    /// The field's value, once all are read.
    pub(super) value: TokenStream,
}

/// The place of a field that is `at` in the code.
pub(super) fn place(
    member: &Member<'_>,
    read: Read,
    name: &str,
    at: &TokenStream,
    krate: &TokenStream,
) -> Place {
    let ty = &member.field.ty;
    let option = quote!(::core::option::Option<#ty>);
    match read {
        Read::OrDefault => {
            Place { ty: option, method: quote!(field_or_null), value: quote!(#at.unwrap_or_default()) }
        }
        Read::Optional => Place { ty: quote!(#ty), method: quote!(field_or_null), value: quote!(#at) },
        Read::Cause => Place { ty: quote!(#ty), method: quote!(cause), value: quote!(#at) },
        Read::Required | Read::Skipped => {
            let value = quote!(#krate::derive::required(#at, #name)?);
            Place { ty: option, method: quote!(field), value }
        }
    }
}

/// Reads an object; `names` are those of the members that are not skipped.
pub(super) fn read_body(
    members: &[Member<'_>],
    names: &[String],
    krate: &TokenStream,
    how: impl Fn(&Member<'_>) -> Read,
) -> TokenStream {
    let count = names.len();
    let (mut places, mut arms, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for member in members {
        let ident = member.ident;
        let read = how(member);
        if read == Read::Skipped {
            values.push(quote!(#ident: ::core::default::Default::default()));
            continue;
        }
        let index = places.len();
        let name = &names[index];
        let at = format_ident!("field_{index}");
        let Place { ty, method, value } = place(member, read, name, &quote!(#at), krate);
        places.push(quote!(let mut #at: #ty = ::core::option::Option::None;));
        let span = member.span();
        arms.push(quote_spanned!(span=> #index => d.#method(&mut #at, #name)?,));
        values.push(quote!(#ident: #value));
    }
    quote! {
        static NAMES: [&str; #count] = [#(#names),*];
        let mut object = d.object(&NAMES)?;
        #(#places)*
        while let ::core::option::Option::Some(field) = d.next_field(&mut object)? {
            match field {
                #(#arms)*
                _ => d.skip()?,
            }
        }
        ::core::result::Result::Ok(Self { #(#values),* })
    }
}

/// The descriptor of the class.
pub(super) fn java_type(input: &DeriveInput, class: &str, krate: &TokenStream) -> TokenStream {
    let descriptor = definition::descriptor(class);
    let java = generics::plain(input, &quote!(#krate::JavaType), None);
    quote! {
        #[automatically_derived]
        #java {
            const DESCRIPTOR: &'static str = #descriptor;
        }
    }
}
