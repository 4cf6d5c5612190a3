//! Owns `EnumSet`, which names the class of its constants even when it is empty.

use super::{ClassName, JavaType};
use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::Result;
use crate::kind::Kind;
use crate::sink::Sink;

/// `java.util.EnumSet`: constants of an enum `T`, whose [`JavaType`] names the class.
///
/// Read from hessian-lite's handle, from that of Caucho's Hessian, and from lists of any class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EnumSet<T>(
    /// The constants. Nothing keeps one from being there twice.
    pub Vec<T>,
);

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.EnumSetHandler")]
struct Handler<T> {
    objects: T,
    r#type: ClassName,
}

/// An array of type `Object[]`.
struct Objects<'t, T>(&'t [T]);

impl<T: Encode> Encode for Objects<'_, T> {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        e.list_of("[object", self.0.len())?;
        for (index, item) in self.0.iter().enumerate() {
            item.encode_to(e).map_err(|error| error.in_item(index))?;
        }
        e.end_list();
        Ok(())
    }
}

impl<T: Encode + JavaType> Encode for EnumSet<T> {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        let descriptor = T::DESCRIPTOR;
        let class =
            descriptor.strip_prefix('L').and_then(|rest| rest.strip_suffix(';')).unwrap_or(descriptor);
        Handler { objects: Objects(&self.0), r#type: ClassName::new(class.replace('/', ".")) }.encode_to(e)
    }
}

impl<'de, T: Decode<'de>> Decode<'de> for EnumSet<T> {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        static NAMES: [&str; 2] = ["objects", "elements"];
        if matches!(d.peek(), Some(Kind::List)) {
            return d.read().map(Self);
        }
        let mut items: Option<Vec<T>> = None;
        let mut object = d.object(&NAMES)?;
        while let Some(field) = d.next_field(&mut object)? {
            match field {
                0 | 1 => d.field(&mut items, "objects")?,
                _ => d.skip()?,
            }
        }
        crate::decode::required(items, "objects").map(Self)
    }
}

impl<T> JavaType for EnumSet<T> {
    const DESCRIPTOR: &'static str = "Ljava/util/EnumSet;";
}

impl<T> FromIterator<T> for EnumSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}
