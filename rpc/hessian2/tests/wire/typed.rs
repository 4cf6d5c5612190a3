//! Rust types against the bytes of Java: what the derive writes and what it accepts.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::malformed::unhex;
use crate::tree::{read, rows};

use getty_hessian2::{
    Date, Decode, DecodeState, Decoder, EncodeState, Encoder, ErrorKind, Exception, Hessian, JavaType, Kind,
    Shared, StackFrame, Throwable, from_slice, to_vec,
};

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "com.example.vec.User")]
struct User {
    age: i32,
    name: Option<String>,
}

#[derive(Debug, PartialEq, Hessian)]
#[hessian(class = "com.example.User")]
struct Profile<'a> {
    user_name: &'a str,
    age: Option<i32>,
    photo: Vec<u8>,
    color: Color,
    born: Date,
    tags: Vec<String>,
    #[hessian(rename = "class_")]
    class: i64,
    #[hessian(skip)]
    cache: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Hessian)]
#[hessian(class = "com.example.vec.Color")]
enum Color {
    Red,
    Green,
    #[hessian(rename = "BLUE")]
    Azure,
}

#[test]
fn an_object_has_the_bytes_that_java_writes() {
    let user = User { age: 1, name: Some("u".into()) };
    let bytes = to_vec(&user).unwrap();
    assert_eq!(bytes, b"C\x14com.example.vec.User\x92\x03age\x04name\x60\x91\x01u");
    assert_eq!(from_slice::<User>(&bytes).unwrap(), user);
    assert_eq!(User::DESCRIPTOR, "Lcom/example/vec/User;");
}

#[test]
fn a_list_of_enum_constants_defines_the_class_once() {
    let colors = vec![Color::Red, Color::Green, Color::Azure];
    let bytes = to_vec(&colors).unwrap();
    assert_eq!(bytes, b"\x7bC\x15com.example.vec.Color\x91\x04name\x60\x03RED\x60\x05GREEN\x60\x04BLUE");
    assert_eq!(from_slice::<Vec<Color>>(&bytes).unwrap(), colors);
}

#[test]
fn a_struct_that_borrows_comes_back() {
    let profile = Profile {
        user_name: "Tom",
        age: None,
        photo: vec![1, 2],
        color: Color::Green,
        born: Date::from_millis(894_621_091_000),
        tags: vec!["a".into(), "中文".into(), "😀".into()],
        class: -9,
        cache: 0,
    };
    let bytes = to_vec(&profile).unwrap();
    assert_eq!(from_slice::<Profile<'_>>(&bytes).unwrap(), profile);
}

#[test]
fn fields_are_found_by_name_in_any_order_and_unknown_ones_are_skipped() {
    let bytes = b"C\x01X\x94\x04name\x01z\x03age\x01y\x60\x01u\x79\x79\x4e\x92\x48\x5a";
    assert_eq!(from_slice::<User>(bytes).unwrap(), User { age: 2, name: Some("u".into()) });
}

#[test]
fn structs_may_have_parameters_or_no_fields_at_all() {
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "com.example.Page", rename_all = "snake_case")]
    struct Page<'a, 'b, T> {
        r#type: &'a str,
        item_list: Vec<T>,
        note: Cow<'b, str>,
        next: Option<Box<Self>>,
    }
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "object")]
    struct Nothing;

    let next = Page { r#type: "last", item_list: vec![], note: "".into(), next: None };
    let page = Page {
        r#type: "first",
        item_list: vec![Nothing, Nothing],
        note: "n".into(),
        next: Some(Box::new(next)),
    };
    let bytes = to_vec(&page).unwrap();
    assert!(bytes.starts_with(b"C\x10com.example.Page\x94\x04type\x09item_list\x04note\x04next"));
    assert_eq!(from_slice::<Page<'_, '_, Nothing>>(&bytes).unwrap(), page);
    assert_eq!(to_vec(&Nothing).unwrap(), b"C\x06object\x90\x60");
    assert_eq!(<Page<'_, '_, Nothing>>::DESCRIPTOR, "Lcom/example/Page;");
}

