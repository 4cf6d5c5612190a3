//! Owns the server's dispatch: from the index of a method to the method of whoever implements the trait.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::{
    attributes::Serialization,
    model::{MethodModel, ServiceModel},
};

pub(super) fn dispatch(service: &ServiceModel) -> TokenStream {
    let (server, client, visibility, name) =
        (service.server(), service.client(), &service.visibility, &service.name);
    let doc = format!("Serves an implementation of [`{name}`]. Give it to `Server::service`.");
    let arms = service.methods.iter().enumerate().map(|(index, method)| arm(service, index, method));
    quote! {
        #[doc = #doc]
        #[derive(Debug)]
        #[allow(dead_code)] // Whoever calls the trait may not serve it.
        #visibility struct #server<Implementation>(::std::sync::Arc<Implementation>);

        #[allow(dead_code)] // As above.
        impl<Implementation: #name> #server<Implementation> {
            /// Serves this implementation.
            pub fn new(service: impl ::core::convert::Into<::std::sync::Arc<Implementation>>) -> Self {
                Self(service.into())
            }
        }

        impl<Implementation: #name> ::getty_rpc::Service for #server<Implementation> {
            fn info(&self) -> &'static ::getty_rpc::ServiceInfo {
                <#client as ::getty_rpc::Stub>::INFO
            }

            fn invoke(&self, method: usize, invocation: ::getty_rpc::Invocation<'_>) {
                match method {
                    #(#arms)*
                    // The index comes from the table that was made beside this.
                    _ => {}
                }
            }
        }
    }
}

fn arm(service: &ServiceModel, index: usize, method: &MethodModel) -> TokenStream {
    let (trait_name, name) = (&service.name, &method.name);
    let types: Vec<_> = method.arguments.iter().map(|(_, kind)| kind).collect();
    let names: Vec<_> = (0..method.arguments.len()).map(|i| format_ident!("argument_{i}")).collect();
    // What a type lacks is said at the method.
    let (function, inferred) = match method.attributes.blocking {
        true => ("serve_blocking", quote!(_)),
        false => ("serve", quote!(_, _)),
    };
    let serve = Ident::new(function, Span::call_site().located_at(name.span()));
    let serve = |serialization: Serialization| {
        let returned = method.output.marker(serialization);
        match serialization {
            Serialization::Hessian2 => {
                quote!(invocation.#serve::<(#(#types,)*), #returned, #inferred>(handler))
            }
            Serialization::Protobuf => {
                let arguments = quote!(::getty_rpc::derive::MessageArguments<(#(#types,)*)>);
                quote! {
                    invocation.#serve::<#arguments, #returned, #inferred>(move |arguments: #arguments| {
                        handler(arguments.into_inner())
                    })
                }
            }
        }
    };
    let served = match &*service.attributes.serializations {
        [one] => serve(*one),
        _ => {
            let (hessian2, protobuf) = (serve(Serialization::Hessian2), serve(Serialization::Protobuf));
            quote! {
                match invocation.serialization() {
                    ::getty_rpc::Serialization::Protobuf => #protobuf,
                    _ => #hessian2,
                }
            }
        }
    };
    let call = quote!(<Implementation as #trait_name>::#name(&service, #(#names),*));
    let handled = match method.attributes.blocking {
        true => call,
        false => quote!(async move { #call.await }),
    };
    quote! {
        #index => {
            let service = ::std::sync::Arc::clone(&self.0);
            let handler = move |(#(#names,)*): (#(#types,)*)| #handled;
            #served;
        }
    }
}
