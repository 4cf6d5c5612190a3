//! Owns the service as it was read from its trait, and the trait as it is written back.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Attribute, Block, FnArg, GenericArgument, Ident, ItemTrait, Pat, PathArguments, ReceiverKind, Result,
    ReturnType, TraitItem, TraitItemFn, Type, Visibility, ext::IdentExt, spanned::Spanned,
};

use super::attributes::{MethodAttributes, Serialization, ServiceAttributes};

/// The longest tuple of arguments that can be written and read.
const ARGUMENTS: usize = 12;

pub(super) struct ServiceModel {
    pub(super) attributes: ServiceAttributes,
    pub(super) docs: Vec<Attribute>,
    other: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) name: Ident,
    pub(super) methods: Vec<MethodModel>,
}

pub(super) struct MethodModel {
    pub(super) attributes: MethodAttributes,
    pub(super) docs: Vec<Attribute>,
    other: Vec<Attribute>,
    pub(super) name: Ident,
    pub(super) arguments: Vec<(Ident, Type)>,
    pub(super) output: Output,
    default: Option<Block>,
}

/// What a method gives.
pub(super) struct Output {
    /// As it is written.
    pub(super) declared: Type,
    /// The value and the exception, if it is a `Result` of both.
    fallible: Option<(Box<Type>, Box<Type>)>,
}

impl ServiceModel {
    pub(super) fn new(attributes: ServiceAttributes, item: ItemTrait) -> Result<Self> {
        if !item.generics.params.is_empty() {
            return Err(syn::Error::new(
                item.generics.span(),
                "a service cannot be generic: peers know one type only",
            ));
        }
        if !item.supertraits.is_empty() {
            let text = "a service has no supertraits here; Send, Sync and 'static are added";
            return Err(syn::Error::new(item.supertraits.span(), text));
        }
        let methods = item
            .items
            .into_iter()
            .map(|item| match item {
                TraitItem::Fn(method) => MethodModel::new(method),
                other => Err(syn::Error::new(other.span(), "a service has methods only")),
            })
            .collect::<Result<_>>()?;
        let (docs, other) = split_docs(item.attrs);
        Ok(Self { attributes, docs, other, visibility: item.vis, name: item.ident, methods })
    }

    pub(super) fn client(&self) -> Ident {
        format_ident!("{}Client", self.name)
    }

    pub(super) fn server(&self) -> Ident {
        format_ident!("{}Server", self.name)
    }

    /// The trait, its futures `Send`. A method that blocks has none.
    pub(super) fn declaration(&self) -> TokenStream {
        let Self { docs, other, visibility, name, methods, .. } = self;
        let methods = methods.iter().map(MethodModel::declaration);
        quote! {
            #(#docs)* #(#other)*
            #visibility trait #name: ::core::marker::Send + ::core::marker::Sync + 'static {
                #(#methods)*
            }
        }
    }
}

impl MethodModel {
    fn new(mut method: TraitItemFn) -> Result<Self> {
        let attributes = MethodAttributes::take(&mut method.attrs)?;
        let signature = method.sig;
        match (attributes.blocking, signature.asyncness) {
            (false, Some(_)) | (true, None) => {}
            (false, None) => {
                let text = "a method of a service is `async fn`; one that blocks its thread is a plain `fn` with #[method(blocking)]";
                return Err(syn::Error::new(signature.fn_token.span(), text));
            }
            (true, Some(token)) => {
                let text = "a `blocking` method is a plain `fn`: nothing runs beside it on its thread, so there is nothing to await";
                return Err(syn::Error::new(token.span(), text));
            }
        }
        if !signature.generics.params.is_empty() {
            return Err(syn::Error::new(
                signature.generics.span(),
                "a method of a service cannot be generic",
            ));
        }
        let mut inputs = signature.inputs.into_iter();
        match inputs.next() {
            Some(FnArg::Receiver(receiver))
                if matches!(receiver.kind, ReceiverKind::Reference(_, _, None)) => {}
            _ => {
                return Err(syn::Error::new(
                    signature.ident.span(),
                    "a method of a service takes `&self` first",
                ));
            }
        }
        let arguments = inputs.map(argument).collect::<Result<Vec<_>>>()?;
        if let Some((name, _)) = arguments.get(ARGUMENTS) {
            let text =
                format!("a method of a service has at most {ARGUMENTS} arguments; put some into a struct");
            return Err(syn::Error::new(name.span(), text));
        }
        let output = Output::new(signature.output);
        if attributes.oneway && !output.is_unit() {
            let text = "nobody waits for the answer of a one-way method, so it gives nothing";
            return Err(syn::Error::new(output.declared.span(), text));
        }
        let (docs, other) = split_docs(method.attrs);
        Ok(Self {
            attributes,
            docs,
            other,
            name: signature.ident,
            arguments,
            output,
            default: method.default,
        })
    }

