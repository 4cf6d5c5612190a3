//! Owns the server's dispatch: from the index of a method to the method of whoever implements the trait.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::model::{MethodModel, ServiceModel};

pub(super) fn dispatch(service: &ServiceModel) -> TokenStream {
    let (server, client, visibility, name) =
        (service.server(), service.client(), &service.visibility, &service.name);
    let doc = format!("Serves an implementation of [`{name}`]. Give it to `Server::service`.");
    let arms = service.methods.iter().enumerate().map(|(index, method)| arm(name, index, method));
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

fn arm(service: &syn::Ident, index: usize, method: &MethodModel) -> TokenStream {
    let (name, returned) = (&method.name, method.output.marker());
    let types = method.arguments.iter().map(|(_, kind)| kind);
    let names: Vec<_> = (0..method.arguments.len()).map(|i| format_ident!("argument_{i}")).collect();
    quote! {
        #index => {
            let service = ::std::sync::Arc::clone(&self.0);
            invocation.serve::<(#(#types,)*), #returned, _, _>(move |(#(#names,)*)| async move {
                <Implementation as #service>::#name(&service, #(#names),*).await
            });
        }
    }
}
