//! Types of other crates, each behind the feature of its crate: they have the bytes of Java's types, and what does not
//! fit is a typed error.

#[cfg(feature = "uuid")]
#[test]
fn a_uuid_of_the_crate_has_the_bytes_of_java() {
    use getty_hessian2::{ErrorKind, JavaType, from_slice, to_vec};

    let uuid = uuid::Uuid::from_u128(0x065e_d3cd_2bdb_47e4_9ca0_0c0f_b2e0_bbf6);
    super::both_ways("uuid", &uuid);
    assert_eq!(uuid::Uuid::DESCRIPTOR, "Ljava/util/UUID;");
    let error = from_slice::<uuid::Uuid>(&to_vec("x").unwrap()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unexpected { .. }), "{error}");
}

#[cfg(feature = "num-bigint")]
#[test]
fn an_integer_of_the_crate_has_the_bytes_of_java() {
    use getty_hessian2::{ErrorKind, JavaType, from_slice};

    for text in ["0", "1", "-1", "-4294967298", "-12347890123456789012345678123456781234"] {
        let number: num_bigint::BigInt = text.parse().unwrap();
        super::both_ways(&format!("biginteger_{}", text.replace('-', "m")), &number);
    }
    assert_eq!(num_bigint::BigInt::DESCRIPTOR, "Ljava/math/BigInteger;");
    let error = from_slice::<num_bigint::BigInt>(b"H\x06signum\x91Z").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Range(_)), "{error}");
}

#[cfg(feature = "bigdecimal")]
#[test]
fn a_decimal_of_the_crate_has_the_bytes_of_java_and_needs_a_scale_of_java() {
    use bigdecimal::BigDecimal;
    use getty_hessian2::{ErrorKind, JavaType, from_slice, java, to_vec};

    for (name, text) in
        [("0", "0"), ("100_256", "100.256"), ("0_1000", "0.1000"), ("1Ep10", "1E+10"), ("1Em10", "1E-10")]
    {
        let number: BigDecimal = text.parse().unwrap();
        super::both_ways(&format!("bigdecimal_{name}"), &number);
        let ours: java::BigDecimal = text.parse().unwrap();
        assert_eq!(java::BigDecimal::try_from(number).unwrap(), ours);
    }
    assert_eq!(BigDecimal::DESCRIPTOR, "Ljava/math/BigDecimal;");
    let minus: BigDecimal = "-1.5".parse().unwrap();
    assert_eq!(java::BigDecimal::try_from(minus).unwrap().to_string(), "-1.5");
    let error = to_vec(&BigDecimal::from_bigint(1.into(), 1 << 40)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::OutOfRange { .. }), "{error}");
    // What fits there takes no memory for its zeros.
    let wide: BigDecimal =
        from_slice(&to_vec(&"1E+2147483647".parse::<java::BigDecimal>().unwrap()).unwrap()).unwrap();
    assert_eq!(wide.into_bigint_and_scale().1, -2_147_483_647);
}

#[cfg(feature = "chrono")]
mod chrono_types {
    use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
    use getty_hessian2::java::time::{Duration, Instant, LocalDate, OffsetDateTime};
    use getty_hessian2::{Date, ErrorKind, JavaType, from_slice, to_vec};

    use crate::java::both_ways;

    #[test]
    fn times_of_chrono_have_the_bytes_of_java() {
        let date = NaiveDate::from_ymd_opt(2020, 6, 16).unwrap();
        let time = NaiveTime::from_hms_nano_opt(6, 5, 4, 3).unwrap();
        both_ways("localdate", &date);
        both_ways("localdate_neg", &NaiveDate::from_ymd_opt(-1, 1, 1).unwrap());
        both_ways("localtime", &NaiveTime::from_hms_opt(6, 16, 0).unwrap());
        both_ways("localdatetime", &NaiveDateTime::new(date, time));
        both_ways("instant", &DateTime::<Utc>::from_timestamp(100, 10).unwrap());
        both_ways("zoneoffset", &FixedOffset::east_opt(7_200).unwrap());
        both_ways("duration", &TimeDelta::new(30, 10).unwrap());
        let local = NaiveDateTime::new(date, time).and_local_timezone(FixedOffset::east_opt(7_200).unwrap());
        both_ways("offsetdatetime", &local.unwrap());
        assert_eq!(<Option<DateTime<Utc>>>::DESCRIPTOR, "Ljava/time/Instant;");
    }

    #[test]
    fn negative_durations_and_times_before_1970_come_back() {
        for millis in [0, 1, -1, -1_500, 1_500, -60_000] {
            let delta = TimeDelta::milliseconds(millis);
            let ours = Duration::try_from(delta).unwrap();
            assert_eq!(ours.seconds() * 1_000 + i64::from(ours.nanos()) / 1_000_000, millis);
            assert_eq!(TimeDelta::try_from(ours).unwrap(), delta);
            let time = DateTime::<Utc>::from_timestamp_millis(millis).unwrap();
            assert_eq!(DateTime::try_from(Instant::try_from(time).unwrap()).unwrap(), time);
            assert_eq!(Date::from(time), Date::from_millis(millis));
            assert_eq!(DateTime::<Utc>::try_from(Date::from_millis(millis)).unwrap(), time);
        }
    }