    /// Java's name.
    pub(super) fn java_name(&self) -> String {
        self.attributes.name.clone().unwrap_or_else(|| camel_case(&self.name.unraw().to_string()))
    }

    fn declaration(&self) -> TokenStream {
        let Self { docs, other, name, default, output, .. } = self;
        let output = &output.declared;
        let arguments = self.arguments.iter().map(|(name, kind)| quote!(#name: #kind));
        if self.attributes.blocking {
            let body = default.as_ref().map_or_else(|| quote!(;), |block| quote!(#block));
            return quote! {
                #(#docs)* #(#other)*
                fn #name(&self, #(#arguments),*) -> #output #body
            };
        }
        let body = match default {
            Some(block) => quote!({ async move #block }),
            None => quote!(;),
        };
        quote! {
            #(#docs)* #(#other)*
            fn #name(&self, #(#arguments),*)
                -> impl ::core::future::Future<Output = #output> + ::core::marker::Send #body
        }
    }
}

impl Output {
    fn new(output: ReturnType) -> Self {
        let declared = match output {
            ReturnType::Default => syn::parse_quote!(()),
            ReturnType::Type(_, declared) => *declared,
        };
        let fallible = result_of(&declared).map(|(value, exception)| (Box::new(value), Box::new(exception)));
        Self { declared, fallible }
    }

    fn is_unit(&self) -> bool {
        matches!(&self.declared, Type::Tuple(tuple) if tuple.elems.is_empty())
    }

    /// The type that says how it travels.
    pub(super) fn marker(&self, serialization: Serialization) -> TokenStream {
        let (declared, derive) = (&self.declared, quote!(::getty_rpc::derive));
        match (serialization, &self.fallible) {
            (Serialization::Hessian2, None) => quote!(#derive::Plain<#declared>),
            (Serialization::Hessian2, Some((value, exception))) => {
                quote!(#derive::Fallible<#value, #exception>)
            }
            (Serialization::Protobuf, None) => {
                let message = message_of(declared);
                quote!(#derive::PlainMessage<#message>)
            }
            (Serialization::Protobuf, Some((value, exception))) => {
                let message = message_of(value);
                quote!(#derive::FallibleMessage<#message, #exception>)
            }
        }
    }
}

fn argument(input: FnArg) -> Result<(Ident, Type)> {
    let FnArg::Typed(typed) = input else {
        return Err(syn::Error::new(input.span(), "a second `self`"));
    };
    let Pat::Ident(pattern) = *typed.pat else {
        return Err(syn::Error::new(typed.pat.span(), "an argument of a service is a plain name"));
    };
    if let Type::Reference(reference) = &*typed.ty {
        let text = "an argument of a service is owned, since it comes over the wire; the client stub takes references all the same";
        return Err(syn::Error::new(reference.span(), text));
    }
    if let Type::ImplTrait(_) = &*typed.ty {
        let text = "an argument of a service has one type, which its peers know";
        return Err(syn::Error::new(typed.ty.span(), text));
    }
    Ok((pattern.ident, *typed.ty))
}

/// The two types of `Result<T, E>`, however it is qualified.
fn result_of(kind: &Type) -> Option<(Type, Type)> {
    match &*types_of("Result", kind)? {
        [value, exception] => Some((value.clone(), exception.clone())),
        _ => None,
    }
}

/// Whether a message may be null. Protobuf has none, so a result says it by its type.
fn message_of(kind: &Type) -> TokenStream {
    match types_of("Option", kind).as_deref() {
        Some([message]) => quote!(::getty_rpc::derive::Nullable<#message>),
        _ => quote!(::getty_rpc::derive::One<#kind>),
    }
}

/// What stands between the angle brackets of a type with this name, if that is types alone.
fn types_of(name: &str, kind: &Type) -> Option<Vec<Type>> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let types = arguments.args.iter().map(|argument| match argument {
        GenericArgument::Type(kind) => Some(kind.clone()),
        _ => None,
    });
    types.collect()
}

fn split_docs(attributes: Vec<Attribute>) -> (Vec<Attribute>, Vec<Attribute>) {
    attributes.into_iter().partition(|attribute| attribute.path().is_ident("doc"))
}

fn camel_case(snake: &str) -> String {
    let mut words = snake.split('_').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        let capital = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
        name + &capital + letters.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_names_become_java_names() {
        let names =
            [("greet", "greet"), ("get_user_by_id", "getUserById"), ("_x__y", "xY"), ("to_utf8", "toUtf8")];
        for (rust, java) in names {
            assert_eq!(camel_case(rust), java);
        }
    }

    #[test]
    fn only_a_result_of_two_types_declares_an_exception() {
        let declares = |text: &str| result_of(&syn::parse_str(text).expect("a type")).is_some();
        assert!(declares("Result<User, NotFound>") && declares("std::result::Result<(), E>"));
        assert!(!declares("Option<User>") && !declares("Result<User>") && !declares("(A, B)"));
    }
}
