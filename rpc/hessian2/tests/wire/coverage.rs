//! Which Rust types go onto the wire and come back, and what each refuses.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use getty_hessian2::{
    Date, Decode, DecodeState, Decoder, Encode, ErrorKind, Exception, Hessian, JavaType, Limits, Shared,
    Throwable, Value, from_slice, to_vec,
};

use crate::malformed::unhex;
use crate::tree::{read, rows};

/// The value has these bytes, and they are read as the value.
#[track_caller]
fn is<T: for<'de> Decode<'de> + Encode + PartialEq + Debug>(value: T, bytes: &str) {
    assert_eq!(to_vec(&value).unwrap(), unhex(bytes), "{value:?}");
    assert_eq!(from_slice::<T>(&unhex(bytes)).unwrap(), value);
}

#[track_caller]
fn fails<T: for<'de> Decode<'de> + Debug>(bytes: &str) -> getty_hessian2::Error {
    from_slice::<T>(&unhex(bytes)).unwrap_err()
}

#[test]
fn numbers_have_the_width_of_their_type_and_are_never_cut() {
    is(i8::MIN, "c780");
    is(u8::MAX, "c8ff");
    is(i16::MIN, "d38000");
    is(u16::MAX, "d4ffff");
    is(i32::MIN, "4980000000");
    is(u32::MAX, "4c00000000ffffffff");
    is(i64::MIN, "4c8000000000000000");
    is(i64::MAX.cast_unsigned(), "4c7fffffffffffffff");
    is(1.5_f32, "5f000005dc");
    is(f64::MAX, "447fefffffffffffff");
    is(true, "54");
    is('中', "01e4b8ad");
    is((), "4e");
    let error = to_vec(&(1_u64 << 63)).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::OutOfRange { target: "long", value } if value == "9223372036854775808")
    );
    for error in [fails::<u64>("df"), fails::<u32>("8f"), fails::<u16>("d50000"), fails::<i16>("d48000")] {
        assert!(matches!(error.kind(), ErrorKind::OutOfRange { .. }), "{error}");
    }
    for error in
        [fails::<i8>("c900"), fails::<u8>("c900"), fails::<i32>("5900000000 4e"), fails::<i32>("5f000001f4")]
    {
        assert!(matches!(error.kind(), ErrorKind::OutOfRange { .. } | ErrorKind::Trailing { .. }), "{error}");
    }
}