#[test]
fn an_absent_or_null_field_is_zero_none_or_empty_and_a_string_is_an_error() {
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "X")]
    struct All {
        int: i32,
        long: i64,
        double: f64,
        flag: bool,
        list: Vec<i32>,
        map: HashMap<String, i32>,
        #[hessian(default)]
        text: String,
    }
    let empty = All {
        int: 0,
        long: 0,
        double: 0.0,
        flag: false,
        list: vec![],
        map: HashMap::new(),
        text: String::new(),
    };
    assert_eq!(from_slice::<All>(b"C\x01X\x90\x60").unwrap(), empty);
    let nulls = b"H\x03intN\x04longN\x06doubleN\x04flagN\x04listN\x03mapN\x04textNZ";
    assert_eq!(from_slice::<All>(nulls).unwrap(), empty);

    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "X")]
    struct Named {
        first_name: String,
    }
    let error = from_slice::<Named>(b"C\x01X\x90\x60").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::MissingField { field: "firstName" }), "{error}");
    let error = from_slice::<Vec<Named>>(b"\x79C\x01X\x91\x09firstName\x60N").unwrap_err();
    assert_eq!(error.to_string(), "[0].firstName: expected string, found null (tag 0x4e) (at byte 16)");
}

#[test]
fn an_unknown_constant_is_a_typed_error_or_goes_to_the_catch_all_variant() {
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "x.A", rename_all = "camelCase")]
    enum Strict {
        Name,
        Age,
    }
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "x.A", rename_all = "camelCase")]
    enum Lenient {
        Name,
        Age,
        #[hessian(other)]
        Other(String),
    }
    let bytes = unhex("4303782e4191046e616d65600461726561");
    let error = from_slice::<Strict>(&bytes).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::UnknownConstant { class: "x.A", constant } if constant == "area")
    );
    let list = unhex("7b 4303782e4191046e616d65 60046e616d65 600461726561 6003616765");
    assert!(from_slice::<Vec<Strict>>(&list).is_err());
    let constants = from_slice::<Vec<Lenient>>(&list).unwrap();
    assert_eq!(constants, [Lenient::Name, Lenient::Other("area".into()), Lenient::Age]);
    assert_eq!(to_vec(&constants).unwrap(), list);
}

#[test]
fn two_objects_may_share_one_that_was_read_inside_the_first() {
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "x.Rep")]
    struct Report {
        students: Vec<Student>,
    }
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "x.Stu")]
    struct Student {
        id: String,
        addr: Shared<Address>,
    }
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "x.Addr")]
    struct Address {
        city: String,
    }
    let bytes = unhex(
        "4305782e526570910873747564656e7473607a4305782e5374759202696404616464726101314306782e41646472910463697479\
         6202424a6101325193",
    );
    let report: Report = from_slice(&bytes).unwrap();
    let [first, second] = &report.students[..] else { panic!("{report:?}") };
    assert!(first.addr.is_same(&second.addr));
    assert_eq!((&*first.id, &*second.id, &*second.addr.city), ("1", "2", "BJ"));
    assert_eq!(to_vec(&report).unwrap(), bytes);

    // A type that does not ask for identity has a copy in each place.
    let copies: HashMap<String, Vec<BTreeMap<String, Option<Tree>>>> = from_slice(&bytes).unwrap();
    assert_eq!(copies["students"][0]["addr"], copies["students"][1]["addr"]);
    assert_eq!(
        copies["students"][1]["addr"],
        Some(Tree(Some(BTreeMap::from([("city".into(), "BJ".into())]))))
    );
}

/// Text, or a map of texts.
#[derive(Debug, PartialEq)]
struct Tree(Option<BTreeMap<String, String>>);

impl<'de> Decode<'de> for Tree {
    fn decode_from(d: &mut Decoder<'de, '_>) -> getty_hessian2::Result<Self> {
        match d.peek() {
            Some(Kind::String) => d.skip().map(|()| Self(None)),
            _ => d.read().map(Some).map(Self),
        }
    }
}

#[test]
fn shared_text_and_numbers_have_no_number_and_are_written_each_time() {
    let text = Shared::new(String::from("a"));
    let list = vec![text.clone(), text.clone()];
    let bytes = to_vec(&list).unwrap();
    assert_eq!(bytes, b"\x7a\x01a\x01a");
    assert_eq!(from_slice::<Vec<Shared<String>>>(&bytes).unwrap(), list);
    let user = Shared::new(User { age: 1, name: None });
    let bytes = to_vec(&(vec![user.clone(), user.clone()])).unwrap();
    assert!(bytes.ends_with(&[0x51, 0x91]));
    let read: Vec<Shared<User>> = from_slice(&bytes).unwrap();
    assert!(read[0].is_same(&read[1]));
    assert_eq!(read[0], user);
}

