//! Owns the list of a file's messages, each by its three names: protobuf's, Rust's and Java's. Rust's are those that prost-build gives.

use std::fmt::Write;

use heck::ToUpperCamelCase;
use prost_build::Module;
use prost_types::{DescriptorProto, FileDescriptorProto};

use crate::java::JavaNames;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// `.com.x.Outer.Inner`
    pub(crate) proto: String,
    /// `outer::Inner`, as seen from the module of the package.
    pub(crate) rust: String,
    /// `Lcom/x/Outer$Inner;`
    pub(crate) descriptor: String,
}

/// All messages, nested ones after the one they lie in. Entries of maps are none.
pub(crate) fn messages(file: &FileDescriptorProto) -> Vec<Message> {
    let mut found = Vec::new();
    let walk = Walk { package: package_path(file), java: JavaNames::of(file) };
    walk.add(&file.message_type, "", "", &mut found);
    found
}

/// `.com.x.`, or `.` without a package.
pub(crate) fn package_path(file: &FileDescriptorProto) -> String {
    if file.package().is_empty() { ".".into() } else { format!(".{}.", file.package()) }
}

/// The name of a Rust type.
pub(crate) fn type_name(proto: &str) -> String {
    match proto.to_upper_camel_case() {
        keyword if keyword == "Self" => "Self_".into(),
        name => name,
    }
}

/// The name of a Rust function or module.
pub(crate) fn value_name(proto: &str) -> String {
    Module::from_protobuf_package_name(proto).parts().collect()
}

struct Walk {
    package: String,
    java: JavaNames,
}

impl Walk {
    fn add(&self, messages: &[DescriptorProto], outer: &str, module: &str, found: &mut Vec<Message>) {
        let is_entry = |message: &DescriptorProto| message.options.as_ref().is_some_and(|o| o.map_entry());
        for message in messages.iter().filter(|message| !is_entry(message)) {
            let name = format!("{outer}{}", message.name());
            found.push(Message {
                proto: format!("{}{name}", self.package),
                rust: format!("{module}{}", type_name(message.name())),
                descriptor: self.java.descriptor(&name),
            });
            let module = format!("{module}{}::", value_name(message.name()));
            self.add(&message.nested_type, &format!("{name}."), &module, found);
        }
    }
}

/// `impl JavaType` of these messages.
pub(crate) fn implementations<'a>(messages: impl Iterator<Item = &'a Message>) -> String {
    messages.fold(String::new(), |mut code, Message { rust, descriptor, .. }| {
        // A String takes whatever is written to it.
        let _ = write!(
            code,
            "impl ::getty_rpc::java::JavaType for {rust} {{\n    \
             const DESCRIPTOR: &'static str = {descriptor:?};\n}}\n"
        );
        code
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_names_are_those_of_prost_build() {
        for (proto, rust) in
            [("HelloRequest", "HelloRequest"), ("URL", "Url"), ("self", "Self_"), ("a_b", "AB")]
        {
            assert_eq!(type_name(proto), rust);
        }
        for (proto, rust) in [("GetURL", "get_url"), ("Type", "r#type"), ("Self", "self_"), ("Gen", "r#gen")]
        {
            assert_eq!(value_name(proto), rust);
        }
    }
}
