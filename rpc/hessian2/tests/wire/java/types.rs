//! `java.math`, `java.sql`, `java.util` and arrays.

use std::collections::{BTreeMap, VecDeque};

use getty_hessian2::java::{
    self, Array, BigDecimal, BigInteger, Calendar, ClassName, Currency, EnumSet, LinkedHashMap, LinkedList,
    Locale, OrderedMap, TreeMap, TreeSet, Uuid, sql,
};
use getty_hessian2::{Date, ErrorKind, Hessian, JavaType, Value, from_slice, to_vec};

use super::{both_ways, bytes, java, reads};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hessian)]
#[hessian(class = "com.example.vec.Color")]
enum Color {
    Red,
    Green,
}

#[test]
fn decimals_and_integers_of_any_length_are_read_and_written_byte_for_byte() {
    for text in ["0", "1", "100.256", "0.1000", "123456789012345678901234567890.123456789"] {
        both_ways(&format!("bigdecimal_{}", text.replace('.', "_")), &text.parse::<BigDecimal>().unwrap());
    }
    both_ways("bigdecimal_1Ep10", &"1E+10".parse::<BigDecimal>().unwrap());
    both_ways("bigdecimal_1Em10", &"1E-10".parse::<BigDecimal>().unwrap());
    for text in [
        "0",
        "1",
        "-1",
        "4294967298",
        "-4294967298",
        "18446744073709551616",
        "12347890123456789012345678123456781234",
        "-12347890123456789012345678123456781234",
    ] {
        both_ways(&format!("biginteger_{}", text.replace('-', "m")), &text.parse::<BigInteger>().unwrap());
    }
}

#[test]
fn decimals_and_integers_of_go_are_read() {
    let go = |name| bytes("hessian2_go_vectors", name);
    reads(&go("biginteger"), &BigInteger::from(-4_294_967_298_i64));
    let unsigned = b"H\x06signum\x91\x03mag\x7a\xe1L\0\0\0\0\xff\xff\xff\xffZ";
    assert_eq!(from_slice::<BigInteger>(unsigned).unwrap(), BigInteger::from(0x1_ffff_ffff_i64));
    let error = from_slice::<BigInteger>(b"H\x06signum\x91\x03mag\x79L\0\0\0\x01\0\0\0\0Z").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Range(_)), "{error}");
    assert!(!from_slice::<BigDecimal>(&go("bigdecimal")).unwrap().digits().is_empty());
    let error = from_slice::<BigInteger>(b"H\x06signum\x91\x03mag\x78Z").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Range(_)), "{error}");
    let error = from_slice::<BigInteger>(b"H\x06signum\x92\x03mag\x79\x91Z").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Range(_)), "{error}");
    let error = from_slice::<BigDecimal>(b"H\x05value\x031.xZ").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Parse(_)), "{error}");
}

#[test]
fn dates_of_databases_are_objects_and_plain_dates_in_fields_of_their_type() {
    both_ways("sql_date", &sql::Date(Date::from_millis(1_596_931_200_000)));
    both_ways("sql_time", &sql::Time(Date::from_millis(852_124_546_000)));
    both_ways("sql_timestamp_nanos", &sql::Timestamp(Date::from_millis(1_123)));

    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "com.example.vec.Dates")]
    struct Dates {
        as_obj: Option<sql::Date>,
        ts: sql::Timestamp,
        st: sql::Time,
        sd: sql::Date,
        d: Date,
    }
    let dates: Dates = from_slice(&java("dates_fields")).unwrap();
    assert_eq!(dates.ts, Date::from_millis(1_001).into());
    assert_eq!(dates.st, Date::from_millis(1_000).into());
    assert_eq!(dates.sd, Date::from_millis(86_400_000).into());
    assert_eq!(from_slice::<Dates>(&to_vec(&dates).unwrap()).unwrap(), dates);
}

