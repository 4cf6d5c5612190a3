//! Owns the Rust text of services: a trait under `#[service]`. Messages are prost-build's; it decides no name.

use std::{collections::HashMap, collections::VecDeque};

use prost_build::{Comments, Method, Service, ServiceGenerator};

use crate::{
    java,
    plan::{ServiceNames, Services},
    settings::ByName,
};

pub(crate) struct Generator {
    pub(crate) services: Services,
    pub(crate) exceptions: ByName,
    /// Java's descriptors of messages that are types of other crates, where `JavaType` cannot say it.
    pub(crate) foreign: HashMap<String, String>,
    /// What is to stand after the services of each file, in the order of files.
    pub(crate) tails: VecDeque<String>,
}

impl ServiceGenerator for Generator {
    fn generate(&mut self, service: Service, code: &mut String) {
        let name = match &*service.package {
            "" => service.proto_name.clone(),
            package => format!("{package}.{}", service.proto_name),
        };
        // Services of imported files have no names: whoever compiles those files makes them.
        if let Some(names) = self.services.get(&name) {
            self.write_trait(&service, &name, names, code);
        }
    }

    fn finalize(&mut self, code: &mut String) {
        code.push_str(&self.tails.pop_front().unwrap_or_default());
    }
}

impl Generator {
    fn write_trait(&self, service: &Service, name: &str, names: &ServiceNames, code: &mut String) {
        write_docs(&service.comments, 0, &format!("The service `{name}`."), code);
        let mut attributes = format!("interface = {:?}", names.interface);
        for (key, value) in [("version", &names.version), ("group", &names.group)] {
            if let Some(value) = value {
                attributes.push_str(&format!(", {key} = {value:?}"));
            }
        }
        code.push_str(&format!("#[::getty_rpc::service({attributes}, serialization = \"protobuf\")]\n"));
        code.push_str(&format!("pub trait {} {{\n", service.name));
        for method in &service.methods {
            self.write_method(method, &format!("{name}.{}", method.proto_name), code);
        }
        code.push_str("}\n");
    }

    fn write_method(&self, method: &Method, rpc: &str, code: &mut String) {
        write_docs(&method.comments, 1, &format!("The rpc `{rpc}`."), code);
        // Written out, so that the rule which makes a Java name of a Rust name is #[service]'s alone.
        code.push_str(&format!("    #[method(name = {:?}", java::method(&method.proto_name)));
        if let Some(descriptor) = self.foreign.get(&method.input_proto_type) {
            code.push_str(&format!(", descriptor = {descriptor:?}"));
        }
        code.push_str(")]\n");
        let output = match (self.exceptions.get(rpc), &*method.output_type) {
            (Some(exception), output) => format!(" -> ::core::result::Result<{output}, {exception}>"),
            (None, "()") => String::new(),
            (None, output) => format!(" -> {output}"),
        };
        code.push_str(&format!(
            "    async fn {}(&self, request: {}){output};\n",
            method.name, method.input_type
        ));
    }
}

fn write_docs(comments: &Comments, indent: u8, otherwise: &str, code: &mut String) {
    comments.append_with_indent(indent, code);
    if comments.leading.is_empty() && comments.trailing.is_empty() {
        code.push_str(&format!("{}/// {otherwise}\n", "    ".repeat(indent.into())));
    }
}