#[test]
fn text_and_bytes_come_in_every_kind_of_holder() {
    is(String::from("a"), "0161");
    is(Box::<str>::from("a"), "0161");
    is(Rc::<str>::from("a"), "0161");
    is(Arc::<str>::from("a"), "0161");
    assert_eq!(from_slice::<Cow<'_, str>>(&to_vec(&Cow::Borrowed("a")).unwrap()).unwrap(), "a");
    is(vec![1_u8, 255], "2201ff");
    is(vec![1_i8, -1], "2201ff");
    is(Bytes::from_static(&[1]), "2101");
    is(BytesMut::from(&[1][..]), "2101");
    is([1_u8, 2], "220102");
    is(Box::<[u8]>::from([1]), "2101");
    is(Arc::<[u8]>::from([1]), "2101");
    assert_eq!(to_vec(&Cow::Borrowed(&[1_u8][..])).unwrap(), unhex("2101"));
    let one_chunk = unhex("2101");
    assert_eq!(from_slice::<&[u8]>(&one_chunk).unwrap(), [1]);
    assert!(matches!(from_slice::<Cow<'_, [u8]>>(&one_chunk).unwrap(), Cow::Borrowed([1])));
    let two_chunks = unhex("410001 01 2102");
    assert!(
        matches!(from_slice::<Cow<'_, [u8]>>(&two_chunks).unwrap(), Cow::Owned(bytes) if bytes == [1, 2])
    );
    let error = from_slice::<&[u8]>(&two_chunks).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotContiguous { what: "binary" }), "{error}");
    assert_eq!(from_slice::<[u8; 2]>(&two_chunks).unwrap(), [1, 2]);
    let error = fails::<[u8; 3]>("220102");
    assert!(matches!(error.kind(), ErrorKind::Items { expected: 3, found: 2 }), "{error}");
}

#[test]
fn sequences_are_lists_and_arrays_and_tuples_have_a_fixed_number_of_items() {
    is(vec![1, 2], "7a9192");
    is(VecDeque::from([1, 2]), "7a9192");
    is([1, 2], "7a9192");
    is(BTreeSet::from([1, 2]), "7a9192");
    is(HashSet::from([1]), "7991");
    is(Box::<[i32]>::from([1, 2]), "7a9192");
    is(Rc::<[i32]>::from([1, 2]), "7a9192");
    is((1, String::from("a"), Some(2.5)), "7b91016 15f000009c4");
    is((7,), "7997");
    is((1, 2, 3, 4, 5, 6, 7, (8, 9)), "5898 91929394959697 7a9899");
    assert_eq!(from_slice::<(i32, i32)>(&unhex("72045b696e74 9192")).unwrap(), (1, 2));
    assert_eq!(from_slice::<(i32, i32)>(&unhex("5791925a")).unwrap(), (1, 2));
    assert_eq!(<(i32, String)>::DESCRIPTOR, "Ljava/util/List;");
    let found = |error: getty_hessian2::Error| match *error.kind() {
        ErrorKind::Items { expected, found } => (expected, found),
        _ => panic!("{error}"),
    };
    assert_eq!(found(fails::<[i32; 3]>("7a9192")), (3, 2));
    assert_eq!(found(fails::<(i32, i32)>("7991")), (2, 1));
    assert_eq!(found(fails::<(i32, i32)>("7c91929394")), (2, 4));
    assert_eq!(found(fails::<(i32, i32)>("4e")), (2, 0));
    assert_eq!(from_slice::<Option<(i32, i32)>>(&unhex("4e")).unwrap(), None);
    assert_eq!(fails::<(i32, i32)>("7a910161").path(), "[1]");
}

#[test]
fn maps_take_keys_of_any_kind() {
    is(BTreeMap::from([(Some(1), 'a'), (None, 'b')]), "484e0162 910161 5a");
    is(HashMap::from([(vec![1], true)]), "487991545a");
    is(BTreeMap::from([((1, 2), Date::EPOCH)]), "487a91924b000000005a");
    is(BTreeMap::from([("a".to_owned(), BTreeMap::from([(1, ())]))]), "480161 48914e5a 5a");
}

#[test]
fn wrappers_are_what_they_hold_and_none_is_null() {
    is(Box::new(1), "91");
    is(Rc::new(vec![1]), "7991");
    is(Arc::new(String::from("a")), "0161");
    is(Some(1), "91");
    is(None::<i32>, "4e");
    is(Some(Box::new(Some(1))), "91");
    is(Shared::new(vec![1]), "7991");
    is(vec![Some(vec![1_u8]), None], "7a21014e");
}

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "com.example.Node")]
struct Node {
    name: String,
    next: Option<Box<Self>>,
}

#[test]
fn a_reference_to_a_container_that_is_open_is_an_error_that_says_so() {
    let bytes = b"C\x10com.example.Node\x92\x04name\x04next\x60\x01a\x51\x90";
    let error = from_slice::<Node>(bytes).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Cycle { index: 0 }), "{error}");
    assert_eq!(error.path(), "next");
    assert!(error.to_string().contains("leads back into a value that contains it"), "{error}");
    assert!(Value::parse(bytes).unwrap().root().get("next").get("next").get("name").as_str() == Some("a"));
}

#[test]
fn a_reference_costs_the_bytes_that_it_reads_again() {
    // A list of one text of 1,000 bytes, and three references to it.
    let mut bytes = unhex("7c 79 53 03e8");
    bytes.extend([b'x'; 1_000]);
    bytes.extend(unhex("51 91 51 91 51 91"));
    let read = |expanded| {
        let mut limits = Limits::new();
        limits.expanded = expanded;
        let mut state = DecodeState::with_limits(limits);
        Decoder::new(&bytes, &mut state).read::<Vec<Vec<String>>>()
    };
    let lists = read(3 * 1_004).unwrap();
    assert!(lists.iter().all(|list| *list == lists[0]) && lists.len() == 4);
    let error = read(3 * 1_004 - 1).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Limit { what: "bytes read again through references", .. }),
        "{error}"
    );
    assert_eq!(error.path(), "[3]");
}