    #[test]
    fn what_one_side_lacks_is_a_typed_error() {
        let far: LocalDate = "+999999999-12-31".parse().unwrap();
        let error = from_slice::<NaiveDate>(&to_vec(&far).unwrap()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::OutOfRange { target: "chrono::NaiveDate", .. }), "{error}");
        let leap = NaiveTime::from_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap();
        let error = to_vec(&leap).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Range(_)), "{error}");
        let error = to_vec(&FixedOffset::east_opt(64_801).unwrap()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Range(_)), "{error}");
        assert!(DateTime::<Utc>::try_from(Date::from_millis(i64::MAX)).is_err());
        assert!(TimeDelta::try_from(Duration::new(i64::MAX, 0).unwrap()).is_err());
        let far: OffsetDateTime = "+999999999-12-31T00:00Z".parse().unwrap();
        assert!(DateTime::<FixedOffset>::try_from(far).is_err());
    }
}

#[cfg(feature = "jiff")]
mod jiff_types {
    use getty_hessian2::java::time::{Duration, Instant, LocalDate, OffsetDateTime, ZonedDateTime};
    use getty_hessian2::{Date, ErrorKind, JavaType, from_slice, to_vec};
    use jiff::civil::{date, time};
    use jiff::tz::{Offset, TimeZone};
    use jiff::{SignedDuration, Timestamp};

    use crate::java::{both_ways, java};

    #[test]
    fn times_of_jiff_have_the_bytes_of_java() {
        both_ways("localdate", &date(2020, 6, 16));
        both_ways("localdate_neg", &date(-1, 1, 1));
        both_ways("localtime", &time(6, 16, 0, 0));
        both_ways("localdatetime", &date(2020, 6, 16).to_datetime(time(6, 5, 4, 3)));
        both_ways("instant", &Timestamp::new(100, 10).unwrap());
        both_ways("zoneoffset", &Offset::from_seconds(7_200).unwrap());
        both_ways("duration", &SignedDuration::new(30, 10));
        assert_eq!(<Option<Timestamp>>::DESCRIPTOR, "Ljava/time/Instant;");
    }

    #[test]
    fn a_zoned_time_keeps_its_zone_if_the_zone_has_that_offset_then() {
        let clock = date(2020, 6, 16).to_datetime(time(6, 5, 4, 3));
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        both_ways("zoneddatetime_shanghai", &clock.to_zoned_datetime(shanghai).unwrap());
        let fixed = clock.to_zoned_datetime(TimeZone::fixed(Offset::from_seconds(7_200).unwrap())).unwrap();
        let ours = ZonedDateTime::try_from(fixed.clone()).unwrap();
        assert_eq!(ours.to_string(), "2020-06-16T06:05:04.000000003+02:00");
        assert_eq!(from_slice::<jiff::ZonedDateTime>(&to_vec(&fixed).unwrap()).unwrap(), fixed);
        assert_eq!(
            OffsetDateTime::try_from(fixed).unwrap().to_string(),
            "2020-06-16T06:05:04.000000003+02:00"
        );
        let mut other: ZonedDateTime = from_slice(&java("zoneddatetime_shanghai")).unwrap();
        other.offset = "+09:00".parse().unwrap();
        let error = from_slice::<jiff::ZonedDateTime>(&to_vec(&other).unwrap()).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::OutOfRange { target: "jiff::ZonedDateTime", .. }),
            "{error}"
        );
        other.zone = getty_hessian2::java::time::ZoneId::new("Nowhere/Land");
        assert!(jiff::ZonedDateTime::try_from(other).is_err());
    }

    #[test]
    fn negative_durations_and_times_before_1970_come_back() {
        for millis in [0, 1, -1, -1_500, 1_500, -60_000] {
            let duration = SignedDuration::from_millis(millis);
            let ours = Duration::try_from(duration).unwrap();
            assert_eq!(ours.seconds() * 1_000 + i64::from(ours.nanos()) / 1_000_000, millis);
            assert_eq!(SignedDuration::try_from(ours).unwrap(), duration);
            let time = Timestamp::from_millisecond(millis).unwrap();
            assert_eq!(Timestamp::try_from(Instant::try_from(time).unwrap()).unwrap(), time);
            assert_eq!(Date::from(time), Date::from_millis(millis));
            assert_eq!(Timestamp::try_from(Date::from_millis(millis)).unwrap(), time);
        }
    }

    #[test]
    fn what_one_side_lacks_is_a_typed_error() {
        let far: LocalDate = "+10000-01-01".parse().unwrap();
        let error = from_slice::<jiff::civil::Date>(&to_vec(&far).unwrap()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::OutOfRange { target: "jiff::civil::Date", .. }), "{error}");
        let error = to_vec(&Offset::from_seconds(64_801).unwrap()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Range(_)), "{error}");
        assert!(Timestamp::try_from(Date::from_millis(i64::MAX)).is_err());
        assert!(Duration::try_from(SignedDuration::new(i64::MIN, -1)).is_err());
    }
}
