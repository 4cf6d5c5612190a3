//! Owns structs that hold the fields of others as their own, and structs that can be held so: the way from Java's
//! parent classes to Rust's fields. The names of all are joined when the program is compiled.

use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::{DeriveInput, Error, Result};

use super::attributes::Container;
use super::generics;
use super::structs::{self, Member, Place, Read};

pub(super) fn expand(
    input: &DeriveInput,
    container: &Container,
    members: &[Member<'_>],
    krate: &TokenStream,
) -> Result<TokenStream> {
    for member in members.iter().filter(|member| member.attributes.flatten.is_some()) {
        check_type(input, member)?;
    }
    let fields: Vec<Flat<'_>> = members.iter().map(|member| Flat::new(member, krate)).collect();
    let lens = fields.iter().map(|field| &field.len);
    let names = fields.iter().map(|field| &field.names);
    let writes = fields.iter().filter_map(|field| field.write(krate));
    let part = generics::plain(input, &quote!(#krate::derive::Part), None);
    let write = generics::plain(input, &quote!(#krate::derive::WritePart), Some(&quote!(#krate::Encode)));
    let read = read(input, &fields, krate);
    let class =
        if container.is_class() { class(input, container.class()?, krate) } else { TokenStream::new() };
    Ok(quote! {
        const _: () = {
            const COUNT: usize = 0 #(+ #lens)*;
            const NAMES: [&str; COUNT] = #krate::derive::join(&[#(#names),*]);
            static ALL: [&str; COUNT] = NAMES;

            #[automatically_derived]
            #part {
                const NAMES: &'static [&'static str] = &ALL;
            }

            #[automatically_derived]
            #write {
                fn write_fields<S: #krate::Sink>(
                    &self,
                    e: &mut #krate::Encoder<'_, S>,
                ) -> #krate::Result<()> {
                    #(#writes)*
                    ::core::result::Result::Ok(())
                }
            }

            #read
            #class
        };
    })
}

/// A field with what it takes of the joined names.
struct Flat<'a> {
    member: &'a Member<'a>,
    /// Its number of names, as an expression.
    len: TokenStream,
    /// Its names, as an expression.
    names: TokenStream,
}

