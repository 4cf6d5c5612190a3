//! Bytes that were changed on the way: every type of Java gives a value that it can write again, or an error.

use std::fmt::Debug;

use getty_hessian2::java::time::{
    Duration, Instant, LocalDate, LocalDateTime, LocalTime, MonthDay, OffsetDateTime, OffsetTime, Period,
    Year, YearMonth, ZoneId, ZoneOffset, ZonedDateTime,
};
use getty_hessian2::java::{
    Array, BigDecimal, BigInteger, Calendar, ClassName, Currency, EnumSet, Locale, OrderedMap, Uuid, sql,
};
use getty_hessian2::{Decode, Encode, Throwable, Value, from_slice, to_vec};

use crate::malformed::unhex;
use crate::tree::{read, rows};

/// Reads the bytes as a `T`; what was read must come back from what it writes.
fn comes_back<T: for<'de> Decode<'de> + Encode + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(value) = from_slice::<T>(bytes) {
        assert_eq!(from_slice::<T>(&to_vec(&value).unwrap()).unwrap(), value, "{bytes:02x?}");
    }
}

const TYPES: [fn(&[u8]); 26] = [
    comes_back::<Duration>,
    comes_back::<Instant>,
    comes_back::<LocalDate>,
    comes_back::<LocalDateTime>,
    comes_back::<LocalTime>,
    comes_back::<MonthDay>,
    comes_back::<OffsetDateTime>,
    comes_back::<OffsetTime>,
    comes_back::<Period>,
    comes_back::<Year>,
    comes_back::<YearMonth>,
    comes_back::<ZoneId>,
    comes_back::<ZoneOffset>,
    comes_back::<ZonedDateTime>,
    comes_back::<Array<Option<i32>>>,
    comes_back::<BigDecimal>,
    comes_back::<BigInteger>,
    comes_back::<Calendar>,
    comes_back::<ClassName>,
    comes_back::<Currency>,
    comes_back::<EnumSet<Value>>,
    comes_back::<Locale>,
    comes_back::<OrderedMap<Value, Value>>,
    comes_back::<Uuid>,
    comes_back::<sql::Timestamp>,
    comes_back::<Throwable>,
];

#[test]
fn a_changed_byte_ends_in_a_value_that_comes_back_or_in_an_error() {
    let text = read("hessian2_java_vectors");
    let names = [
        "local", "zone", "offset", "period", "year", "big", "uuid", "duration", "instant", "sql_", "compact",
    ];
    let rows = rows(&text).into_iter().filter(|row| names.iter().any(|name| row.name.starts_with(name)));
    let mut read = 0;
    for row in rows {
        let bytes = unhex(row.hex.as_deref().unwrap());
        for at in 0..bytes.len() {
            for byte in [bytes[at] ^ 1, 0x4e, 0xff] {
                let mut changed = bytes.clone();
                changed[at] = byte;
                TYPES.iter().for_each(|comes_back| comes_back(&changed));
                read += 1;
            }
            TYPES.iter().for_each(|comes_back| comes_back(&bytes[..at]));
        }
    }
    assert!(read > 5_000, "{read}");
}
