//! dubbo-go-hessian2: random values go there and come back.

use crate::as_go::{as_go, written_by_go};
use crate::compare::{Library, random_values};
use crate::generate::{Abilities, Items};

/// Left out is what dubbo-go-hessian2 1.13.2 cannot hold, each for its reason:
///
/// - `odd_text`: behind half of a surrogate pair it goes on to read where the text has ended, or panics;
/// - `odd_keys`: it panics on lists and binaries as keys of maps, which Go cannot hash;
/// - `loose_classes`: it writes all objects of one class with the fields of the first;
/// - `any_maps`: it panics on a null key of a map with a type. Of a map that is a struct's field, a type takes no number
///   in the table of types, a null value panics, a null key ends the map, and a reference to the map becomes a pointer
///   that cannot be encoded;
/// - `empty_and_shared_lists`: an empty list takes no number when it is encoded, so all references behind it are wrong;
/// - `[java.lang.Integer`: it becomes a slice of pointers, and goes out as `[int`, in which no item is null.
const GO: Abilities = Abilities {
    lists: &[
        ("java.util.LinkedList", Items::Any),
        ("java.util.LinkedHashSet", Items::Distinct),
        ("[object", Items::Any),
        ("[boolean", Items::Bool),
        ("[short", Items::Short),
        ("[int", Items::Int),
        ("[long", Items::Long),
        ("[float", Items::Float),
        ("[double", Items::Double),
        ("[string", Items::Text),
        ("[date", Items::Date),
        ("[com.example.peer.Node", Items::Nodes),
        ("[[int", Items::Ints),
    ],
    lost_lists: &["java.util.ArrayList", "com.example.missing.List"],
    maps: &["java.util.TreeMap", "java.util.LinkedHashMap", "java.util.HashMap", "com.example.missing.Map"],
    odd_text: false,
    odd_keys: false,
    color: true,
    loose_classes: false,
    typed_list_fields: true,
    any_maps: false,
    empty_and_shared_lists: false,
};

#[test]
#[ignore = "asks a Go process that scripts/build-peers builds"]
fn random_values_come_back_from_dubbo_go() {
    random_values(&Library {
        variable: "GETTY_HESSIAN_GO",
        abilities: GO,
        decoded: as_go,
        encoded: written_by_go,
        same_bytes: None,
    });
}
