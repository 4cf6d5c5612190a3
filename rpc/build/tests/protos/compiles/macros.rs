//! Plays `#[service]`: keeps the trait, takes the attributes of its methods away.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

#[proc_macro_attribute]
pub fn service(attributes: TokenStream, item: TokenStream) -> TokenStream {
    assert!(attributes.to_string().ends_with("serialization = \"protobuf\""), "{attributes}");
    let lint: TokenStream = "#[allow(async_fn_in_trait)]".parse().unwrap();
    lint.into_iter().chain(without_attributes(item)).collect()
}

fn without_attributes(tokens: TokenStream) -> TokenStream {
    let mut kept = Vec::<TokenTree>::new();
    for token in tokens {
        let taken = match &token {
            TokenTree::Group(group) => group,
            _ => {
                kept.push(token);
                continue;
            }
        };
        let is_method = taken.delimiter() == Delimiter::Bracket && taken.stream().to_string().starts_with("method");
        if is_method {
            kept.pop();
        } else {
            kept.push(Group::new(taken.delimiter(), without_attributes(taken.stream())).into());
        }
    }
    kept.into_iter().collect()
}
