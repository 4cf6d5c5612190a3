//! The services of a server, and finding the one that a request is for.

use std::{fmt, sync::Arc};

use crate::{
    java,
    service::{Method, Service, Target, is_same_or_both_empty, version_key},
};

/// Names in an error text; a server may have many services.
const NAMED: usize = 16;

/// All services of one server.
#[derive(Default)]
pub(super) struct Services(Vec<Entry>);

struct Entry {
    target: Target,
    service: Arc<dyn Service>,
}

/// One of them, as requests find it.
#[derive(Clone, Copy)]
pub(super) struct Offer<'s> {
    /// Its place among all.
    pub(super) index: usize,
    pub(super) target: &'s Target,
    pub(super) service: &'s Arc<dyn Service>,
}

impl Services {
    pub(super) fn add(&mut self, service: Arc<dyn Service>, version: Option<&str>, group: Option<&str>) {
        let mut target = Target::of(service.info());
        if let Some(version) = version {
            target.version = version.to_owned();
        }
        if let Some(group) = group {
            target.group = group.to_owned();
        }
        self.0.retain(|entry| entry.target != target);
        self.0.push(Entry { target, service });
    }

    /// Those with this interface and version, whatever their group: a request tells its group only behind the arguments.
    pub(super) fn candidates<'s, 'q>(
        &'s self,
        interface: &'q str,
        version: &'q str,
    ) -> impl Iterator<Item = Offer<'s>> + Clone + use<'s, 'q> {
        self.offers().filter(move |offer| {
            offer.target.interface == interface
                && is_same_or_both_empty(version_key(&offer.target.version), version_key(version))
        })
    }

    /// The one at this place.
    pub(super) fn get(&self, index: usize) -> Option<Offer<'_>> {
        let Entry { target, service } = self.0.get(index)?;
        Some(Offer { index, target, service })
    }

    fn offers(&self) -> impl Iterator<Item = Offer<'_>> + Clone {
        self.0.iter().enumerate().map(|(index, Entry { target, service })| Offer { index, target, service })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Target, &Arc<dyn Service>)> {
        self.0.iter().map(|entry| (&entry.target, &entry.service))
    }

    /// Says that there is no such service, and what there is.
    pub(super) fn no_service(&self, asked: &Target) -> String {
        format!(
            "there is no service {asked} here; there is {}",
            listed(self.0.iter().map(|entry| &entry.target))
        )
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|entry| entry.target.to_string())).finish()
    }
}

/// The method that a request is for: the one with this name and descriptor, or else the only one with this name whose parameters
/// the caller may mean, because dubbo-go guesses descriptors from values.
pub(super) fn find_method(methods: &[Method], name: &str, descriptor: &str) -> Result<usize, String> {
    if let Some(exact) =
        methods.iter().position(|m| m.name == name && is_same_or_both_empty(m.descriptor, descriptor))
    {
        return Ok(exact);
    }
    let sent = java::parameters(descriptor);
    let may_mean = |method: &Method| match (&sent, java::parameters(method.descriptor)) {
        (Some(sent), Some(declared)) => {
            sent.len() == declared.len()
                && sent.iter().zip(declared).all(|(sent, declared)| java::may_mean(sent, declared))
        }
        _ => true,
    };
    let mut fitting =
        methods.iter().enumerate().filter(|(_, method)| method.name == name && may_mean(method));
    match (fitting.next(), fitting.next()) {
        (Some((index, _)), None) => Ok(index),
        (Some(_), Some(_)) => Err(format!(
            "several overloads may be meant by {name}({descriptor}); there is {}",
            listed(methods.iter().filter(|m| m.name == name))
        )),
        (None, _) => {
            Err(format!("there is no method {name}({descriptor}); there is {}", listed(methods.iter())))
        }
    }
}

fn listed<T: fmt::Display>(names: impl Iterator<Item = T>) -> String {
    let mut names: Vec<_> = names.map(|name| name.to_string()).collect();
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let count = names.len();
    names.truncate(NAMED);
    let more = if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
    format!("{}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHODS: &[Method] = &[
        Method::new("add", "II", 2),
        Method::new("get", "I", 1),
        Method::new("get", "Ljava/lang/String;", 1),
        Method::new("get", "IJ", 2),
    ];

    #[test]
    fn overloads_are_told_apart_by_descriptor_and_then_by_number_of_parameters() {
        assert_eq!(find_method(METHODS, "get", "Ljava/lang/String;"), Ok(2));
        assert_eq!(find_method(METHODS, "add", "JJ"), Ok(0));
        assert_eq!(find_method(METHODS, "get", "J"), Ok(1));
        assert_eq!(find_method(METHODS, "get", "Ljava/lang/Object;V"), Ok(3));
        assert_eq!(find_method(METHODS, "add", "Ljava/util/Date"), Ok(0), "a descriptor that is none");
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is() {
        let error = find_method(METHODS, "get", "V").unwrap_err();
        assert!(error.contains("get(I)") && error.contains("get(Ljava/lang/String;)"), "{error}");
        let error = find_method(METHODS, "nope", "").unwrap_err();
        assert!(error.contains("nope()") && error.contains("add(II)"), "{error}");
        let many: Vec<_> = (0..40).map(|_| Method::new("m", "I", 1)).collect();
        let error = find_method(&many, "nope", "").unwrap_err();
        assert!(error.ends_with("and 24 more"), "{error}");
    }
}
