//! Owns the syntax of `#[hessian(...)]`. It decides nothing about code.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, DeriveInput, Error, Field, Ident, LitStr, Result, Variant};

use super::names::Case;

/// Attributes of a struct or enum.
pub(super) struct Container {
    class: Option<String>,
    ident: Ident,
    pub(super) rename_all: Option<Case>,
    pub(super) exception: Option<Span>,
    /// Other structs may hold the fields of this one as their own.
    pub(super) part: Option<Span>,
    pub(super) form: Form,
}

/// What a value of the type is on the wire.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Object,
    /// A map of this class, field names being keys.
    Map(Span),
    /// A list of this class.
    List(Span),
}

impl Container {
    /// Java's name of the class.
    pub(super) fn class(&self) -> Result<&str> {
        self.class.as_deref().ok_or_else(|| {
            Error::new_spanned(
                &self.ident,
                "which Java class is this? Add #[hessian(class = \"com.example.Name\")]",
            )
        })
    }

    /// Whether values of the type itself are written, and not only parts of others.
    pub(super) fn is_class(&self) -> bool {
        self.class.is_some()
    }

    /// Refuses what only plain objects can be; `what` are values of the type.
    pub(super) fn check_object(&self, what: &str) -> Result<()> {
        let (attribute, span) = match (self.form, self.part) {
            (Form::Map(span), _) => ("map", span),
            (Form::List(span), _) => ("list", span),
            (Form::Object, Some(span)) => ("part", span),
            (Form::Object, None) => return Ok(()),
        };
        Err(Error::new(span, format!("{what} is an object by itself: it cannot be a `{attribute}`")))
    }
}

/// Attributes of a field.
#[derive(Default)]
pub(super) struct FieldAttributes {
    pub(super) rename: Option<String>,
    pub(super) default: bool,
    pub(super) skip: bool,
    pub(super) message: Option<Span>,
    pub(super) flatten: Option<Span>,
}

/// Attributes of an enum's variant.
#[derive(Default)]
pub(super) struct VariantAttributes {
    pub(super) rename: Option<String>,
    pub(super) other: Option<Span>,
}

pub(super) fn container(input: &DeriveInput) -> Result<Container> {
    let mut container = Container {
        class: None,
        ident: input.ident.clone(),
        rename_all: None,
        exception: None,
        part: None,
        form: Form::Object,
    };
    each(&input.attrs, |meta| {
        let span = meta.path.span();
        if meta.path.is_ident("class") {
            let name: LitStr = meta.value()?.parse()?;
            check_class(&name)?;
            container.class = Some(name.value());
        } else if meta.path.is_ident("rename_all") {
            let name: LitStr = meta.value()?.parse()?;
            container.rename_all = Some(Case::parse(&name)?);
        } else if meta.path.is_ident("exception") {
            container.exception = Some(span);
        } else if meta.path.is_ident("part") {
            container.part = Some(span);
        } else if meta.path.is_ident("map") {
            container.form = Form::Map(span);
        } else if meta.path.is_ident("list") {
            container.form = Form::List(span);
        } else {
            return Err(unknown(&meta, "`class`, `rename_all`, `exception`, `part`, `map` or `list`"));
        }
        Ok(())
    })?;
    if container.part.is_none() {
        container.class()?;
    }
    Ok(container)
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
        } else if meta.path.is_ident("flatten") {
            attributes.flatten = Some(meta.path.span());
        } else {
            return Err(unknown(&meta, "`rename`, `default`, `skip`, `message` or `flatten`"));
        }
        Ok(())
    })?;
    if let FieldAttributes { flatten: Some(span), rename, default, skip, message } = &attributes
        && (rename.is_some() || *default || *skip || message.is_some())
    {
        let message =
            "a flattened field has no name and no value of its own on the wire: `flatten` stands alone";
        return Err(Error::new(*span, message));
    }
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
