//! `java.time`, in handles and in the compact form of hessian-lite 4.0.4.

use getty_hessian2::java::time::{
    Duration, Instant, LocalDate, LocalDateTime, LocalTime, MonthDay, OffsetDateTime, OffsetTime, Period,
    Year, YearMonth, ZoneId, ZoneOffset, ZonedDateTime,
};
use getty_hessian2::{
    Decode, DecodeState, Decoder, ErrorKind, Hessian, JavaType, Kind, Value, from_slice, to_vec,
};

use super::{both_ways, bytes, java, reads};

fn date(text: &str) -> LocalDate {
    text.parse().unwrap()
}

fn clock(text: &str) -> LocalDateTime {
    text.parse().unwrap()
}

#[test]
fn every_time_of_java_is_read_and_written_byte_for_byte() {
    both_ways("duration", &Duration::new(30, 10).unwrap());
    both_ways("instant", &Instant::new(100, 10).unwrap());
    both_ways("localdate", &date("2020-06-16"));
    both_ways("localdate_neg", &date("-0001-01-01"));
    both_ways("localtime", &LocalTime::new(6, 16, 0, 0).unwrap());
    both_ways("localdatetime", &clock("2020-06-16T06:05:04.000000003"));
    both_ways("period", &Period::new(2020, 6, 16));
    both_ways("year", &Year::new(2020).unwrap());
    both_ways("yearmonth", &YearMonth::new(2020, 6).unwrap());
    both_ways("zoneid_shanghai", &ZoneId::new("Asia/Shanghai"));
    both_ways("zoneoffset", &ZoneOffset::from_seconds(7_200).unwrap());
    both_ways("zoneoffset", &ZoneId::new("+02:00"));
    both_ways("offsetdatetime", &"2020-06-16T06:05:04.000000003+02:00".parse::<OffsetDateTime>().unwrap());
    both_ways("offsettime", &"06:05:04.000000003+02:00".parse::<OffsetTime>().unwrap());
}

#[test]
fn a_zoned_time_keeps_clock_offset_and_zone() {
    let date_time = clock("2020-06-16T06:05:04.000000003");
    let zoned = ZonedDateTime::from(OffsetDateTime::new(date_time, ZoneOffset::UTC));
    both_ways("zoneddatetime_z", &zoned);
    assert_eq!(zoned.to_string(), "2020-06-16T06:05:04.000000003Z");
    let offset = ZoneOffset::from_seconds(28_800).unwrap();
    let shanghai = ZonedDateTime::new(date_time, offset, ZoneId::new("Asia/Shanghai"));
    both_ways("zoneddatetime_shanghai", &shanghai);
    assert_eq!(shanghai.to_string(), "2020-06-16T06:05:04.000000003+08:00[Asia/Shanghai]");
    let instant = shanghai.to_instant().unwrap();
    assert_eq!(instant.to_string(), "2020-06-15T22:05:04.000000003Z");
    assert_eq!(OffsetDateTime::from_instant(instant, offset), Ok(OffsetDateTime::new(date_time, offset)));
}

#[test]
fn times_that_the_go_suite_has_java_write_are_read() {
    let suite = |name| bytes("hessian2_testhessian2_vectors", name);
    reads(&suite("java8_MonthDay"), &MonthDay::new(6, 16).unwrap());
    reads(&suite("java8_ZoneId"), &ZoneId::new("Z"));
    reads(&suite("java8_Instant"), &Instant::new(100, 10).unwrap());
    reads(&suite("java8_LocalTime"), &LocalTime::new(6, 16, 0, 0).unwrap());
    let clock: LocalDateTime = from_slice(&suite("java8_LocalDateTime")).unwrap();
    assert_eq!(clock.date, date("2020-06-16"));
    assert_eq!(to_vec(&clock).unwrap(), suite("java8_LocalDateTime"));
    assert!(from_slice::<ZonedDateTime>(&suite("java8_ZonedDateTime")).unwrap().to_instant().is_ok());
}

#[test]
fn compact_dates_and_times_are_one_value_each() {
    let day = date("2020-06-16");
    let time = LocalTime::from_nano_of_day(0x1484_a8c9_4000).unwrap();
    assert_eq!(from_slice::<LocalDate>(&java("compact_localdate")).unwrap(), day);
    assert_eq!(from_slice::<LocalTime>(&java("compact_localtime")).unwrap(), time);
    assert_eq!(Value::parse(&java("compact_localdate")).unwrap().root().to::<LocalDate>().unwrap(), day);
    let zoned: ZonedDateTime = from_slice(&java("compact_zoneddatetime")).unwrap();
    assert_eq!((zoned.date_time.date, zoned.zone.as_str()), (day, "Asia/Shanghai"));
    assert_eq!(zoned.date_time.time, LocalTime::from_nano_of_day(0x13eb_ec23_a003).unwrap());
    // What is written are handles, which older versions read as well.
    assert_eq!(to_vec(&day).unwrap(), java("localdate"));
}

#[test]
fn a_compact_date_in_a_list_leaves_the_items_behind_it_alone() {
    let bytes = java("compact_list_ld_lt");
    let mut state = DecodeState::new();
    let mut d = Decoder::new(&bytes, &mut state);
    let mut list = d.list().unwrap();
    assert!(d.next_item(&mut list).unwrap());
    assert_eq!(d.read::<LocalDate>().unwrap(), date("2020-06-16"));
    assert!(d.next_item(&mut list).unwrap());
    assert_eq!(d.read::<LocalTime>().unwrap().hour(), 6);
    assert!(d.next_item(&mut list).unwrap());
    assert_eq!(d.read::<&str>().unwrap(), "tail");
    assert!(!d.next_item(&mut list).unwrap());
    d.end().unwrap();
    assert_eq!(from_slice::<Vec<()>>(&bytes).unwrap().len(), 3, "skipping finds three items");
    let value = Value::parse(&bytes).unwrap();
    assert_eq!((value.root().len(), value.root().at(2).as_str()), (3, Some("tail")));
    assert_eq!(value.root().at(0).class(), Some("java.time.LocalDate"));
    assert_eq!(to_vec(&value).unwrap(), bytes);
}

