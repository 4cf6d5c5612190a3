//! Owns reading: from `.proto` files to their descriptors, and from what is wrong with them to an [`Error`]. It judges nothing that
//! protobuf allows.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use miette::Diagnostic;
use prost_types::FileDescriptorProto;
use protox::Compiler;

use crate::{Error, Place, Problem};

/// All files, imported ones before those that import them.
pub(crate) struct Sources {
    pub(crate) files: Vec<FileDescriptorProto>,
    paths: HashMap<String, PathBuf>,
    imported: HashSet<String>,
}

impl Sources {
    pub(crate) fn read(protos: &[impl AsRef<Path>], includes: &[impl AsRef<Path>]) -> Result<Self, Error> {
        let refused = |error: protox::Error| explain(&error, protos, includes);
        let mut compiler = Compiler::new(includes).map_err(refused)?;
        compiler.include_imports(true).include_source_info(true).open_files(protos).map_err(refused)?;
        let paths = compiler
            .files()
            .filter_map(|file| Some((file.name().to_owned(), file.path()?.to_owned())))
            .collect();
        let imported =
            compiler.files().filter(|file| file.is_import()).map(|file| file.name().to_owned()).collect();
        Ok(Self { files: compiler.file_descriptor_set().file, paths, imported })
    }

    /// The files that were asked for, so without those that they import.
    pub(crate) fn asked_for(&self) -> impl Iterator<Item = &FileDescriptorProto> {
        self.files.iter().filter(|file| !self.imported.contains(file.name()))
    }

    /// The files on disk; those that come with the compiler are not among them.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.paths.values().map(PathBuf::as_path)
    }

    /// Where the element with this path in the descriptor stands, as `SourceCodeInfo` defines both.
    pub(crate) fn place(&self, file: &FileDescriptorProto, path: &[i32]) -> Place {
        let on_disk = self.paths.get(file.name()).cloned().unwrap_or_else(|| file.name().into());
        let source = fs::read_to_string(&on_disk).unwrap_or_default();
        let locations = file.source_code_info.iter().flat_map(|info| &info.location);
        let span = locations.into_iter().find(|location| location.path == path).map(|found| &*found.span);
        let number = |value: i32| usize::try_from(value).unwrap_or_default();
        match span {
            Some(&[line, start, end]) => {
                let width = number(end).saturating_sub(number(start));
                Place::at_line(on_disk, &source, number(line), number(start), width)
            }
            Some(&[line, start, ..]) => {
                Place::at_line(on_disk, &source, number(line), number(start), usize::MAX)
            }
            _ => Place::at_line(on_disk, &source, 0, 0, 0),
        }
    }
}

fn explain(error: &protox::Error, protos: &[impl AsRef<Path>], includes: &[impl AsRef<Path>]) -> Error {
    let file = error.file().map(|name| Found::new(name, includes));
    let related = error.related().into_iter().flatten();
    let mut problems: Vec<_> = std::iter::once(error as &dyn Diagnostic)
        .chain(related)
        .map(|one| problem(one, file.as_ref()))
        .collect();
    if let Some(place) = problems.first().and_then(|first| first.places.first())
        && error.is_parse()
        && place.text().trim_start().starts_with("edition")
    {
        return Error::Edition { place: place.clone() };
    }
    if let Some(first) =
        problems.first_mut().filter(|first| first.help.is_none() && error.is_file_not_found())
    {
        first.help = Some(missing(protos, includes));
    }
    Error::Proto { problems }
}

/// A file that an error names.
struct Found {
    path: PathBuf,
    source: Option<String>,
}

impl Found {
    fn new(name: &str, includes: &[impl AsRef<Path>]) -> Self {
        let mut candidates = includes.iter().map(|include| include.as_ref().join(name));
        let path = candidates.find(|path| path.is_file()).unwrap_or_else(|| name.into());
        let source = fs::read_to_string(&path).ok();
        Self { path, source }
    }
}

fn problem(diagnostic: &dyn Diagnostic, file: Option<&Found>) -> Problem {
    let mut message = diagnostic.to_string();
    let mut places = Vec::new();
    if let Some(Found { path, source }) = file {
        if let Some(source) = source {
            let labels = diagnostic.labels().into_iter().flatten();
            places.extend(labels.map(|label| {
                Place::at_offset(path.clone(), source, label.offset(), label.len())
                    .labelled(label.label().unwrap_or_default())
            }));
        }
        if places.is_empty() {
            message = format!("{}: {message}", path.display());
        }
    }
    let cause = std::error::Error::source(diagnostic);
    if let Some(cause) = cause.map(ToString::to_string).filter(|cause| !message.contains(cause)) {
        message = format!("{message}: {cause}");
    }
    Problem { places, message, help: diagnostic.help().map(|help| help.to_string()) }
}

/// What to do about a file that was not found.
fn missing(protos: &[impl AsRef<Path>], includes: &[impl AsRef<Path>]) -> String {
    let show = |paths: &mut dyn Iterator<Item = &Path>| {
        paths.map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
    };
    let absent = show(&mut protos.iter().map(AsRef::as_ref).filter(|path| !path.exists()));
    if !absent.is_empty() {
        return format!("there is no {absent}; paths start from the directory of the package");
    }
    let searched = show(&mut includes.iter().map(AsRef::as_ref));
    format!("the includes are {searched}; each file and each import must lie in one of them")
}
