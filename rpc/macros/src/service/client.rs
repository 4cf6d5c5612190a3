//! Owns the client stub: a struct with a method for each of the trait's, which gives a call to await.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::spanned::Spanned;

use super::{
    attributes::Serialization,
    model::{MethodModel, ServiceModel},
};

pub(super) fn stub(service: &ServiceModel) -> TokenStream {
    let (client, visibility, name) = (service.client(), &service.visibility, &service.name);
    let doc = format!("Calls a remote [`{name}`]. Made by `Client::refer`; clones are cheap.");
    let (info, attributes) = (info(service), &service.attributes);
    let alike = format!(
        "two methods of {name} have the same Java name and the same parameters, so no caller could tell them apart: \
         give one of them another #[method(name = \"...\")]"
    );
    let methods =
        service.methods.iter().enumerate().map(|(index, method)| call(attributes.preferred(), index, method));
    quote! {
        #[doc = #doc]
        #[derive(Clone, Debug)]
        #visibility struct #client(::getty_rpc::Reference);

        const _: () = assert!(::getty_rpc::derive::are_distinct(<#client as ::getty_rpc::Stub>::INFO.methods), #alike);

        impl ::getty_rpc::Stub for #client {
            const INFO: &'static ::getty_rpc::ServiceInfo = #info;

            fn over(reference: ::getty_rpc::Reference) -> Self {
                Self(reference)
            }
        }

        // Whoever serves the trait may not call it, nor all of it; and its methods have as many arguments as the trait's.
        #[allow(dead_code, clippy::too_many_arguments)]
        impl #client {
            #(#methods)*
        }
    }
}

fn info(service: &ServiceModel) -> TokenStream {
    let attributes = &service.attributes;
    let (interface, version, group) = (&attributes.interface, &attributes.version, &attributes.group);
    let methods = service.methods.iter().map(method);
    let serializations = match &*attributes.serializations {
        [Serialization::Hessian2] => quote!(),
        several => {
            let several = several.iter().map(|one| match one {
                Serialization::Hessian2 => quote!(::getty_rpc::Serialization::Hessian2),
                Serialization::Protobuf => quote!(::getty_rpc::Serialization::Protobuf),
            });
            quote!(.serializations(&[#(#several),*]))
        }
    };
    quote! {{
        const METHODS: &[::getty_rpc::Method] = &[#(#methods),*];
        &::getty_rpc::ServiceInfo::new(#interface, #version, #group, METHODS) #serializations
    }}
}

fn method(method: &MethodModel) -> TokenStream {
    let name = method.java_name();
    let count = method.arguments.len();
    let descriptor = match &method.attributes.descriptor {
        Some(descriptor) => quote!(#descriptor),
        None => {
            let types = method.arguments.iter().map(|(_, kind)| kind);
            quote! {{
                const PARTS: &[&str] = &[#(<#types as ::getty_rpc::java::JavaType>::DESCRIPTOR),*];
                const JOINED: [u8; ::getty_rpc::java::joined_len(PARTS)] = ::getty_rpc::java::join(PARTS);
                ::getty_rpc::java::text(&JOINED)
            }}
        }
    };
    let oneway = method.attributes.oneway.then(|| quote!(.oneway()));
    let idempotent = method.attributes.idempotent.then(|| quote!(.idempotent()));
    let timeout = method.attributes.timeout.map(|timeout| {
        let millis = timeout.as_millis() as u64;
        quote!(.timeout(::core::time::Duration::from_millis(#millis)))
    });
    quote!(::getty_rpc::Method::new(#name, #descriptor, #count) #oneway #idempotent #timeout)
}

fn call(serialization: Serialization, index: usize, method: &MethodModel) -> TokenStream {
    let (docs, name, returned) = (&method.docs, &method.name, method.output.marker(serialization));
    let names: Vec<_> = (0..method.arguments.len()).map(|i| argument_name(method, i)).collect();
    let types: Vec<_> = method.arguments.iter().map(|(_, kind)| kind).collect();
    let derive = quote!(::getty_rpc::derive);
    let (stands_for, arguments) = match serialization {
        Serialization::Hessian2 => (quote!(#derive::EncodeAs), quote!((#(#names,)*))),
        Serialization::Protobuf => (
            quote!(#derive::MessageAs),
            quote!(#derive::MessageArguments::<(#(#types,)*), _>::new((#(#names,)*))),
        ),
    };
    // What the type lacks is said where it stands.
    let call = Ident::new("call", Span::call_site().located_at(method.output.declared.span()));
    quote! {
        #(#docs)*
        pub fn #name<'call>(
            &'call self,
            #(#names: impl #stands_for<#types> + ::core::marker::Send + 'call),*
        ) -> ::getty_rpc::Call<'call, impl #derive::EncodeArguments + 'call, #returned> {
            self.0.#call(#index, #arguments)
        }
    }
}

/// As in the trait, without a leading underscore that says there that it is not used.
fn argument_name(method: &MethodModel, index: usize) -> Ident {
    let Some((name, _)) = method.arguments.get(index) else { return format_ident!("argument_{index}") };
    let text = name.to_string();
    let bare = text.trim_start_matches('_');
    if bare.len() == text.len() {
        return name.clone();
    }
    let is_taken = || method.arguments.iter().any(|(other, _)| other == bare);
    match syn::parse_str::<Ident>(bare) {
        Ok(bare) if !is_taken() => Ident::new(&bare.to_string(), name.span()),
        _ => format_ident!("argument_{index}"),
    }
}
