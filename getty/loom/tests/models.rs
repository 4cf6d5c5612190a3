//! The models of getty's protocols between threads, each in every order that it can take.

#![forbid(unsafe_code)]

/// A test for each model.
macro_rules! models {
    ($($module:ident: $($model:ident),* $(,)?);* $(;)?) => {$(
        mod $module {
            $(#[test]
            fn $model() {
                getty_loom::models::$module::$model();
            })*
        }
    )*};
}

models! {
    out:
        two_writers_and_the_task_lose_no_byte,
        two_writers_lose_no_byte_without_a_direct_half,
        two_writers_lose_no_byte_when_the_socket_is_full,
        a_writer_and_an_answer_lose_no_byte,
        a_sender_that_waits_is_told_of_room,
        a_sender_that_waits_is_told_of_the_end;
    end:
        close_writes_what_was_accepted_and_nothing_is_after_it,
        close_and_abort_together_are_one_end,
        abort_cuts_a_close_short,
        the_peers_end_and_close_together_are_one_end,
        a_future_in_flight_answers_before_the_end,
        a_dropped_task_is_one_end;
    pool:
        fixed_handles_each_packet_once,
        ordered_handles_each_packet_once,
        keyed_handles_each_packet_once,
        elastic_handles_each_packet_once,
        fixed_keeps_no_packet_when_its_runtime_ends,
        ordered_keeps_no_packet_when_its_runtime_ends,
        keyed_keeps_no_packet_when_its_runtime_ends,
        elastic_keeps_no_packet_when_its_runtime_ends,
        a_place_that_one_gives_up_goes_to_the_next,
        the_peers_end_waits_for_the_packet_of_a_worker,
        close_waits_for_the_packet_of_a_worker;
}
