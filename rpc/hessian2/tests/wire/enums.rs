//! Enum constants that one side knows and the other does not.

use getty_hessian2::{ErrorKind, Hessian, Value, from_slice, to_vec};

use crate::malformed::unhex;

#[derive(Debug, Clone, Copy, PartialEq, Hessian)]
#[hessian(class = "x.A", rename_all = "lowercase")]
enum Strict {
    Name,
    Age,
}

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "x.A", rename_all = "lowercase")]
enum Lenient {
    Name,
    Age,
    #[hessian(other)]
    Other(String),
}

/// The constant `area` of `x.A`.
fn area() -> Vec<u8> {
    unhex("4303782e4191046e616d65600461726561")
}

/// A list with `area` between two constants that are known.
fn list() -> Vec<u8> {
    unhex("7b 4303782e4191046e616d65 60046e616d65 600461726561 6003616765")
}

#[test]
fn an_unknown_constant_is_an_error_that_names_class_and_constant_and_its_place() {
    let error = from_slice::<Strict>(&area()).unwrap_err();
    let ErrorKind::UnknownConstant { class, constant } = error.kind() else { panic!("{error}") };
    assert_eq!((*class, &**constant), ("x.A", "area"));
    assert_eq!(error.to_string(), "unknown constant `area` of enum x.A (at byte 17)");
    let error = from_slice::<Vec<Strict>>(&list()).unwrap_err();
    assert_eq!(error.path(), "[1]");
    assert!(matches!(error.kind(), ErrorKind::UnknownConstant { .. }), "{error}");
}

#[test]
fn a_catch_all_variant_keeps_the_constant_and_the_other_items() {
    assert_eq!(from_slice::<Lenient>(&area()).unwrap(), Lenient::Other("area".into()));
    let constants: Vec<Lenient> = from_slice(&list()).unwrap();
    assert_eq!(constants, [Lenient::Name, Lenient::Other("area".into()), Lenient::Age]);
    assert_eq!(to_vec(&constants).unwrap(), list());
}

#[test]
fn a_value_holds_every_constant() {
    let value = Value::parse(&area()).unwrap();
    assert_eq!((value.root().class(), value.root().get("name").as_str()), (Some("x.A"), Some("area")));
    let value = Value::parse(&list()).unwrap();
    let names: Vec<_> =
        value.root().items().map(|item| item.get("name").as_str().unwrap_or_default()).collect();
    assert_eq!(names, ["name", "area", "age"]);
    assert_eq!(to_vec(&value).unwrap(), list());
    assert_eq!(value.root().at(2).to::<Strict>().unwrap(), Strict::Age);
    assert!(value.root().at(1).to::<Strict>().is_err());
}