impl<'a> Flat<'a> {
    fn new(member: &'a Member<'a>, krate: &TokenStream) -> Self {
        let wire = &member.wire;
        let (len, names) = match member.attributes {
            _ if member.attributes.skip => (quote!(0), quote!(&[])),
            _ if member.attributes.flatten.is_some() => {
                let ty = static_lifetimes(member);
                let span = member.span();
                let names = quote_spanned!(span=> <#ty as #krate::derive::Part>::NAMES);
                (quote!(#names.len()), names)
            }
            _ => (quote!(1), quote!(&[#wire])),
        };
        Self { member, len, names }
    }

    fn is_part(&self) -> bool {
        self.member.attributes.flatten.is_some()
    }

    fn write(&self, krate: &TokenStream) -> Option<TokenStream> {
        let ident = self.member.ident;
        let span = self.member.span();
        match self.member.attributes.skip {
            true => None,
            false if self.is_part() => {
                Some(quote_spanned!(span=> #krate::derive::WritePart::write_fields(&self.#ident, e)?;))
            }
            false => Some(structs::write(self.member, krate)),
        }
    }
}

/// Places of the fields, and reading into them.
fn read(input: &DeriveInput, fields: &[Flat<'_>], krate: &TokenStream) -> TokenStream {
    let (mut types, mut empty, mut starts, mut arms, mut values) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut start = quote!(0);
    for (index, field) in fields.iter().enumerate() {
        let ident = field.member.ident;
        let ty = &field.member.field.ty;
        let read = Read::of(field.member);
        if read == Read::Skipped {
            values.push(quote!(#ident: ::core::default::Default::default()));
            continue;
        }
        let (first, len) = (format_ident!("FIRST_{index}"), &field.len);
        starts.push(quote!(const #first: usize = #start;));
        start = quote!(#first + #len);
        let number = Literal::usize_unsuffixed(types.len());
        let at = quote!(places.#number);
        let span = field.member.span();
        if field.is_part() {
            types.push(quote!(<#ty as #krate::derive::ReadPart<'de>>::Places));
            empty.push(quote!(<#ty as #krate::derive::ReadPart<'de>>::places()));
            arms.push(quote_spanned! {span=>
                part if (#first..#first + #len).contains(&part) => {
                    <#ty as #krate::derive::ReadPart<'de>>::read_field(d, &mut #at, part - #first)
                }
            });
            values.push(quote!(#ident: <#ty as #krate::derive::ReadPart<'de>>::build(#at)?));
        } else {
            let name = &field.member.wire;
            let Place { ty, method, value } = structs::place(field.member, read, name, &at, krate);
            types.push(ty);
            empty.push(quote!(::core::option::Option::None));
            arms.push(quote_spanned!(span=> #first => d.#method(&mut #at, #name),));
            values.push(quote!(#ident: #value));
        }
    }
    let ident = &input.ident;
    let (_, self_generics, _) = input.generics.split_for_impl();
    let generics = generics::with_de(input, krate);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #(#starts)*

        #[doc(hidden)]
        #[allow(missing_debug_implementations, unreachable_pub, reason = "reachable through the trait alone")]
        pub struct Places #impl_generics (
            #(#types,)*
            ::core::marker::PhantomData<(&'de (), fn() -> #ident #self_generics)>,
        ) #where_clause;

        #[automatically_derived]
        impl #impl_generics #krate::derive::ReadPart<'de> for #ident #self_generics #where_clause {
            type Places = Places #ty_generics;

            fn places() -> Self::Places {
                Places(#(#empty,)* ::core::marker::PhantomData)
            }

            fn read_field(
                d: &mut #krate::Decoder<'de, '_>,
                places: &mut Self::Places,
                field: usize,
            ) -> #krate::Result<()> {
                match field {
                    #(#arms)*
                    _ => d.skip(),
                }
            }

            fn build(places: Self::Places) -> #krate::Result<Self> {
                ::core::result::Result::Ok(Self { #(#values),* })
            }
        }
    }
}

/// What makes a part a class of its own.
fn class(input: &DeriveInput, class: &str, krate: &TokenStream) -> TokenStream {
    let encode = generics::plain(input, &quote!(#krate::Encode), Some(&quote!(#krate::Encode)));
    let decode = generics::decode(input, krate);
    let java = structs::java_type(input, class, krate);
    quote! {
        static CLASS: #krate::Class = {
            const DEFINITION: [u8; #krate::derive::definition_len(#class, &NAMES)] =
                #krate::derive::definition(#class, &NAMES);
            #krate::Class::with_definition(#class, &ALL, &DEFINITION)
        };

        #[automatically_derived]
        #encode {
            fn encode_to<S: #krate::Sink>(&self, e: &mut #krate::Encoder<'_, S>) -> #krate::Result<()> {
                e.object(&CLASS)?;
                #krate::derive::WritePart::write_fields(self, e)?;
                e.end_object();
                ::core::result::Result::Ok(())
            }
        }

        #[automatically_derived]
        #decode {
            fn decode_from(d: &mut #krate::Decoder<'de, '_>) -> #krate::Result<Self> {
                #krate::derive::read_parts(d)
            }
        }

        #java
    }
}

/// The names of a part must be known without the parameters of the struct.
fn check_type(input: &DeriveInput, member: &Member<'_>) -> Result<()> {
    let parameters: Vec<&Ident> = input
        .generics
        .type_params()
        .map(|param| &param.ident)
        .chain(input.generics.const_params().map(|param| &param.ident))
        .collect();
    let ty = &member.field.ty;
    if names_any(quote!(#ty), &parameters) {
        let message =
            "a flattened type cannot depend on type parameters: its fields belong to one Java class";
        return Err(Error::new_spanned(ty, message));
    }
    Ok(())
}

fn names_any(tokens: TokenStream, parameters: &[&Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => parameters.iter().any(|parameter| ident == **parameter),
        TokenTree::Group(group) => names_any(group.stream(), parameters),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// The field's type with `'static` for each lifetime: the names are the same for all.
fn static_lifetimes(member: &Member<'_>) -> TokenStream {
    let ty = &member.field.ty;
    let mut after_quote = false;
    let replaced = quote!(#ty).into_iter().map(|token| match token {
        TokenTree::Ident(ident) if std::mem::replace(&mut after_quote, false) => {
            TokenTree::Ident(Ident::new("static", ident.span()))
        }
        other => {
            after_quote = matches!(&other, TokenTree::Punct(punct) if punct.as_char() == '\'');
            other
        }
    });
    replaced.collect()
}
