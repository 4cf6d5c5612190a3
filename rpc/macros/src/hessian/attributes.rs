//! Owns the syntax of `#[hessian(...)]`. It decides nothing about code.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, DeriveInput, Error, Field, LitStr, Result, Variant};

use super::names::Case;

/// Attributes of a struct or enum.
pub(super) struct Container {
    pub(super) class: String,
    pub(super) rename_all: Option<Case>,
    pub(super) exception: Option<Span>,
}

/// Attributes of a field.
#[derive(Default)]
pub(super) struct FieldAttributes {
    pub(super) rename: Option<String>,
    pub(super) default: bool,
    pub(super) skip: bool,
    pub(super) message: Option<Span>,
}

/// Attributes of an enum's variant.
#[derive(Default)]
pub(super) struct VariantAttributes {
    pub(super) rename: Option<String>,
    pub(super) other: Option<Span>,
}

pub(super) fn container(input: &DeriveInput) -> Result<Container> {
    let mut class = None;
    let mut rename_all = None;
    let mut exception = None;
    each(&input.attrs, |meta| {
        if meta.path.is_ident("class") {
            let name: LitStr = meta.value()?.parse()?;
            check_class(&name)?;
            class = Some(name.value());
        } else if meta.path.is_ident("rename_all") {
            let name: LitStr = meta.value()?.parse()?;
            rename_all = Some(Case::parse(&name)?);
        } else if meta.path.is_ident("exception") {
            exception = Some(meta.path.span());
        } else {
            return Err(unknown(&meta, "`class`, `rename_all` or `exception`"));
        }
        Ok(())
    })?;
    let Some(class) = class else {
        return Err(Error::new_spanned(
            &input.ident,
            "which Java class is this? Add #[hessian(class = \"com.example.Name\")]",
        ));
    };
    Ok(Container { class, rename_all, exception })
}

pub(super) fn field(field: &Field) -> Result<FieldAttributes> {
    let mut attributes = FieldAttributes::default();
    each(&field.attrs, |meta| {
        if meta.path.is_ident("rename") {
            attributes.rename = Some(name(&meta)?);
        } else if meta.path.is_ident("default") {
            attributes.default = true;
        } else if meta.path.is_ident("skip") {
            attributes.skip = true;
        } else if meta.path.is_ident("message") {
            attributes.message = Some(meta.path.span());
        } else {
            return Err(unknown(&meta, "`rename`, `default`, `skip` or `message`"));
        }
        Ok(())
    })?;
    Ok(attributes)
}

pub(super) fn variant(variant: &Variant) -> Result<VariantAttributes> {
    let mut attributes = VariantAttributes::default();
    each(&variant.attrs, |meta| {
        if meta.path.is_ident("rename") {
            attributes.rename = Some(name(&meta)?);
        } else if meta.path.is_ident("other") {
            attributes.other = Some(meta.path.span());
        } else {
            return Err(unknown(&meta, "`rename` or `other`"));
        }
        Ok(())
    })?;
    Ok(attributes)
}

fn each(attributes: &[Attribute], mut parse: impl FnMut(ParseNestedMeta<'_>) -> Result<()>) -> Result<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("hessian")) {
        attribute.parse_nested_meta(&mut parse)?;
    }
    Ok(())
}

fn name(meta: &ParseNestedMeta<'_>) -> Result<String> {
    let name: LitStr = meta.value()?.parse()?;
    if name.value().is_empty() {
        return Err(Error::new_spanned(&name, "a name on the wire cannot be empty"));
    }
    Ok(name.value())
}

fn check_class(name: &LitStr) -> Result<()> {
    let class = name.value();
    if class.is_empty() || class.contains(['/', ';', ' ', '[']) {
        let message =
            "a class is named as Java's Class.getName() does: com.example.Name, com.example.Outer$Inner";
        return Err(Error::new_spanned(name, message));
    }
    Ok(())
}

fn unknown(meta: &ParseNestedMeta<'_>, expected: &str) -> Error {
    meta.error(format!("unknown attribute: expected {expected}"))
}
