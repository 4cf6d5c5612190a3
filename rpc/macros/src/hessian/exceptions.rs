//! Owns structs that are Java exceptions: the four fields of `Throwable` first, then their own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{DeriveInput, Error, Field, Result, Token};

use super::attributes::Container;
use super::definition;
use super::generics;
use super::structs::{self, Member, Read};

/// Fields of `java.lang.Throwable`, in the order in which hessian-lite writes them.
const THROWABLE: [&str; 4] = ["suppressedExceptions", "stackTrace", "cause", "detailMessage"];

pub(super) fn expand(
    input: &DeriveInput,
    container: &Container,
    fields: &Punctuated<Field, Token![,]>,
    krate: &TokenStream,
) -> Result<TokenStream> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "an exception owns what it holds: it has no parameters",
        ));
    }
    container.check_object("an exception")?;
    let mut members = structs::members(container, fields)?;
    if let Some(span) = members.iter().find_map(|member| member.attributes.flatten) {
        let message = "an exception cannot flatten a part: give it the fields of its parent classes itself";
        return Err(Error::new(span, message));
    }
    let message = mark_message(&mut members)?;
    check_names(&members)?;
    let is_own = |member: &&Member<'_>| !member.attributes.skip && !THROWABLE.contains(&member.wire.as_str());
    let own: Vec<&Member<'_>> = members.iter().filter(is_own).collect();
    let mut written: Vec<String> = THROWABLE.map(str::to_owned).into();
    written.extend(own.iter().map(|member| member.wire.clone()));

    let class_name = container.class()?;
    let class = definition::class(class_name, &written, krate);
    let cause = match members.iter().find(|member| member.wire == "cause" && !member.attributes.skip) {
        Some(Member { ident, .. }) => quote!(e.cause(self.#ident.as_ref(), slot)?;),
        None => quote!(e.reference(slot);),
    };
    let detail = match message.and_then(|at| members.get(at)) {
        Some(member) => structs::write(member, krate),
        None => quote!(e.null();),
    };
    let writes = own.iter().map(|member| structs::write(member, krate));
    let encode = generics::plain(input, &quote!(#krate::Encode), None);

    let read: Vec<String> =
        members.iter().filter(|member| !member.attributes.skip).map(|member| member.wire.clone()).collect();
    let body = structs::read_body(&members, &read, krate, |member| match member.wire.as_str() {
        _ if member.attributes.skip => Read::Skipped,
        "cause" => Read::Cause,
        "detailMessage" if !structs::is_option(&member.field.ty) => Read::OrDefault,
        _ => Read::of(member),
    });
    let decode = generics::decode(input, krate);
    let java = structs::java_type(input, class_name, krate);
    let ident = &input.ident;
    Ok(quote! {
        #[automatically_derived]
        #encode {
            fn encode_to<S: #krate::Sink>(&self, e: &mut #krate::Encoder<'_, S>) -> #krate::Result<()> {
                static CLASS: #krate::Class = #class;
                let slot = e.exception(&CLASS)?;
                #cause
                #detail
                #(#writes)*
                e.end_object();
                ::core::result::Result::Ok(())
            }
        }

        #[automatically_derived]
        #decode {
            fn decode_from(d: &mut #krate::Decoder<'de, '_>) -> #krate::Result<Self> {
                #body
            }
        }

        #[automatically_derived]
        impl #krate::Exception for #ident {
            const CLASS: &'static str = #class_name;
        }

        #java
    })
}

/// Finds the field that is the message and gives it its name on the wire.
fn mark_message(members: &mut [Member<'_>]) -> Result<Option<usize>> {
    let is_marked = |member: &Member<'_>| member.attributes.message.is_some() && !member.attributes.skip;
    let marked: Vec<usize> = (0..members.len()).filter(|&at| is_marked(&members[at])).collect();
    if let [_, second, ..] = marked[..]
        && let Some(span) = members[second].attributes.message
    {
        return Err(Error::new(span, "an exception has one message"));
    }
    let by_name =
        |name: &str| members.iter().position(|member| member.ident == name && !member.attributes.skip);
    let message =
        marked.first().copied().or_else(|| by_name("message")).or_else(|| by_name("detail_message"));
    if let Some(at) = message {
        "detailMessage".clone_into(&mut members[at].wire);
    }
    Ok(message)
}

fn check_names(members: &[Member<'_>]) -> Result<()> {
    for (at, member) in members.iter().enumerate().filter(|(_, member)| !member.attributes.skip) {
        let wire = member.wire.as_str();
        let twice = members[..at].iter().any(|other| other.wire == wire && !other.attributes.skip);
        if wire == "cause" && !structs::is_option(&member.field.ty) {
            let message = "the cause of an exception is optional: Option<Box<Throwable>> or another Option";
            return Err(Error::new_spanned(&member.field.ty, message));
        }
        if twice || matches!(wire, "stackTrace" | "suppressedExceptions") {
            let message = format!("`{wire}` is a field of java.lang.Throwable already: rename this one");
            return Err(Error::new_spanned(member.ident, message));
        }
    }
    Ok(())
}