#[derive(Debug, PartialEq, thiserror::Error, Hessian)]
#[hessian(class = "com.example.vec.BizException", exception)]
#[error("{message:?}")]
struct Biz {
    message: Option<String>,
    cause: Option<Box<Throwable>>,
    detail: String,
    code: i32,
}

fn java(name: &str) -> Vec<u8> {
    let text = read("hessian2_java_vectors");
    let row = rows(&text).into_iter().find(|row| row.name == name).unwrap();
    unhex(row.hex.as_deref().unwrap())
}

#[test]
fn exceptions_of_java_are_read_with_cause_stack_and_suppressed_ones() {
    let thrown: Throwable = from_slice(&java("with_suppressed")).unwrap();
    assert_eq!((thrown.class(), thrown.message()), ("java.lang.RuntimeException", Some("m")));
    assert_eq!(thrown.cause(), None, "a cause that is the exception itself is none");
    let [suppressed] = thrown.suppressed() else { panic!("{thrown:?}") };
    assert_eq!((suppressed.class(), suppressed.message()), ("java.io.IOException", Some("s")));
    assert_eq!((suppressed.cause(), suppressed.suppressed()), (None, &[][..]));
    let again: Throwable = from_slice(&to_vec(&thrown).unwrap()).unwrap();
    assert_eq!(again, thrown);
    let thrown: Throwable = from_slice(&java("runtime_with_stack")).unwrap();
    assert!(!thrown.stack().is_empty() && !thrown.stack()[0].method.is_empty());
    for name in ["npe_null_message", "error", "ioexception", "runtime_empty_stack"] {
        let thrown: Throwable = from_slice(&java(name)).unwrap();
        assert_eq!((thrown.cause(), thrown.suppressed()), (None, &[][..]), "{name}");
    }
    let biz: Biz = from_slice(&java("biz_exception")).unwrap();
    assert_eq!((biz.message.as_deref(), &*biz.detail, biz.code), (Some("msg"), "det", 500));
    assert_eq!((biz.cause, Biz::CLASS), (None, "com.example.vec.BizException"));
}

#[test]
fn suppressed_exceptions_come_back_and_deep_or_many_ones_are_left_out() {
    let inner =
        Throwable::of_class("x.A", None).with_suppressed(Throwable::of_class("x.B", Some("b".into())));
    let outer = Throwable::new("outer").with_cause(inner.clone()).with_suppressed(inner);
    assert_eq!(from_slice::<Throwable>(&to_vec(&outer).unwrap()).unwrap(), outer);
    let many = (0..40).fold(Throwable::new("m"), |thrown, _| thrown.with_suppressed(Throwable::new("s")));
    let read: Throwable = from_slice(&to_vec(&many).unwrap()).unwrap();
    assert_eq!(read.suppressed().len(), 32);
    let deep = (0..40).fold(Throwable::new("m"), |thrown, _| Throwable::new("o").with_suppressed(thrown));
    let read: Throwable = from_slice(&to_vec(&deep).unwrap()).unwrap();
    let depth = std::iter::successors(Some(&read), |thrown| thrown.suppressed().first()).count();
    assert_eq!(depth, 33);
}

#[test]
fn suppressed_exceptions_of_an_odd_form_do_not_hide_the_exception() {
    // null, an exception that contains itself, and what is no exception.
    let bytes = b"C\x01X\x92\x14suppressedExceptions\x0ddetailMessage\x60\x7bN\x51\x90\x91\x01m";
    let thrown: Throwable = from_slice(bytes).unwrap();
    assert_eq!((thrown.message(), thrown.suppressed()), (Some("m"), &[][..]));
    let bytes = b"C\x01X\x92\x14suppressedExceptions\x0ddetailMessage\x60HZ\x01m";
    assert_eq!(from_slice::<Throwable>(bytes).unwrap().message(), Some("m"));
    // Java's empty list is one object: the second exception refers to that of the first.
    let bytes = b"C\x01X\x92\x14suppressedExceptions\x05cause\x60\x78\x60\x51\x91N";
    let thrown: Throwable = from_slice(bytes).unwrap();
    assert!(thrown.cause().is_some_and(|cause| cause.suppressed().is_empty()));
}
