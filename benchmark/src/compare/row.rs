//! Owns the name of a row: mode, connections and callers, as the command line spells them.

use crate::peer::Mode;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

/// What is measured in one row of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) mode: Mode,
    pub(crate) connections: NonZeroUsize,
    /// Mode `rpc`: all callers. Mode `echo`: frames in flight per connection.
    pub(crate) callers: NonZeroUsize,
}

impl FromStr for Row {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (mode, shape) = text.split_once(':')?;
            let (connections, callers) = shape.split_once('x')?;
            let mode = match mode {
                "rpc" => Mode::Rpc,
                "echo" => Mode::Echo,
                _ => return None,
            };
            Some(Self { mode, connections: connections.parse().ok()?, callers: callers.parse().ok()? })
        };
        parse().ok_or_else(|| format!("expected a row such as rpc:10x1000 or echo:8x64, got {text:?}"))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}:{}x{}", self.mode, self.connections, self.callers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_spelt_as_it_is_read() {
        for text in ["rpc:1x1", "rpc:10x1000", "echo:64x1"] {
            assert_eq!(text.parse::<Row>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_row_is_refused() {
        for text in ["", "rpc", "rpc:1", "rpc:0x1", "rpc:1x0", "ping:1x1", "rpc:1x1x1"] {
            assert!(text.parse::<Row>().is_err(), "{text}");
        }
    }
}
