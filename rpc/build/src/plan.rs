//! Owns what is decided before any code is written: which services there are, under which names, and whether they can travel at all.

use std::collections::{BTreeMap, HashMap, HashSet};

use prost_build::Module;
use prost_types::{FileDescriptorProto, MethodDescriptorProto, ServiceDescriptorProto};

use crate::{
    Error, descriptors,
    java::{self, JavaNames},
    settings::Settings,
    sources::Sources,
};

/// Field numbers of `descriptor.proto`, of which paths to places are made.
mod number {
    pub(super) const FILE_SERVICE: i32 = 6;
    pub(super) const FILE_OPTIONS: i32 = 8;
    pub(super) const OPTIONS_JAVA_OUTER_CLASSNAME: i32 = 8;
    pub(super) const SERVICE_METHOD: i32 = 2;
    pub(super) const NAME: i32 = 1;
}

/// What stands in `#[service(..)]`, by the service's protobuf name.
pub(crate) type Services = HashMap<String, ServiceNames>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceNames {
    pub(crate) interface: String,
    pub(crate) version: Option<String>,
    pub(crate) group: Option<String>,
}

/// The names of all services, or why one of them cannot be made.
pub(crate) fn services(
    sources: &Sources,
    settings: &Settings,
    is_extern: impl Fn(&str) -> bool,
) -> Result<Services, Error> {
    let (mut services, mut names, mut rpcs) = (Services::new(), Vec::new(), Vec::new());
    for file in &sources.files {
        check_outer_class(sources, file)?;
    }
    for file in sources.asked_for() {
        let java = JavaNames::of(file);
        for (index, service) in file.service.iter().enumerate() {
            let name = qualified(file, service);
            check_rpcs(sources, file, index, service)?;
            rpcs.extend(service.method.iter().map(|rpc| format!("{name}.{}", rpc.name())));
            let set = |value: Option<&str>| value.map(str::to_owned).filter(|value| !value.is_empty());
            let interface =
                set(settings.interfaces.get(&name)).unwrap_or_else(|| java.interface(service.name()));
            let version = set(settings.versions.get(&name));
            let group = set(settings.groups.get(&name));
            services.insert(name.clone(), ServiceNames { interface, version, group });
            names.push(name);
        }
    }
    settings.check(&names, &rpcs)?;
    check_types(sources, is_extern)?;
    Ok(services)
}

/// `com.x.Greeter`
fn qualified(file: &FileDescriptorProto, service: &ServiceDescriptorProto) -> String {
    format!("{}{}", descriptors::package_path(file).trim_start_matches('.'), service.name())
}

fn check_outer_class(sources: &Sources, file: &FileDescriptorProto) -> Result<(), Error> {
    let class = file.options.as_ref().and_then(|options| options.java_outer_classname.as_deref());
    match class.filter(|class| java::declares(file, class)) {
        Some(class) => {
            let path = [number::FILE_OPTIONS, number::OPTIONS_JAVA_OUTER_CLASSNAME];
            Err(Error::OuterClass { place: sources.place(file, &path), class: class.into() })
        }
        None => Ok(()),
    }
}

fn check_rpcs(
    sources: &Sources,
    file: &FileDescriptorProto,
    index: usize,
    service: &ServiceDescriptorProto,
) -> Result<(), Error> {
    let mut taken = HashMap::<String, &MethodDescriptorProto>::new();
    for (position, rpc) in service.method.iter().enumerate() {
        let path =
            [number::FILE_SERVICE, element(index), number::SERVICE_METHOD, element(position), number::NAME];
        let place = || sources.place(file, &path);
        if rpc.client_streaming() || rpc.server_streaming() {
            let rpc = format!("{}.{}", qualified(file, service), rpc.name());
            return Err(Error::Streaming { place: place(), rpc });
        }
        let name = descriptors::value_name(rpc.name());
        if let Some(other) = taken.insert(name.clone(), rpc) {
            let (first, second) = (format!("the rpcs `{}`", other.name()), format!("`{}`", rpc.name()));
            return Err(Error::SameName { place: place(), name, first, second });
        }
    }
    Ok(())
}

/// Refuses services whose trait, client or server would have the name of another type of the module.
fn check_types(sources: &Sources, is_extern: impl Fn(&str) -> bool) -> Result<(), Error> {
    let mut modules = BTreeMap::<Module, HashMap<String, String>>::new();
    for file in &sources.files {
        let taken = modules.entry(Module::from_protobuf_package_name(file.package())).or_default();
        let package = descriptors::package_path(file);
        let messages = file.message_type.iter().map(|message| ("message", message.name()));
        let enums = file.enum_type.iter().map(|one| ("enum", one.name()));
        let here = messages.chain(enums).filter(|(_, name)| !is_extern(&format!("{package}{name}")));
        taken.extend(here.map(|(kind, name)| (descriptors::type_name(name), format!("the {kind} `{name}`"))));
    }
    for file in sources.asked_for() {
        let taken = modules.entry(Module::from_protobuf_package_name(file.package())).or_default();
        for (index, service) in file.service.iter().enumerate() {
            let name = descriptors::type_name(service.name());
            for (made, what) in [("", "trait"), ("Client", "client"), ("Server", "server")] {
                let second = format!("the {what} of the service `{}`", service.name());
                let name = format!("{name}{made}");
                if let Some(first) = taken.insert(name.clone(), second.clone()) {
                    let path = [number::FILE_SERVICE, element(index), number::NAME];
                    let place = sources.place(file, &path);
                    return Err(Error::SameName { place, name, first, second });
                }
            }
        }
    }
    Ok(())
}

/// The index of an element as paths have it.
fn element(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

/// The protobuf paths that are mapped to types outside: by themselves, or by what they lie in.
pub(crate) struct Externs(HashSet<String>);

impl Externs {
    /// These, and the well-known types.
    pub(crate) fn new<'a>(paths: impl Iterator<Item = &'a str>) -> Self {
        Self(paths.chain([".google.protobuf"]).map(str::to_owned).collect())
    }

    pub(crate) fn contains(&self, path: &str) -> bool {
        self.0.contains(path) || path.rmatch_indices('.').any(|(dot, _)| self.0.contains(&path[..dot]))
    }
}
