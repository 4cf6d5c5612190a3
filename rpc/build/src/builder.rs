//! Owns the settings a build script makes, and the order of the work: read, check, write.

use std::{
    any::Any,
    collections::HashMap,
    env, io,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use prost_build::Config;
use prost_types::FileDescriptorSet;

use crate::{
    Error, comments,
    descriptors::{self, Message},
    generator::Generator,
    plan::{self, Externs},
    settings::Settings,
    sources::Sources,
};

/// Settings for [`compile`](Self::compile). Made by [`configure`](crate::configure).
#[derive(Debug, Clone, Default)]
#[must_use = "nothing is made before `compile`"]
pub struct Builder {
    settings: Settings,
    extern_paths: Vec<(String, String)>,
    type_attributes: Vec<(String, String)>,
    field_attributes: Vec<(String, String)>,
    include_file: Option<PathBuf>,
    out_dir: Option<PathBuf>,
}

impl Builder {
    /// The Java interface of a service, such as `org.y.GreeterService` for `com.x.Greeter`. Default: `java_package`, else the
    /// package, and the name of the service.
    pub fn interface(mut self, service: impl Into<String>, interface: impl Into<String>) -> Self {
        self.settings.interfaces.set(service, interface);
        self
    }

    /// The version of a service, such as `1.0.0`. Default: none.
    pub fn version(mut self, service: impl Into<String>, version: impl Into<String>) -> Self {
        self.settings.versions.set(service, version);
        self
    }

    /// The group of a service. Default: none.
    pub fn group(mut self, service: impl Into<String>, group: impl Into<String>) -> Self {
        self.settings.groups.set(service, group);
        self
    }

    /// The exception that an rpc may throw, as a Rust type: `.exception("com.x.Greeter.SayHello", "crate::NotFound")` makes it give
    /// `Result<HelloReply, crate::NotFound>`. The path is read in the module that includes the generated file. Default: none.
    pub fn exception(mut self, rpc: impl Into<String>, exception: impl Into<String>) -> Self {
        self.settings.exceptions.set(rpc, exception);
        self
    }

    /// A message, enum or package that is a Rust type or module elsewhere, and is not made again:
    /// `.extern_path(".com.y", "::y_protos")`. The path in protobuf begins with a dot. Default: the well-known types alone.
    pub fn extern_path(mut self, proto: impl Into<String>, rust: impl Into<String>) -> Self {
        self.extern_paths.push((proto.into(), rust.into()));
        self
    }

    /// An attribute of messages and enums, such as `#[derive(serde::Serialize)]`. The path is `.` for all, `.com.x` for a package,
    /// `.com.x.Msg` for one and what is nested in it. Default: none.
    pub fn type_attribute(mut self, path: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.type_attributes.push((path.into(), attribute.into()));
        self
    }

    /// An attribute of fields and of the values of enums, such as `#[serde(default)]`. The path is as above, or `.com.x.Msg.field`.
    /// Default: none.
    pub fn field_attribute(mut self, path: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.field_attributes.push((path.into(), attribute.into()));
        self
    }

    /// One more file, which includes those of all packages in modules that nest as the packages do:
    /// `include!(concat!(env!("OUT_DIR"), "/protos.rs"));` after `.include_file("protos.rs")`. Default: none.
    pub fn include_file(mut self, name: impl Into<PathBuf>) -> Self {
        self.include_file = Some(name.into());
        self
    }

    /// Where files are written. The directory must exist. Default: `OUT_DIR`.
    pub fn out_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(directory.into());
        self
    }

    /// As [`compile_protos`](crate::compile_protos), with these settings. Traits are made of the services of `protos`, not of imported
    /// files; messages of both. Files that would not change are not written.
    ///
    /// # Errors
    /// See [`Error`]; nothing is written then, except when writing itself fails.
    pub fn compile(&self, protos: &[impl AsRef<Path>], includes: &[impl AsRef<Path>]) -> Result<(), Error> {
        if self.out_dir.is_none() && env::var_os("OUT_DIR").is_none() {
            return Err(Error::OutDir);
        }
        let mut sources = Sources::read(protos, includes)?;
        for path in sources.paths() {
            println!("cargo:rerun-if-changed={}", path.display());
        }
        let externs = Externs::new(self.extern_paths.iter().map(|(proto, _)| &**proto));
        let services = plan::services(&sources, &self.settings, |path| externs.contains(path))?;
        sources.files.iter_mut().for_each(comments::clean);

        let mut generator = Generator {
            services,
            exceptions: self.settings.exceptions.clone(),
            foreign: HashMap::new(),
            tails: Default::default(),
        };
        for file in &sources.files {
            let (foreign, own): (Vec<_>, Vec<_>) =
                descriptors::messages(file).into_iter().partition(|message| externs.contains(&message.proto));
            generator.tails.push_back(descriptors::implementations(own.iter()));
            let descriptors =
                foreign.into_iter().map(|Message { proto, descriptor, .. }| (proto, descriptor));
            generator.foreign.extend(descriptors);
        }
        let set = FileDescriptorSet { file: sources.files };
        let mut config = self.prost(generator);
        // prost-build panics where two values of an enum have one name in Rust.
        panic::catch_unwind(AssertUnwindSafe(|| config.compile_fds(set)))
            .unwrap_or_else(|payload| Err(io::Error::other(panic_text(&*payload))))
            .map_err(Error::Generate)
    }

    fn prost(&self, generator: Generator) -> Config {
        let mut config = Config::new();
        // A user depends on getty-rpc alone.
        config.prost_path("::getty_rpc::prost").prost_types_path("::getty_rpc::prost_types");
        config.service_generator(Box::new(generator));
        for (proto, rust) in &self.extern_paths {
            config.extern_path(proto, rust);
        }
        for (path, attribute) in &self.type_attributes {
            config.type_attribute(path, attribute);
        }
        for (path, attribute) in &self.field_attributes {
            config.field_attribute(path, attribute);
        }
        if let Some(name) = &self.include_file {
            config.include_file(name);
        }
        if let Some(directory) = &self.out_dir {
            config.out_dir(directory);
        }
        config
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("prost-build panicked").to_owned()
}
