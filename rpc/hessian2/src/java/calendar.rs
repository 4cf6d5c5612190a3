//! Owns `Calendar`, as far as it reaches the wire.

use super::{ClassName, JavaType};
use crate::date::Date;
use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::Result;
use crate::sink::Sink;

/// `java.util.Calendar`: a point in time and the kind of calendar. Java does not send the time zone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Calendar {
    /// The point in time.
    pub date: Date,
    /// Java's class; none is `java.util.GregorianCalendar`.
    pub class: Option<ClassName>,
}

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.CalendarHandle")]
struct Handle {
    date: Date,
    r#type: Option<ClassName>,
}

impl From<Date> for Calendar {
    fn from(date: Date) -> Self {
        Self { date, class: None }
    }
}

impl Encode for Calendar {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        Handle { date: self.date, r#type: self.class.clone() }.encode_to(e)
    }
}

impl<'de> Decode<'de> for Calendar {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        d.read::<Handle>().map(|handle| Self { date: handle.date, class: handle.r#type })
    }
}

impl JavaType for Calendar {
    const DESCRIPTOR: &'static str = "Ljava/util/Calendar;";
}
