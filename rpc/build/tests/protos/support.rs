//! A directory of `.proto` files for one test, and what is made of them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use getty_build::{Builder, Error};

pub(crate) struct Project {
    pub(crate) root: PathBuf,
    files: Vec<PathBuf>,
}

impl Project {
    /// Files under `proto/` of a directory that this test alone uses.
    pub(crate) fn new(test: &str, files: &[(&str, &str)]) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        if root.exists() {
            fs::remove_dir_all(&root).unwrap();
        }
        fs::create_dir_all(root.join("out")).unwrap();
        let write = |(name, text): &(&str, &str)| {
            let path = root.join("proto").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        };
        let files = files.iter().map(write).collect();
        Self { root, files }
    }

    /// What the builder makes of all files, by name.
    pub(crate) fn compile(&self, builder: Builder) -> Result<BTreeMap<String, String>, Error> {
        self.compile_only(&self.files, builder)
    }

    /// What the builder makes of the first file, and of what it imports.
    pub(crate) fn compile_first(&self, builder: Builder) -> Result<BTreeMap<String, String>, Error> {
        self.compile_only(&self.files[..1], builder)
    }

    fn compile_only(&self, files: &[PathBuf], builder: Builder) -> Result<BTreeMap<String, String>, Error> {
        builder.out_dir(self.root.join("out")).compile(files, &[self.root.join("proto")])?;
        let made = fs::read_dir(self.root.join("out")).unwrap().map(|entry| entry.unwrap().path());
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        Ok(made.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect())
    }
}

/// What is made of one file in package `com.x`.
pub(crate) fn one(test: &str, text: &str) -> Generated {
    one_with(test, text, getty_build::configure())
}

/// As [`one`], with settings.
pub(crate) fn one_with(test: &str, text: &str, builder: Builder) -> Generated {
    let made = Project::new(test, &[("greeter.proto", text)]).compile(builder).unwrap();
    Generated::new(&made["com.x.rs"])
}

/// The error that one file gives, with its own directory left out.
pub(crate) fn refused(test: &str, text: &str) -> String {
    refused_with(test, text, getty_build::configure())
}

/// As [`refused`], with settings.
pub(crate) fn refused_with(test: &str, text: &str, builder: Builder) -> String {
    let project = Project::new(test, &[("greeter.proto", text)]);
    let error = project.compile(builder).unwrap_err().to_string();
    assert_eq!(fs::read_dir(project.root.join("out")).unwrap().count(), 0, "files in spite of {error}");
    error.replace(&format!("{}/", project.root.display()), "")
}

/// A generated file, parsed.
pub(crate) struct Generated {
    pub(crate) file: syn::File,
    pub(crate) text: String,
}

/// A method of a generated trait.
pub(crate) struct Method {
    pub(crate) docs: String,
    /// What stands in `#[method(..)]`.
    pub(crate) attributes: String,
    pub(crate) signature: String,
}

impl Generated {
    pub(crate) fn new(text: &str) -> Self {
        Self { file: syn::parse_file(text).unwrap(), text: text.to_owned() }
    }

    pub(crate) fn service(&self, name: &str) -> &syn::ItemTrait {
        let find = |item: &'_ syn::Item| matches!(item, syn::Item::Trait(found) if found.ident == name);
        match self.file.items.iter().find(|item| find(item)) {
            Some(syn::Item::Trait(found)) => found,
            _ => panic!("no trait {name} in\n{}", self.text),
        }
    }

    /// What stands in `#[service(..)]`.
    pub(crate) fn service_attributes(&self, name: &str) -> String {
        attribute(&self.service(name).attrs, ":: getty_rpc :: service")
    }

    pub(crate) fn methods(&self, service: &str) -> Vec<Method> {
        let items = self.service(service).items.iter();
        items
            .map(|item| match item {
                syn::TraitItem::Fn(method) => Method {
                    docs: docs(&method.attrs),
                    attributes: attribute(&method.attrs, "method"),
                    signature: tokens(&method.sig),
                },
                _ => panic!("not a method"),
            })
            .collect()
    }

    /// The descriptors of `impl JavaType`, by Rust type.
    pub(crate) fn descriptors(&self) -> BTreeMap<String, String> {
        let implementations = self.file.items.iter().filter_map(|item| match item {
            syn::Item::Impl(found) if tokens(found).starts_with("impl :: getty_rpc :: java :: JavaType") => {
                Some(found)
            }
            _ => None,
        });
        implementations
            .map(|found| match &found.items[0] {
                syn::ImplItem::Const(constant) => {
                    let text = syn::parse_str::<syn::LitStr>(&tokens(&constant.expr)).unwrap().value();
                    (tokens(&found.self_ty).replace(' ', ""), text)
                }
                _ => panic!("not a constant"),
            })
            .collect()
    }
}

/// The text of doc comments.
pub(crate) fn docs(attributes: &[syn::Attribute]) -> String {
    let lines = attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).map(|attribute| {
        let value = &attribute.meta.require_name_value().unwrap().value;
        let line = syn::parse_str::<syn::LitStr>(&tokens(value)).unwrap().value();
        line.strip_prefix(' ').unwrap_or(&line).to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn attribute(attributes: &[syn::Attribute], path: &str) -> String {
    let found = attributes.iter().find(|attribute| tokens(attribute.path()) == path);
    found.map(|found| found.meta.require_list().unwrap().tokens.to_string()).unwrap_or_default()
}

fn tokens(syntax: &impl quote::ToTokens) -> String {
    syntax.to_token_stream().to_string()
}
