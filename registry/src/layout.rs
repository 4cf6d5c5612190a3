//! Owns Dubbo's layout of interface-level registries: which URL is which node, in ZooKeeper as in etcd. Knows no server.
//!
//! `/<root>/<interface>/<category>/<url>`, interface and url percent-encoded once, each a single part of the path. Seen
//! in ZooKeeper and etcd as Dubbo Java 3.3.6 and 2.7.23 and dubbo-go 3.3.2 write them.

use crate::target::PROVIDERS;
use crate::url::{Url, encode_part};

/// The category that holds consumers.
const CONSUMERS: &str = "consumers";

/// A node of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    /// The path of its parent, without a slash at its end.
    pub(crate) directory: String,
    /// The last part of its path.
    pub(crate) name: String,
}

impl Node {
    /// The node of a URL; `None` if the URL names no interface.
    pub(crate) fn of(root: &str, url: &Url) -> Option<Self> {
        let category = match url.parameter("category") {
            Some(category) if !category.is_empty() => encode_part(category),
            _ if url.protocol() == "consumer" => CONSUMERS.to_owned(),
            _ => PROVIDERS.to_owned(),
        };
        Some(Self { directory: directory(root, url.interface()?, &category), name: url.encode() })
    }

    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.directory, self.name)
    }
}

/// The directory of the providers of an interface.
pub(crate) fn providers(root: &str, interface: &str) -> String {
    directory(root, interface, PROVIDERS)
}

fn directory(root: &str, interface: &str, category: &str) -> String {
    let root = if root.is_empty() { String::new() } else { format!("/{root}") };
    format!("{root}/{}/{category}", encode_part(interface))
}

#[cfg(test)]
mod tests {
    use super::{Node, providers};
    use crate::url::Url;

    fn path(text: &str) -> String {
        Node::of("dubbo", &Url::parse(text).unwrap()).unwrap().path()
    }

    #[test]
    fn a_url_is_one_node_of_its_interface_and_category() {
        assert_eq!(
            path("dubbo://10.0.0.5:20880/com.x.Greeter?interface=com.x.Greeter"),
            "/dubbo/com.x.Greeter/providers/dubbo%3A%2F%2F10.0.0.5%3A20880%2Fcom.x.Greeter%3Finterface%3Dcom.x.Greeter"
        );
        assert_eq!(
            path("consumer://10.0.0.6/com.x.Greeter"),
            "/dubbo/com.x.Greeter/consumers/consumer%3A%2F%2F10.0.0.6%2Fcom.x.Greeter"
        );
        assert_eq!(
            path("dubbo://10.0.0.6/com.x.Greeter?category=consumers"),
            "/dubbo/com.x.Greeter/consumers/dubbo%3A%2F%2F10.0.0.6%2Fcom.x.Greeter%3Fcategory%3Dconsumers"
        );
        assert_eq!(Node::of("dubbo", &Url::parse("dubbo://h:1").unwrap()), None);
    }

    #[test]
    fn an_interface_is_one_part_of_the_path_whatever_it_holds() {
        assert_eq!(providers("dubbo", "com.x.A$B/../c d"), "/dubbo/com.x.A%24B%2F..%2Fc%20d/providers");
        assert_eq!(providers("", "x"), "/x/providers");
        assert_eq!(providers("a/b", "x"), "/a/b/x/providers");
    }
}