#[test]
fn a_reference_to_a_compact_date_reads_the_date_again() {
    // [date, the same, "x"]
    let bytes = [b"\x7bC\x13java.time.LocalDate\x90\x60\x3c\x47\xfd", &b"\x51\x91\x01x"[..]].concat();
    let mut state = DecodeState::new();
    let mut d = Decoder::new(&bytes, &mut state);
    let mut list = d.list().unwrap();
    for _ in 0..2 {
        assert!(d.next_item(&mut list).unwrap());
        assert_eq!(d.read::<LocalDate>().unwrap(), date("2020-06-16"));
    }
    assert!(d.next_item(&mut list).unwrap());
    assert_eq!(d.read::<char>().unwrap(), 'x');
}

#[test]
fn a_class_of_that_name_whose_fields_have_names_has_no_value_behind_it() {
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "java.time.LocalDate")]
    struct Named {
        year: i32,
    }
    let bytes = to_vec(&vec![Named { year: 1 }, Named { year: 2 }]).unwrap();
    assert_eq!(from_slice::<Vec<Named>>(&bytes).unwrap().len(), 2);
    assert_eq!(to_vec(&Value::parse(&bytes).unwrap()).unwrap(), bytes);
    // A map cannot stand for an object whose field has no name.
    let error =
        from_slice::<std::collections::BTreeMap<String, i64>>(&java("compact_localdate")).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unexpected { expected: "map", .. }), "{error}");
}

fn refused<T: for<'de> Decode<'de> + std::fmt::Debug>(bytes: &[u8], what: &str, value: i64) {
    let error = from_slice::<T>(bytes).unwrap_err();
    let ErrorKind::Range(range) = error.kind() else { panic!("{error}") };
    assert_eq!((range.what, range.value), (what, value));
}

#[test]
fn numbers_that_java_refuses_are_typed_errors() {
    let map = |entries: &[(&str, i64)]| {
        let map: std::collections::BTreeMap<&str, i64> = entries.iter().copied().collect();
        to_vec(&map).unwrap()
    };
    refused::<LocalDate>(&map(&[("year", 2024), ("month", 13), ("day", 1)]), "the month", 13);
    refused::<LocalDate>(&map(&[("year", 2023), ("month", 2), ("day", 29)]), "the day of the month", 29);
    refused::<LocalDate>(
        &map(&[("year", 2_000_000_000), ("month", 2), ("day", 1)]),
        "the year",
        2_000_000_000,
    );
    refused::<LocalTime>(&map(&[("hour", 24)]), "the hour", 24);
    refused::<LocalTime>(&map(&[("hour", 1), ("nano", -1)]), "the nanosecond", -1);
    refused::<ZoneOffset>(&map(&[("seconds", 64_801)]), "the offset in seconds", 64_801);
    refused::<ZoneId>(&map(&[("seconds", -64_801)]), "the offset in seconds", -64_801);
    refused::<Duration>(&map(&[("seconds", 1), ("nanos", 1_000_000_000)]), "the nanosecond", 1_000_000_000);
    refused::<Instant>(&map(&[("seconds", i64::MAX)]), "the second since 1970", i64::MAX);
    refused::<MonthDay>(&map(&[("month", 2), ("day", 30)]), "the day of the month", 30);
    refused::<YearMonth>(&map(&[("year", 1), ("month", 0)]), "the month", 0);
    refused::<Year>(&map(&[("year", -1_000_000_000)]), "the year", -1_000_000_000);
    let compact =
        |class: &[u8], long: &str| [b"C\x13", class, b"\x90\x60", &crate::malformed::unhex(long)].concat();
    refused::<LocalDate>(
        &compact(b"java.time.LocalDate", "4c7fffffffffffffff"),
        "the day since 1970-01-01",
        i64::MAX,
    );
    refused::<LocalTime>(&compact(b"java.time.LocalTime", "df"), "the nanosecond of the day", -1);
    assert!(from_slice::<LocalDate>(&compact(b"java.time.LocalDate", "")).unwrap_err().is_unexpected_end());
    assert!(from_slice::<LocalDate>(b"\x01a").is_err());
    let error = from_slice::<LocalDateTime>(&map(&[("date", i64::MIN), ("time", 0)])).unwrap_err();
    assert_eq!(error.path(), "date");
    refused::<LocalDate>(b"HZ", "the month", 0);
    let error = from_slice::<ZoneId>(b"HZ").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::MissingField { field: "zoneId" }), "{error}");
}

#[test]
fn descriptors_are_those_of_java_time() {
    assert_eq!(LocalDate::DESCRIPTOR, "Ljava/time/LocalDate;");
    assert_eq!(<Option<ZonedDateTime>>::DESCRIPTOR, "Ljava/time/ZonedDateTime;");
    assert_eq!(<Vec<Instant>>::DESCRIPTOR, "Ljava/util/List;");
    assert_eq!(Decoder::new(b"C", &mut DecodeState::new()).peek(), Some(Kind::Object));
}
