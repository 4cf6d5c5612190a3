//! A registry that is away costs next to nothing: under 2 % of a core, whether its server refuses, hangs or was never
//! there. In a test program of its own, since the time of all its threads is taken.

#![cfg(all(any(feature = "zookeeper", feature = "etcd"), target_os = "linux"))]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod support;

use std::fs;
use std::time::Duration;

use getty_registry::RegistryState;
use support::faults::place;
use support::servers::{Kind, Server};
use support::{interface, next, provider, subscribe, within};
use tokio::time::sleep;

const MEASURED: Duration = Duration::from_secs(8);
const MOST: Duration = Duration::from_millis(160);

/// The time that all threads of this process have run, of those that are still there.
fn cpu() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let nanoseconds = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

async fn measure(kind: Kind) {
    for fault in ["refuses", "hangs", "was never there"] {
        let mut server = Server::prepare(kind);
        if fault != "was never there" {
            tokio::task::block_in_place(|| server.run());
        }
        let registry = place(&server, kind).connect_with("check=false").await;
        let mut lists: Vec<_> = (0..50).map(|_| subscribe(&registry, &interface())).collect();
        for port in 1..=50 {
            registry.register(provider(&interface(), port)).unwrap();
        }
        if fault != "was never there" {
            for list in &mut lists {
                next(list).await;
            }
        }
        match fault {
            "refuses" => tokio::task::block_in_place(|| server.kill()),
            "hangs" => server.pause(),
            _ => {}
        }
        let mut state = registry.state();
        let away = |state: &RegistryState| {
            matches!(state, RegistryState::Away { .. } | RegistryState::NotYet { cause: Some(_) })
        };
        within("away", state.wait_for(away)).await.unwrap();
        let before = cpu();
        sleep(MEASURED).await;
        let spent = cpu() - before;
        let share = spent.as_secs_f64() / MEASURED.as_secs_f64() * 100.0;
        println!("{kind:?} {fault}: {spent:?} in {MEASURED:?}, {share:.3} % of a core");
        assert!(!state.borrow().is_connected());
        assert!(spent < MOST, "{kind:?} {fault}: {spent:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_is_away_takes_less_than_two_percent_of_a_core() {
    #[cfg(feature = "zookeeper")]
    measure(Kind::ZooKeeper).await;
    #[cfg(feature = "etcd")]
    measure(Kind::Etcd).await;
}