#[test]
fn what_java_writes_as_a_name_is_read_and_written_byte_for_byte() {
    both_ways("uuid", &"065ed3cd-2bdb-47e4-9ca0-0c0fb2e0bbf6".parse::<Uuid>().unwrap());
    both_ways("locale_en_us", &Locale::new("en_US"));
    both_ways("locale_zh", &Locale::new("zh"));
    both_ways("locale_script", &Locale::new("zh_CN_#Hans"));
    both_ways("currency", &Currency::new("CNY"));
    both_ways("class_string", &ClassName::new("java.lang.String"));
    both_ways("class_user", &ClassName::new("com.example.vec.User"));
    both_ways("calendar_gregorian", &Calendar::from(Date::from_millis(894_621_091_000)));
    let other = Calendar { date: Date::EPOCH, class: Some(ClassName::new("sun.util.BuddhistCalendar")) };
    reads(&to_vec(&other).unwrap(), &other);
}

#[test]
fn a_uuid_is_read_from_two_numbers_as_well() {
    let bytes = to_vec(&BTreeMap::from([("mostSigBits", 0x065e_d3cd_2bdb_47e4_i64), ("leastSigBits", -1)]));
    let uuid: Uuid = from_slice(&bytes.unwrap()).unwrap();
    assert_eq!(uuid.to_string(), "065ed3cd-2bdb-47e4-ffff-ffffffffffff");
    assert!(from_slice::<Uuid>(b"H\x0bmostSigBits\xe1Z").is_err());
    let error = from_slice::<Uuid>(b"H\x05value\x01xZ").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Parse(_)), "{error}");
    assert_eq!(from_slice::<Uuid>(&bytes_of_go("uuid")).unwrap().to_string().len(), 36);
}

fn bytes_of_go(name: &str) -> Vec<u8> {
    bytes("hessian2_go_vectors", name)
}

#[test]
fn enum_constants_and_sets_of_them_are_those_of_java() {
    both_ways("enum_red", &Color::Red);
    both_ways("enumset_empty", &EnumSet::<Color>(vec![]));
    let set = EnumSet(vec![Color::Red, Color::Green]);
    let bytes = to_vec(&set).unwrap();
    reads(&bytes, &set);
    let value = Value::parse(&bytes).unwrap();
    assert_eq!(value.root().get("objects").type_name(), Some("[object"));
    assert_eq!(value.root().get("type").get("name").as_str(), Some("com.example.vec.Color"));
    reads(&to_vec(&set.0).unwrap(), &set);
    let caucho = b"C\x01P\x92\x0belementType\x08elements\x60N\x79\x05GREEN";
    assert_eq!(from_slice::<EnumSet<Color>>(caucho).unwrap().0, [Color::Green]);
}

#[test]
fn arrays_are_read_and_written_byte_for_byte() {
    both_ways("int_array_7", &Array(vec![1, 2, 3, 4, 5, 6, 7]));
    both_ways("int_array_8", &(1..=8).collect::<Array<i32>>());
    both_ways("long_array", &Array(vec![1_i64, -1, 5_000_000_000]));
    both_ways("short_array", &Array(vec![1_i16, -300]));
    both_ways("double_array", &Array(vec![1.0, 1.5, 0.001]));
    both_ways("boolean_array", &Array(vec![true, false]));
    both_ways("string_array", &Array(vec![Some("a".to_owned()), None, Some("c".into())]));
    both_ways("string_array_0", &Array::<String>(vec![]));
    both_ways("date_array", &Array(vec![Some(Date::EPOCH), None]));
    both_ways("integer_array", &Array(vec![Some(1), None, Some(-456)]));
    both_ways("long_boxed_array", &Array(vec![Some(1_i64), None]));
    both_ways("byte_boxed_array", &Array(vec![Some(1_i8), None]));
    both_ways("char_boxed_array", &Array(vec![Some('A'), None]));
    both_ways("double_boxed_array", &Array(vec![Some(1.23), None]));
    both_ways("float_boxed_array", &Array(vec![Some(1.23_f32), None]));
    both_ways("int_array_2d", &Array(vec![Array(vec![1, 2]), Array(vec![3])]));
    let plane =
        |row: i32| Array(vec![Array(vec![row, row + 1, row + 2]), Array((row + 3..row + 7).collect())]);
    both_ways("int_array_3d", &Array(vec![plane(1), plane(8)]));
    both_ways("byte_array_2d", &Array(vec![vec![1_u8, 2], vec![3]]));
    both_ways("list_array", &Array(vec![vec![1]]));
    both_ways("class_array", &Array(vec![ClassName::new("java.lang.String"), ClassName::new("int")]));
}

