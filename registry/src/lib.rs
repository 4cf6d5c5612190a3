//! Who provides what, where: Dubbo URLs and the lists of addresses made of them. Knows no transport: it opens no
//! socket and resolves no name.
//!
//! | module | owns |
//! |---|---|
//! | [`url`] | [`Url`], its text form and its form as a name of a registry node |
//! | [`address`] | [`Address`], a host and a port, the host as it was written |
//! | [`fixed`] | [`FixedList`], providers that a user writes down, so that no registry has to run |
//!
//! ```
//! use getty_registry::{FixedList, Url};
//!
//! let url = Url::parse("dubbo://10.0.0.5:20880/com.x.Greeter?version=1.0.0&group=eu")?;
//! assert_eq!(url.service_key().as_deref(), Some("eu/com.x.Greeter:1.0.0"));
//! assert_eq!(Url::decode(&url.encode())?, url);
//!
//! let list = FixedList::parse("dubbo://a.example:20880,b.example:20880?version=1.0.0")?;
//! assert_eq!(list.urls().len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod address;
pub mod fixed;
pub mod url;

pub use crate::address::Address;
pub use crate::fixed::{FixedList, FixedListError};
pub use crate::url::{ParameterError, Part, Url, UrlBuilder, UrlError};
