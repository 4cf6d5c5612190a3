//! Owns the name of a row: mode, what is chosen of it, connections and callers, as the command line spells them.

use crate::frame::Size;
use crate::peer::{Mode, Peer};
use crate::setup::Serialization;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

/// What is measured in one row of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) mode: Mode,
    /// Only for mode `rpc`, and only peers that have a choice heed it. `None`: their usual one.
    pub(crate) serialization: Option<Serialization>,
    /// Whether the client finds the server in a registry: each connection goes to a provider of its own.
    pub(crate) registry: bool,
    /// Only for mode `echo`. `None`: the usual one.
    pub(crate) size: Option<Size>,
    pub(crate) connections: NonZeroUsize,
    /// Mode `rpc`: all callers. Mode `echo`: frames in flight per connection.
    pub(crate) callers: NonZeroUsize,
}

impl Row {
    /// The row with this serialization, if it names none and has one.
    pub(super) fn with_default(self, serialization: Option<Serialization>) -> Self {
        let serialization = self.serialization.or(serialization.filter(|_| self.mode == Mode::Rpc));
        Self { serialization, ..self }
    }

    /// The row as it is for this peer: without the choices that it does not have.
    pub(super) fn of(self, peer: Peer) -> Self {
        if peer.has_choice(self.mode) { self } else { Self { serialization: None, registry: false, ..self } }
    }

    /// Whether both put the same load on a server, whatever is chosen: their figures can be compared.
    pub(super) fn has_shape_of(self, other: Self) -> bool {
        let shape = |row: Self| (row.mode, row.size(), row.connections, row.callers);
        shape(self) == shape(other)
    }

    /// Bytes of a frame of mode `echo`.
    pub(crate) fn size(self) -> Size {
        self.size.unwrap_or(Size::USUAL)
    }

    /// Whether this is the other row with a registry in its way.
    pub(super) fn is_registry_of(self, other: Self) -> bool {
        self.registry && Self { registry: false, ..self } == other
    }
}

impl FromStr for Row {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (words, shape) = text.split_once(':')?;
            let (connections, callers) = shape.split_once('x')?;
            let mut words = words.split('+');
            let mode = match words.next()? {
                "rpc" => Mode::Rpc,
                "echo" => Mode::Echo,
                _ => return None,
            };
            let (mut serialization, mut registry, mut size) = (None, false, None);
            for word in words {
                match word {
                    _ if mode == Mode::Echo && size.is_none() => size = Some(word.parse().ok()?),
                    _ if mode != Mode::Rpc => return None,
                    "hessian2" if serialization.is_none() => serialization = Some(Serialization::Hessian2),
                    "protobuf" if serialization.is_none() => serialization = Some(Serialization::Protobuf),
                    "registry" if !registry => registry = true,
                    _ => return None,
                }
            }
            let (connections, callers) = (connections.parse().ok()?, callers.parse().ok()?);
            Some(Self { mode, serialization, registry, size, connections, callers })
        };
        parse().ok_or_else(|| {
            format!(
                "expected a row such as rpc:10x1000, rpc+protobuf+registry:1x200, echo:8x64 or echo+915:8x64, got {text:?}"
            )
        })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let serialization = self.serialization.map(|chosen| format!("+{chosen}")).unwrap_or_default();
        let registry = if self.registry { "+registry" } else { "" };
        let size = self.size.map(|size| format!("+{size}")).unwrap_or_default();
        f.pad(&format!("{}{serialization}{registry}{size}:{}x{}", self.mode, self.connections, self.callers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Row {
        text.parse().unwrap()
    }

    #[test]
    fn a_row_is_spelt_as_it_is_read() {
        for text in [
            "rpc:1x1",
            "rpc:1x200",
            "rpc:10x1000",
            "echo:64x1",
            "echo+915:64x1",
            "rpc+hessian2:1x1",
            "rpc+protobuf:1x1",
            "rpc+registry:2x8",
            "rpc+protobuf+registry:2x8",
        ] {
            assert_eq!(row(text).to_string(), text);
        }
        assert_eq!(row("rpc+registry+protobuf:1x1"), row("rpc+protobuf+registry:1x1"));
    }

    #[test]
    fn what_is_no_row_is_refused() {
        for text in [
            "",
            "rpc",
            "rpc:1",
            "rpc:0x1",
            "rpc:1x0",
            "ping:1x1",
            "rpc:1x1x1",
            "rpc+json:1x1",
            "rpc+:1x1",
            "rpc+protobuf+hessian2:1x1",
            "rpc+registry+registry:1x1",
            "echo+protobuf:1x1",
            "echo+registry:1x1",
            "echo+15:1x1",
            "echo+915+916:1x1",
            "rpc+915:1x1",
            "idle:1x1",
        ] {
            assert!(text.parse::<Row>().is_err(), "{text}");
        }
    }

    #[test]
    fn peers_without_a_choice_take_part_in_the_plain_row() {
        let chosen = row("rpc+protobuf+registry:2x8");
        assert_eq!(chosen.of(Peer::Getty), chosen);
        assert_eq!(chosen.of(Peer::Tarpc), row("rpc:2x8"));
        assert!(chosen.has_shape_of(row("rpc:2x8")) && !chosen.has_shape_of(row("rpc:2x9")));
        assert!(chosen.is_registry_of(row("rpc+protobuf:2x8")) && !chosen.is_registry_of(row("rpc:2x8")));
    }
}
