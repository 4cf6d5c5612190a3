//! hessian-lite: random values go there and come back.

use getty_hessian2::Dialect;

use crate::as_java::as_java;
use crate::compare::{Library, random_values};
use crate::generate::{Abilities, Items};

/// Left out, since no hessian-lite can read it: lists of a length that the wire does not tell (`55`, `57`), with which
/// it takes the list's class for that of the elements. The codec writes one only after it has read one.
const JAVA: Abilities = Abilities {
    lists: &[
        ("java.util.LinkedList", Items::Any),
        ("java.util.Vector", Items::Any),
        ("java.util.LinkedHashSet", Items::Distinct),
        ("[object", Items::Any),
        ("[boolean", Items::Bool),
        ("[short", Items::Short),
        ("[int", Items::Int),
        ("[java.lang.Integer", Items::MaybeInt),
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
    odd_text: true,
    odd_keys: true,
    color: true,
    loose_classes: true,
    typed_list_fields: true,
    any_maps: true,
    empty_and_shared_lists: true,
};

#[test]
#[ignore = "asks a Java process that scripts/build-peers builds"]
fn random_values_come_back_from_hessian_lite_4() {
    random_values(&Library {
        variable: "GETTY_HESSIAN_LITE_4",
        abilities: JAVA,
        decoded: as_java,
        encoded: |decoded| decoded,
        same_bytes: Some(Dialect::HessianLite4),
    });
}

#[test]
#[ignore = "asks a Java process that scripts/build-peers builds"]
fn random_values_come_back_from_hessian_lite_3() {
    random_values(&Library {
        variable: "GETTY_HESSIAN_LITE_3",
        // It makes an ArrayList of each list of up to seven items that comes to a field of the type List.
        abilities: Abilities { typed_list_fields: false, ..JAVA },
        decoded: as_java,
        encoded: |decoded| decoded,
        same_bytes: Some(Dialect::HessianLite3),
    });
}