#[test]
fn an_array_of_bytes_is_binary_and_descriptors_name_arrays() {
    assert_eq!(to_vec(&Array(vec![1_u8, 2])).unwrap(), [0x22, 1, 2]);
    assert_eq!(from_slice::<Array<i8>>(&[0x22, 1, 0xff]).unwrap(), Array(vec![1, -1]));
    assert_eq!(<Array<u8>>::DESCRIPTOR, "[B");
    assert_eq!(<Option<Array<Array<i32>>>>::DESCRIPTOR, "[[I");
    assert_eq!(<Vec<Array<i32>>>::DESCRIPTOR, "Ljava/util/List;");
    let error = to_vec(&Array(vec![u64::MAX])).unwrap_err();
    assert_eq!(error.path(), "[0]");
    assert_eq!(from_slice::<Array<i32>>(b"N").unwrap(), Array(vec![]));
}

#[test]
fn collections_that_keep_their_class_are_read_and_written_byte_for_byte() {
    both_ways("linkedlist", &LinkedList(vec![1, 2]));
    both_ways("linkedlist_8", &LinkedList((1..=8).collect()));
    both_ways("hashset_empty", &java::HashSet::<i32>::default());
    both_ways("linkedhashset", &java::LinkedHashSet(vec!["x".to_owned(), "y".into()]));
    both_ways("treeset", &TreeSet(["a".to_owned(), "b".into()].into()));
    both_ways("arraydeque", &java::ArrayDeque(VecDeque::from([1])));
    both_ways("treemap", &TreeMap(BTreeMap::from([("a".to_owned(), 2), ("z".into(), 1)])));
    both_ways("linkedhashmap", &LinkedHashMap(vec![("z".to_owned(), 1), ("a".into(), 2)]));
    both_ways("typeref_two_linkedlists", &vec![LinkedList(vec![1]), LinkedList(vec![2])]);
    assert_eq!(TreeMap::<String, i32>::DESCRIPTOR, "Ljava/util/TreeMap;");
    assert_eq!(LinkedHashMap::<String, i32>::DESCRIPTOR, "Ljava/util/LinkedHashMap;");
}

#[test]
fn maps_with_keys_that_cannot_be_compared_keep_all_entries_in_order() {
    both_ways("hashmap_list_key", &OrderedMap(vec![(vec!["k".to_owned()], "list key".to_owned())]));
    both_ways("hashmap_1", &OrderedMap(vec![("a".to_owned(), 1)]));
    let floats = OrderedMap(vec![(2.5, 'a'), (f64::INFINITY, 'b'), (2.5, 'c')]);
    reads(&to_vec(&floats).unwrap(), &floats);
    let pairs: OrderedMap<Value, Value> = from_slice(&java("hashmap_odd_keys")).unwrap();
    assert_eq!(pairs.0.len(), 3);
    assert_eq!(to_vec(&pairs).unwrap(), java("hashmap_odd_keys"));
    let fields: OrderedMap<String, Value> = from_slice(&java("user")).unwrap();
    assert_eq!(fields.0[0].0, "age");
    assert_eq!(OrderedMap::<f64, i32>::DESCRIPTOR, "Ljava/util/Map;");
}