#[test]
fn a_typed_map_is_read_as_a_plain_one_and_can_be_written_by_hand() {
    let bytes = unhex("7a 4d0a782e4a617661446963740161915a 4d900161915a");
    let maps: Vec<HashMap<String, i32>> = from_slice(&bytes).unwrap();
    assert_eq!(maps, [HashMap::from([("a".into(), 1)]), HashMap::from([("a".into(), 1)])]);

    struct JavaDict<'a>(&'a HashMap<String, i32>);
    impl getty_hessian2::Encode for JavaDict<'_> {
        fn encode_to<S: getty_hessian2::Sink>(&self, e: &mut Encoder<'_, S>) -> getty_hessian2::Result<()> {
            e.map(Some("x.JavaDict"))?;
            for (key, value) in self.0 {
                e.str(key);
                e.i32(*value);
            }
            e.end_map();
            Ok(())
        }
    }
    let dicts: Vec<JavaDict<'_>> = maps.iter().map(JavaDict).collect();
    assert_eq!(to_vec(&dicts).unwrap(), bytes);
}

#[test]
fn objects_read_as_maps_and_maps_as_objects() {
    let bytes = to_vec(&User { age: 3, name: None }).unwrap();
    let map: BTreeMap<String, Option<i32>> = from_slice(&bytes).unwrap();
    assert_eq!(map, BTreeMap::from([("age".into(), Some(3)), ("name".into(), None)]));
    let user: User = from_slice(b"H\x05class\x01X\x03age\x93\x91\x92Z").unwrap();
    assert_eq!(user, User { age: 3, name: None });
}

#[test]
fn lists_of_every_form_become_vectors_and_sets() {
    for bytes in [
        "7a9192",
        "58929192",
        "579192 5a",
        "72 04 5b696e74 9192",
        "55 04 5b696e74 9192 5a",
        "56 0161 92 9192",
    ] {
        assert_eq!(from_slice::<Vec<i32>>(&unhex(bytes)).unwrap(), [1, 2], "{bytes}");
        assert_eq!(from_slice::<HashSet<i64>>(&unhex(bytes)).unwrap(), HashSet::from([1, 2]), "{bytes}");
    }
    assert_eq!(from_slice::<Vec<u8>>(&unhex("7a9192")).unwrap(), [1, 2]);
    assert_eq!(
        from_slice::<Vec<Option<Vec<u8>>>>(&unhex("7b 20 4e 2101")).unwrap(),
        [Some(vec![]), None, Some(vec![1])]
    );
}

#[test]
fn numbers_are_taken_from_any_numeric_form_but_never_cut() {
    for bytes in
        ["91", "e1", "5c", "54", "4900000001", "4c0000000000000001", "5900000001", "5d01", "5f000003e8"]
    {
        assert_eq!(from_slice::<i32>(&unhex(bytes)).unwrap(), 1, "{bytes}");
        assert_eq!(from_slice::<i64>(&unhex(bytes)).unwrap(), 1, "{bytes}");
        assert_eq!(from_slice::<f64>(&unhex(bytes)).unwrap(), 1.0, "{bytes}");
        assert_eq!(from_slice::<u8>(&unhex(bytes)).unwrap(), 1, "{bytes}");
        assert!(from_slice::<bool>(&unhex(bytes)).unwrap(), "{bytes}");
    }
    for bytes in ["4c0000010000000000", "5d05 5d05", "5f000003e9", "447ff8000000000000", "0131"] {
        assert!(from_slice::<i32>(&unhex(bytes)).is_err(), "{bytes}");
    }
    assert!(from_slice::<i8>(&unhex("c92c")).is_err());
    assert_eq!(from_slice::<String>(&unhex("91")).unwrap(), "1");
    assert_eq!(from_slice::<String>(&unhex("54")).unwrap(), "true");
    assert_eq!(from_slice::<char>(&unhex("01e4b8ad")).unwrap(), '中');
    assert!(from_slice::<char>(&unhex("026161")).is_err());
}

#[derive(Debug, PartialEq, thiserror::Error, Hessian)]
#[hessian(class = "com.x.NotFoundException", exception)]
#[error("{message}")]
struct NotFound {
    message: String,
    code: i32,
}

#[test]
fn an_exception_has_the_four_fields_of_throwable_and_its_own() {
    let error = NotFound { message: "no such user".into(), code: 404 };
    let bytes = to_vec(&error).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    for name in ["suppressedExceptions", "stackTrace", "cause", "detailMessage", "code"] {
        assert!(text.contains(name), "{name}");
    }
    assert_eq!(from_slice::<NotFound>(&bytes).unwrap(), error);
    assert_eq!(NotFound::CLASS, "com.x.NotFoundException");
    let any: Throwable = from_slice(&bytes).unwrap();
    assert_eq!((any.class(), any.message()), ("com.x.NotFoundException", Some("no such user")));
    assert_eq!(any.cause(), None);
}

