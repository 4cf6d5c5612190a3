//! Choosing among several providers costs no memory: a call that has a choice allocates as much as one that has none.
//!
//! One test alone, as the counter is the process's.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use std::time::Duration;

use getty_rpc::{Client, LoadBalance, Server, service};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const CALLS: u64 = 2_000;

#[service(interface = "com.example.Counter")]
trait Counter {
    async fn next(&self, number: i32) -> i32;
}

struct Counts;

impl Counter for Counts {
    async fn next(&self, number: i32) -> i32 {
        number.wrapping_add(1)
    }
}

async fn serve() -> String {
    let server = Server::bind("127.0.0.1:0").await.unwrap().service(CounterServer::new(Counts));
    let address = server.local_addr().unwrap().to_string();
    tokio::spawn(server.serve());
    address
}

/// Allocations of client and server together in so many calls, once everything is warm.
async fn blocks(addresses: &[String], balance: LoadBalance) -> u64 {
    let client = Client::builder()
        .load_balance(balance)
        .timeout(Duration::from_secs(60))
        .direct(&addresses.join(","))
        .unwrap();
    let counter: CounterClient = client.refer();
    client.connect().await.unwrap();
    for number in 0..200 {
        counter.next(number).await.unwrap();
    }
    let before = dhat::HeapStats::get().total_blocks;
    for _ in 0..CALLS {
        counter.next(1).await.unwrap();
    }
    dhat::HeapStats::get().total_blocks - before
}

#[tokio::test]
async fn choosing_among_several_providers_allocates_nothing() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let addresses = [serve().await, serve().await, serve().await];
    let alone = blocks(&addresses[..1], LoadBalance::Random).await;
    for balance in [LoadBalance::Random, LoadBalance::RoundRobin] {
        let several = blocks(&addresses, balance).await;
        // A buffer now and then is not of the choice.
        assert!(several < alone + CALLS / 20, "{balance:?}: {several} instead of {alone} in {CALLS} calls");
    }
}
