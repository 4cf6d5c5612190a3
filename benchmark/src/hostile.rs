//! Owns the subcommand `hostile`: what hostile peers cost an honest client of the same server. Server and client are processes of
//! their own, as in `compare`; the hostile peers run in this one, on one thread.
//!
//! ```text
//! each round:   nobody <--- honest peers <--- hostile peers <--- ..      every other round the other way round
//!                      compared with     compared with, in the same round
//! ```
//!
//! Whoever uses the machine costs all others some time, an honest peer too, and here the attacker's own work is done on the same
//! cores. So hostile peers are compared with honest ones that are as many and as busy: what is left is what their hostility costs.
//! Those that do nothing are compared with nobody.

mod beside;
mod busy;
mod crowd;
mod table;

pub(crate) use beside::Attack;

use crate::child::{ChildError, Server, run_client};
use crate::cli::HostileArgs;
use crate::compare::Row;
use crate::peer::{Mode, Peer};
use crate::report::ClientReport;
use crate::usage;
use beside::{Beside, Company};
use std::io;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::time::sleep;

/// How long others have been there before the honest client comes.
const BEFORE: Duration = Duration::from_millis(300);
/// Descriptors that a process needs for other things.
const OTHERS: u64 = 100;

/// There is nothing to report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum HostileError {
    /// No threads.
    #[error("the runtime cannot start")]
    Runtime(#[source] io::Error),
    /// The limit of descriptors leaves no room.
    #[error("the system allows {0} open files, which is too few; give a smaller --crowd")]
    Descriptors(u64),
    /// Server or client failed.
    #[error("{0}: the run failed")]
    Run(Scene, #[source] ChildError),
    /// It was not what it is said to be.
    #[error("{scene}: {made} connections were made, expected at least {wanted}")]
    Few { scene: Scene, made: u64, wanted: u64 },
}

/// What the honest client does, and beside whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scene {
    mode: Mode,
    beside: Beside,
}

/// A scene in all rounds.
struct Series {
    scene: Scene,
    rounds: Vec<ClientReport>,
    /// How many cores the server used in each of them.
    cores: Vec<f64>,
    /// Connections of others that the server has closed.
    closed: u64,
}

/// Measures in rounds and prints the table. Failure if a goal is missed.
pub(crate) fn run(args: &HostileArgs) -> Result<ExitCode, HostileError> {
    let files = args.crowd.get() as u64 + OTHERS;
    // Children inherit it.
    let allowed = usage::raise_open_files(files);
    if allowed < files {
        return Err(HostileError::Descriptors(allowed));
    }
    let runtime = crate::runtime(1).map_err(HostileError::Runtime)?;
    let mut series: Vec<_> = scenes(&args.attacks)
        .into_iter()
        .map(|scene| Series { scene, rounds: Vec::new(), cores: Vec::new(), closed: 0 })
        .collect();
    for round in 1..=args.rounds.get() {
        // Every other round runs backwards, so that none always comes after the same one.
        let order: Vec<_> =
            if round % 2 == 1 { series.iter_mut().collect() } else { series.iter_mut().rev().collect() };
        for one in order {
            runtime.block_on(measure(one, args))?;
        }
    }
    let outcomes = table::outcomes(&series);
    print!("{}", table::render(&outcomes, args.rounds.get()));
    let missed = outcomes.iter().any(|one| !one.is_met());
    Ok(if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The attacks, and before each what it is compared with; all of them once.
fn scenes(attacks: &[Attack]) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for &attack in attacks {
        let mut scene = Some(Scene { mode: attack.mode(), beside: Beside::Attack(attack) });
        let at = scenes.len();
        while let Some(one) = scene.filter(|one| !scenes.contains(one)) {
            scenes.insert(at, one);
            scene = one.instead();
        }
    }
    scenes
}

impl Scene {
    /// What it is compared with.
    fn instead(self) -> Option<Self> {
        self.beside.instead().map(|beside| Self { beside, ..self })
    }
}

async fn measure(one: &mut Series, args: &HostileArgs) -> Result<(), HostileError> {
    let Scene { mode, beside } = one.scene;
    let failed = |error| HostileError::Run(one.scene, error);
    let row = Row {
        mode,
        serialization: None,
        registry: false,
        size: None,
        // A frame or a handshake under way: what it waits for is others, not itself.
        connections: NonZeroUsize::MIN,
        callers: NonZeroUsize::MIN,
    };
    let server = Server::start(Peer::Getty, mode, 1, args.workers).await.map_err(failed)?;
    let began = Instant::now();
    let mut company = Company::default();
    for &addr in server.addrs() {
        company.start(beside, addr, args.crowd.get()).await;
    }
    sleep(BEFORE).await;
    let client =
        run_client(Peer::Getty, row, server.addrs(), args.budget, args.workers).await.map_err(failed)?;
    let (made, closed) = company.end();
    let served = server.stop().await.map_err(failed)?;
    let time = began.elapsed();

    let wanted = beside.connections(args.crowd.get()) as u64;
    if made < wanted {
        return Err(HostileError::Few { scene: one.scene, made, wanted });
    }
    if let Some(error) = &client.first_error {
        eprintln!("{}: {} errors, such as: {error}", one.scene, client.errors);
    }
    one.rounds.push(client);
    one.cores.push(Duration::from_micros(served.cpu_us).as_secs_f64() / time.as_secs_f64());
    one.closed += closed;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attack_comes_after_what_it_is_compared_with_and_nothing_twice() {
        let names = |attacks: &[Attack]| scenes(attacks).iter().map(Scene::to_string).collect::<Vec<_>>();
        assert_eq!(
            names(&[Attack::Silent, Attack::Flood, Attack::Silent]),
            [
                "echo beside nobody",
                "echo beside silent peers",
                "echo beside a busy client",
                "echo beside a flood of tiny frames"
            ]
        );
        assert_eq!(
            names(&[Attack::Handshakes]),
            ["handshake beside nobody", "handshake beside handshakes without end"]
        );
    }
}