#[test]
fn an_exception_is_chosen_by_the_class_that_comes_next() {
    let bytes =
        to_vec(&(vec![NotFound { message: "m".into(), code: 1 }, NotFound { message: "n".into(), code: 2 }]))
            .unwrap();
    let mut state = DecodeState::new();
    let mut d = Decoder::new(&bytes, &mut state);
    let mut list = d.list().unwrap();
    while d.next_item(&mut list).unwrap() {
        let before = d.position();
        assert_eq!(d.peek_class().unwrap().as_deref(), Some(NotFound::CLASS));
        assert_eq!(d.peek_class().unwrap().as_deref(), Some(NotFound::CLASS));
        assert_eq!(d.position(), before);
        d.read::<NotFound>().unwrap();
    }
    d.end().unwrap();
}

#[test]
fn throwable_keeps_its_causes() {
    let inner = Throwable::of_class("java.lang.IllegalStateException", None);
    let outer = Throwable::new("outer").with_cause(inner.clone());
    let back: Throwable = from_slice(&to_vec(&outer).unwrap()).unwrap();
    assert_eq!(back, outer);
    assert_eq!(back.cause(), Some(&inner));
    assert_eq!(back.to_string(), "java.lang.RuntimeException: outer");
}

#[test]
fn throwable_keeps_the_stacks_of_itself_and_of_its_causes() {
    let frames = vec![StackFrame::new("com.x.A", "f").at("A.java", 12), StackFrame::new("com.x.B", "<init>")];
    let inner =
        Throwable::new("inner").with_stack(vec![StackFrame::new("com.x.C", "g").at("C.java", i32::MAX)]);
    let outer = Throwable::new("outer").with_cause(inner).with_stack(frames.clone());
    let back: Throwable = from_slice(&to_vec(&outer).unwrap()).unwrap();
    assert_eq!(back, outer);
    assert_eq!(back.stack(), frames);

    let long = Throwable::new("long").with_stack(vec![frames[0].clone(); Throwable::MAX_FRAMES + 1]);
    assert_eq!(long.stack().len(), Throwable::MAX_FRAMES);
    assert_eq!(from_slice::<Throwable>(&to_vec(&long).unwrap()).unwrap(), long);
}

/// The row `runtime_with_stack` of Java's vectors: frames with eight fields.
#[test]
fn the_stack_of_javas_exception_is_read() {
    let text = read("hessian2_java_vectors");
    let row = rows(&text).into_iter().find(|row| row.name == "runtime_with_stack").unwrap();
    let exception: Throwable = from_slice(&unhex(row.hex.as_deref().unwrap())).unwrap();
    assert_eq!((exception.class(), exception.message()), (Throwable::RUNTIME_EXCEPTION, Some("boom")));
    let call = StackFrame::new("com.example.Svc", "call").at("Svc.java", 42);
    assert_eq!(exception.stack(), [call, StackFrame::new("com.example.Main", "main").at("Main.java", 7)]);
}

#[test]
fn a_body_is_read_by_several_decoders_and_can_be_rewound() {
    let mut out = vec![0; 16];
    let mut state = EncodeState::new();
    state.begin(&out);
    let mut e = Encoder::new(&mut out, &mut state);
    let users = [User { age: 1, name: Some("a".into()) }, User { age: 2, name: None }];
    e.str("greet");
    e.write(&users[0]).unwrap();
    e.write(&users[1]).unwrap();
    e.write(&BTreeMap::from([("path", "x")])).unwrap();
    let body = &out[16..];

    let mut state = DecodeState::new();
    for _ in 0..2 {
        assert_eq!(Decoder::new(body, &mut state).str().unwrap(), "greet");
        let mut d = Decoder::new(body, &mut state);
        let arguments = d.mark();
        d.skip().unwrap();
        d.skip().unwrap();
        let mut map = d.map().unwrap();
        assert_eq!(d.next_key::<&str>(&mut map).unwrap(), Some("path"));
        assert_eq!(d.peek(), Some(Kind::String));
        d.skip().unwrap();
        assert_eq!(d.next_key::<&str>(&mut map).unwrap(), None);
        d.end().unwrap();
        d.rewind(arguments);
        assert_eq!(d.read::<User>().unwrap(), users[0]);
        drop(d);
        assert_eq!(Decoder::new(body, &mut state).read::<User>().unwrap(), users[1]);
        state.reset();
    }
}

#[test]
fn a_decoder_goes_on_behind_values_that_somebody_else_has_read() {
    let mut state = DecodeState::new();
    let mut d = Decoder::new(b"\x04head\x97", &mut state);
    d.advance(5);
    assert_eq!((d.position(), d.read::<i32>().unwrap(), d.remaining()), (5, 7, 0));
    d.advance(usize::MAX);
    assert_eq!((d.position(), d.remaining()), (6, 0), "it stops at the end");
    assert!(d.read::<i32>().is_err());
}
