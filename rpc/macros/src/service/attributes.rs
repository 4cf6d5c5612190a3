//! Owns what stands in `#[service(...)]` and `#[method(...)]`.

use std::time::Duration;

use syn::{
    Attribute, LitInt, LitStr, Result, meta::ParseNestedMeta, parse::Parse, parse::ParseStream,
    spanned::Spanned,
};

/// How arguments and results travel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Serialization {
    Hessian2,
    Protobuf,
}

impl Serialization {
    /// `"hessian2"`, `"protobuf"`, or both, the preferred one first.
    fn list(text: &LitStr) -> Result<Vec<Self>> {
        let mut list = Vec::new();
        for name in text.value().split(',') {
            let one = match name.trim() {
                "hessian2" => Self::Hessian2,
                "protobuf" => Self::Protobuf,
                _ => {
                    let expected =
                        "expected `hessian2`, `protobuf`, or both with a comma, the preferred one first";
                    return Err(syn::Error::new(text.span(), expected));
                }
            };
            if list.contains(&one) {
                return Err(syn::Error::new(text.span(), "the same serialization twice"));
            }
            list.push(one);
        }
        Ok(list)
    }
}

/// `#[service(interface = "com.example.Users", version = "1.0.0", group = "g", serialization = "hessian2")]`
pub(super) struct ServiceAttributes {
    pub(super) interface: LitStr,
    pub(super) version: String,
    pub(super) group: String,
    /// At least one. The first is that of the stub; the server has all.
    pub(super) serializations: Vec<Serialization>,
}

impl ServiceAttributes {
    /// That of the stub.
    pub(super) fn preferred(&self) -> Serialization {
        self.serializations.first().copied().unwrap_or(Serialization::Hessian2)
    }
}

impl Parse for ServiceAttributes {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut interface, mut version, mut group) = (None, String::new(), String::new());
        let mut serializations = vec![Serialization::Hessian2];
        let span = input.span();
        let parser = syn::meta::parser(|meta| {
            if meta.path.is_ident("interface") {
                interface = Some(meta.value()?.parse::<LitStr>()?);
            } else if meta.path.is_ident("version") {
                version = meta.value()?.parse::<LitStr>()?.value();
            } else if meta.path.is_ident("group") {
                group = meta.value()?.parse::<LitStr>()?.value();
            } else if meta.path.is_ident("serialization") {
                serializations = Serialization::list(&meta.value()?.parse()?)?;
            } else {
                return Err(meta.error("expected `interface`, `version`, `group` or `serialization`"));
            }
            Ok(())
        });
        syn::parse::Parser::parse2(parser, input.parse()?)?;
        let interface = interface.ok_or_else(|| {
            syn::Error::new(
                span,
                "the Java interface is missing: #[service(interface = \"com.example.Users\")]",
            )
        })?;
        if interface.value().is_empty() {
            return Err(syn::Error::new(interface.span(), "the Java interface may not be empty"));
        }
        Ok(Self { interface, version, group, serializations })
    }
}

/// `#[method(name = "getUser", descriptor = "I", timeout_ms = 500, oneway, idempotent, blocking)]`
#[derive(Default)]
pub(super) struct MethodAttributes {
    pub(super) name: Option<String>,
    pub(super) descriptor: Option<String>,
    pub(super) timeout: Option<Duration>,
    pub(super) oneway: bool,
    pub(super) idempotent: bool,
    pub(super) blocking: bool,
}

impl MethodAttributes {
    /// Takes `#[method(...)]` out of the attributes; all others stay.
    pub(super) fn take(attributes: &mut Vec<Attribute>) -> Result<Self> {
        let mut taken = Self::default();
        for attribute in attributes.extract_if(.., |attribute| attribute.path().is_ident("method")) {
            attribute.parse_nested_meta(|meta| taken.set(&meta))?;
        }
        Ok(taken)
    }

    fn set(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        if meta.path.is_ident("name") {
            self.name = Some(meta.value()?.parse::<LitStr>()?.value());
        } else if meta.path.is_ident("descriptor") {
            self.descriptor = Some(meta.value()?.parse::<LitStr>()?.value());
        } else if meta.path.is_ident("timeout_ms") {
            let millis = meta.value()?.parse::<LitInt>()?;
            match millis.base10_parse()? {
                0 => return Err(syn::Error::new(millis.span(), "a timeout is at least 1 ms")),
                millis => self.timeout = Some(Duration::from_millis(millis)),
            }
        } else if meta.path.is_ident("oneway") {
            self.oneway = true;
        } else if meta.path.is_ident("idempotent") {
            self.idempotent = true;
        } else if meta.path.is_ident("blocking") {
            self.blocking = true;
        } else {
            return Err(syn::Error::new(
                meta.path.span(),
                "expected `name`, `descriptor`, `timeout_ms`, `oneway`, `idempotent` or `blocking`",
            ));
        }
        Ok(())
    }
}
