//! A task pool on the server: answers come back in another order than the requests, and each belongs to its call.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{net::SocketAddr, time::Duration};

use getty_rpc::{
    Client, Pool, Server,
    hessian2::Value,
    protocol::{Kind, Status},
    service,
};
use support::{Peer, Request, values};
use tokio::task::JoinSet;

const PATIENCE: Duration = Duration::from_secs(120);

#[service(interface = "com.example.Work")]
trait Work {
    /// Computes for a while, without ever waiting, and gives its argument back.
    async fn compute(&self, number: i64, rounds: i32) -> i64;
}

struct Computing;

impl Work for Computing {
    async fn compute(&self, number: i64, rounds: i32) -> i64 {
        let mut x = std::hint::black_box(number);
        for _ in 0..rounds {
            x = std::hint::black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
        std::hint::black_box(x);
        number
    }
}

async fn served_at(pool: Pool) -> SocketAddr {
    let server = Server::bind("127.0.0.1:0").await.unwrap().pool(pool).service(WorkServer::new(Computing));
    let address = server.local_addr().unwrap();
    tokio::spawn(server.serve());
    address
}

async fn serve(pool: Pool) -> WorkClient {
    let address = served_at(pool).await.to_string();
    Client::builder().timeout(PATIENCE).direct(&address).unwrap().refer()
}

/// In which order calls that are sent one after the other are answered, as it is on the wire: what wakes first in a client is the
/// scheduler's choice. The first of each eight computes much longer.
async fn order_of_answers(peer: &mut Peer) -> Vec<i64> {
    const CALLS: i64 = 64;
    let calls = (0..CALLS).map(|number| {
        let rounds = if number % 8 == 0 { 2_000_000 } else { 0 };
        Request::new("com.example.Work", "compute", "JI").argument(number).argument(rounds).call(number)
    });
    peer.send(&calls.collect::<Vec<_>>().concat()).await;
    let mut order = Vec::new();
    for _ in 0..CALLS {
        let (header, body) = peer.next().await.unwrap();
        assert_eq!(header.kind, Kind::Response { status: Status::OK });
        assert_eq!(values(&body)[1], Value::from(header.id), "its own answer");
        order.push(header.id);
    }
    order
}

const FIXED: Pool = Pool::Fixed { queues: 4, workers: 8, depth: 64 };

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_a_fixed_pool_answers_come_back_out_of_order() {
    let mut peer = Peer::connect(served_at(FIXED).await).await;
    let mut reordered = false;
    // Which worker is faster is the scheduler's choice; that none ever is cannot be.
    for _ in 0..50 {
        let order = order_of_answers(&mut peer).await;
        reordered |= !order.is_sorted();
        if reordered {
            break;
        }
    }
    assert!(reordered);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_pool_the_same_calls_are_answered_in_order() {
    let mut peer = Peer::connect(served_at(Pool::Inline).await).await;
    for _ in 0..5 {
        assert!(order_of_answers(&mut peer).await.is_sorted());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_of_a_hundred_thousand_calls_through_a_pool_gets_its_own_answer() {
    let work = serve(FIXED).await;
    let mut callers = JoinSet::new();
    for caller in 0..200_i64 {
        let work = work.clone();
        callers.spawn(async move {
            for call in 0..500 {
                let number = caller * 1_000 + call;
                assert_eq!(work.compute(number, 10).await.unwrap(), number);
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_with_a_single_place_loses_nothing() {
    let work = serve(Pool::Fixed { queues: 1, workers: 1, depth: 1 }).await;
    let mut callers = JoinSet::new();
    for number in 0..1_000 {
        let work = work.clone();
        callers.spawn(async move { assert_eq!(work.compute(number, 10).await.unwrap(), number) });
    }
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_any_pool_each_call_gets_its_own_answer() {
    let idle = Duration::from_secs(1);
    for pool in [
        Pool::Ordered { workers: 4, depth: 8 },
        Pool::Keyed { queues: 4, depth: 8 },
        Pool::Elastic { min: 0, max: 4, idle, depth: 8 },
    ] {
        let work = serve(pool).await;
        let mut callers = JoinSet::new();
        for number in 0..2_000 {
            let work = work.clone();
            callers.spawn(async move { assert_eq!(work.compute(number, 10).await.unwrap(), number) });
        }
        while let Some(caller) = callers.join_next().await {
            caller.unwrap();
        }
    }
}
