//! Owns what can go wrong, and how it is said: where, what, and what to do.

use std::{fmt, io};

use crate::Place;

/// Why no Rust file was made. Each says where, if that is in a `.proto` file, and what to do.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A `.proto` file is missing, cannot be read, or is no valid protobuf.
    #[error("{}", Joined(.problems))]
    Proto {
        /// What is wrong, at least one.
        problems: Vec<Problem>,
    },
    /// A file is written in an edition.
    #[error(
        "{place}: editions are not supported: their features change names in Java and presence on the wire; \
         write `syntax = \"proto3\";`{}", .place.excerpt()
    )]
    Edition {
        /// The statement.
        place: Place,
    },
    /// An rpc streams.
    #[error(
        "{place}: the rpc `{rpc}` streams, but a call of the Dubbo protocol carries one request and one answer; \
         take `stream` away, or move the rpc to a service that is not compiled here{}", .place.excerpt()
    )]
    Streaming {
        /// The rpc.
        place: Place,
        /// Its name, such as `com.x.Greeter.Watch`.
        rpc: String,
    },
    /// A file's `java_outer_classname` is the name of a message, enum or service in it, which protoc's Java generator refuses.
    #[error(
        "{place}: `{class}` is declared in this file, so it cannot be its java_outer_classname too; \
         give the option another value{}", .place.excerpt()
    )]
    OuterClass {
        /// The statement.
        place: Place,
        /// The name.
        class: String,
    },
    /// Two things of a `.proto` file have the same name in Rust.
    #[error("{place}: {first} and {second} are both `{name}` in Rust; rename one{}", .place.excerpt())]
    SameName {
        /// The service or the rpc.
        place: Place,
        /// The name in Rust.
        name: String,
        /// One of the two.
        first: String,
        /// The other.
        second: String,
    },
    /// A setting is for a service or an rpc that no file declares.
    #[error("{setting}(\"{name}\", ..) names nothing in the .proto files, which declare {}", List(.known))]
    Unknown {
        /// The builder's method.
        setting: &'static str,
        /// What it was given.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The type of an exception is no path of Rust.
    #[error(
        "exception(\"{rpc}\", \"{text}\"): expected a Rust type as the generated code sees it, such as `crate::NotFound`"
    )]
    Exception {
        /// The rpc.
        rpc: String,
        /// What it was given.
        text: String,
    },
    /// There is no directory to write to.
    #[error(
        "OUT_DIR is not set, as Cargo does it for build scripts: call this from build.rs, or set out_dir(..)"
    )]
    OutDir,
    /// The Rust files could not be made or written.
    #[error("the Rust files of the .proto files could not be made: {0}")]
    Generate(#[source] io::Error),
}

/// As `Display`: it is what a build script that returns the error from `main` shows.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One thing that is wrong with a `.proto` file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Where, if it is in a file that could be read; the first is where it was noticed.
    pub places: Vec<Place>,
    /// What is wrong.
    pub message: String,
    /// What to do, if there is more to say than that.
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [place, ..] = &*self.places {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        self.places.iter().try_for_each(|place| place.excerpt().fmt(f))?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

struct Joined<'a>(&'a [Problem]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, problem)| {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{problem}")
        })
    }
}

struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("none"),
            names => write!(f, "`{}`", names.join("`, `")),
        }
    }
}
