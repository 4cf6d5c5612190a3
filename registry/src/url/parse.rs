//! Owns the way from text to parts: where a URL is split, in its text form and in its raw form, and what each part may
//! hold. Must never let a character of a password decide which host is dialled.
//!
//! ```text
//! protocol :// [ username [ : password ] @ ] hosts [ / path ] [ ? name = value { & name = value } ]
//! ```
//!
//! In the text form every part is percent-decoded, once. In the raw form, which is what a node name decodes to, path and
//! parameters stand as they are; only the separators that they hold are hidden ([`super::percent::shield`]).

use super::error::{Part, UrlError};
use super::parameters::Parameters;
use super::percent::{self, Plus, Separator};
use super::{MAX_ENCODED_BYTES, MAX_PARAMETERS, UrlBuilder};
use crate::address::split_host_port;

pub(super) const PATH_SEPARATORS: &[Separator] = &[('?', "3F")];
pub(super) const NAME_SEPARATORS: &[Separator] = &[('&', "26"), ('=', "3D")];
pub(super) const VALUE_SEPARATORS: &[Separator] = &[('&', "26")];

/// How path and parameters are written.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// As a person writes a URL.
    Text,
    /// As Dubbo builds a URL before it encodes the whole.
    Raw,
}

/// A URL taken apart and decoded, all but its hosts: a fixed list has several.
pub(crate) struct Split<'a> {
    /// User name and password as they were written.
    pub(crate) user: Option<&'a str>,
    /// The hosts and ports as they were written.
    pub(crate) hosts: &'a str,
    /// Everything else; its host is still empty.
    others: UrlBuilder,
}

impl<'a> Split<'a> {
    pub(crate) fn text(text: &'a str) -> Result<Self, UrlError> {
        Self::new(text, Form::Text)
    }

    pub(super) fn raw(text: &'a str) -> Result<Self, UrlError> {
        Self::new(text, Form::Raw)
    }

    fn new(text: &'a str, form: Form) -> Result<Self, UrlError> {
        if text.len() > MAX_ENCODED_BYTES {
            return Err(UrlError::TooLong);
        }
        let (protocol, rest) = text.split_once("://").ok_or(UrlError::NoProtocol)?;
        let (authority, tail) = match rest.find(['/', '?']) {
            Some(end) => rest.split_at(end),
            None => (rest, ""),
        };
        if form == Form::Text && tail.contains('@') {
            return Err(UrlError::AtSign { separator: if tail.starts_with('/') { '/' } else { '?' } });
        }
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        let mut others = UrlBuilder::new(protocol, "");
        if let Some(user) = user {
            let (username, password) = match user.split_once(':') {
                Some((username, password)) => (username, Some(password)),
                None => (user, None),
            };
            others = others.username(component(username, Part::Username, Form::Text)?);
            if let Some(password) = password {
                others = others.password(component(password, Part::Password, Form::Text)?);
            }
        }
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        others = others.path(component(path.strip_prefix('/').unwrap_or(path), Part::Path, form)?);
        Ok(Self { user, hosts, others: others.parameters(parameters(query, form)?) })
    }

    /// The URL of one host of [`Split::hosts`], which may be followed by a port.
    pub(crate) fn with_host(&self, host: &str) -> Result<super::Url, UrlError> {
        let (host, port) = split_host_port(host)?;
        self.others.clone().host_port(host, port).build()
    }
}

fn parameters(query: &str, form: Form) -> Result<Parameters, UrlError> {
    let mut parameters = Parameters::default();
    for piece in query.split('&').filter(|piece| !piece.is_empty()) {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        parameters
            .set(component(name, Part::ParameterName, form)?, component(value, Part::ParameterValue, form)?);
        if parameters.len() > MAX_PARAMETERS {
            return Err(UrlError::TooManyParameters);
        }
    }
    Ok(parameters)
}

fn component(text: &str, part: Part, form: Form) -> Result<String, UrlError> {
    match form {
        Form::Text => {
            // Other readers of such a text end it at one of these, each somewhere else.
            let ambiguous = |c: &char| matches!(c, '#' | '@') || c.is_whitespace() || c.is_control();
            match text.chars().find(ambiguous) {
                Some(character) => Err(UrlError::Character { part, character }),
                None => percent::decode(text, part, Plus::Plus),
            }
        }
        Form::Raw => Ok(percent::unshield(
            text,
            match part {
                Part::Path => PATH_SEPARATORS,
                Part::ParameterName => NAME_SEPARATORS,
                _ => VALUE_SEPARATORS,
            },
        )),
    }
}
