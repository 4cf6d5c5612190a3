//! The checks of the fuzz targets on what fuzzing begins with, without a nightly toolchain.

use crate::checks;
use getty_hessian2::Value;

use crate::bombs::bombs;
use crate::corpus::corpus;
use crate::hostile::on_small_stack;

#[test]
fn what_fuzzing_begins_with_passes_the_checks_of_all_targets_on_a_small_stack() {
    on_small_stack(1 << 10, || {
        for (_, bytes) in corpus() {
            checks::value(&bytes);
            checks::skip(&bytes);
            checks::again(&bytes);
            checks::written(&bytes);
        }
    });
    // Reading types recurses, within the limit of the stack that it may take.
    on_small_stack(2 << 10, || corpus().iter().for_each(|(_, bytes)| checks::typed(bytes)));
}

#[test]
fn the_corpus_holds_every_vector_and_bomb_that_is_not_too_long() {
    let corpus = corpus();
    for name in ["users_two", "compact_list_ld_lt", "ref_billion_laughs_60", "laughs", "chunked_halves"] {
        assert!(corpus.iter().any(|(known, bytes)| known == name && !bytes.is_empty()), "{name}");
    }
    assert!(corpus.len() > 700, "{}", corpus.len());
}

#[test]
fn a_bomb_is_a_value_or_an_error_as_it_says() {
    for bomb in bombs(512) {
        assert_eq!(Value::parse(&bomb.bytes).is_ok(), bomb.is_value, "{}", bomb.name);
    }
}
