//! What the derive refuses, and the words it does so in.

#[test]
fn wrong_attributes_and_shapes_are_explained_where_they_stand() {
    trybuild::TestCases::new().compile_fail("tests/derive/*.rs");
}
