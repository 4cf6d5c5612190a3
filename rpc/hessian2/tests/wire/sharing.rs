//! Objects that several places of a body hold: copied for types that ask for nothing, one and the same for `Shared` and
//! for values.

use getty_hessian2::{DecodeState, Decoder, ErrorKind, Hessian, Limits, Shared, Value, from_slice, to_vec};

use crate::malformed::unhex;

#[derive(Debug, PartialEq, Hessian)]
#[hessian(class = "x.Rep")]
struct Report<A> {
    students: Vec<Student<A>>,
}

#[derive(Debug, PartialEq, Hessian)]
#[hessian(class = "x.Stu")]
struct Student<A> {
    id: String,
    addr: A,
}

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "x.Addr")]
struct Address {
    city: String,
}

/// Two students whose addresses are one object. It lies in the first, and takes its number when it begins.
fn report() -> Vec<u8> {
    unhex(
        "4305782e526570910873747564656e7473607a4305782e5374759202696404616464726101314306782e41646472910463697479\
         6202424a6101325193",
    )
}

#[test]
fn an_object_inside_of_one_student_is_the_address_of_the_other_as_well() {
    let report: Report<Address> = from_slice(&report()).unwrap();
    let ids: Vec<&str> = report.students.iter().map(|student| &*student.id).collect();
    let cities: Vec<&str> = report.students.iter().map(|student| &*student.addr.city).collect();
    assert_eq!((ids, cities), (vec!["1", "2"], vec!["BJ", "BJ"]));
    // A type that copies writes copies.
    let copies = to_vec(&report).unwrap();
    assert_eq!(from_slice::<Report<Address>>(&copies).unwrap(), report);
    let value = Value::parse(&copies).unwrap();
    let students = value.root().get("students");
    assert!(!students.at(0).get("addr").is_same(students.at(1).get("addr")));
}

#[test]
fn a_copy_costs_the_bytes_of_the_object_and_is_refused_without_the_budget() {
    let bytes = report();
    let read = |expanded| {
        let mut limits = Limits::new();
        limits.expanded = expanded;
        let mut state = DecodeState::with_limits(limits);
        Decoder::new(&bytes, &mut state).read::<Report<Address>>()
    };
    // The object is `62 02 42 4a`.
    assert!(read(4).is_ok());
    let error = read(3).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
    assert_eq!(error.path(), "students[1].addr");
}

#[test]
fn shared_and_values_keep_one_object_and_write_the_bytes_that_came() {
    let bytes = report();
    let shared: Report<Shared<Address>> = from_slice(&bytes).unwrap();
    assert!(shared.students[0].addr.is_same(&shared.students[1].addr));
    assert_eq!(to_vec(&shared).unwrap(), bytes);
    let value = Value::parse(&bytes).unwrap();
    let students = value.root().get("students");
    assert!(students.at(0).get("addr").is_same(students.at(1).get("addr")));
    assert_eq!(students.at(1).get("addr").get("city").as_str(), Some("BJ"));
    assert_eq!(to_vec(&value).unwrap(), bytes);
}

#[test]
fn an_object_that_was_skipped_can_still_be_referred_to() {
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "x.Pair")]
    struct Second {
        second: Address,
    }
    let bytes = b"C\x06x.Pair\x92\x05first\x06second\x60C\x06x.Addr\x91\x04city\x61\x02BJ\x51\x91";
    assert_eq!(from_slice::<Second>(bytes).unwrap().second.city, "BJ");
}
