//! A server that pushes to clients which it picks by what they have told of themselves, as the coordinator of distributed
//! transactions does (Seata): a participant registers the databases that it works on; when a transaction ends, the coordinator
//! tells the one that did its part of it, or another instance of the same application.
//!
//! ```sh
//! cargo run -p getty-examples --bin push
//! ```
//!
//! plays it in one process, over TCP:
//!
//! ```text
//! orders-1 of orders has registered: orders-db
//! orders-2 of orders has registered: orders-db
//! stock-1 of stock has registered: stock-db
//! commit 1 of orders-db by orders-1: done by orders-1
//! -- orders-1 stops
//! commit 2 of orders-db by orders-1: done by orders-2
//! -- the connection of stock-1 breaks
//! stock-1 of stock has registered: stock-db
//! commit 3 of stock-db by stock-1: done by stock-1
//! commit 4 of stock-db by orders-2: nobody of orders has it
//! ```
//!
//! Packets are lines of text:
//!
//! ```text
//! participant -> coordinator   REGISTER <instance> <application> <resource> <resource> ...
//! coordinator -> participant   COMMIT <number> <resource>
//! participant -> coordinator   DONE <number>
//! ```
//!
//! What to look at: `Participant::on_open` runs on every new connection, so a reconnected client is known again without anybody
//! thinking of it; `Session::set` keeps what it said as a typed attribute, and `Session::get` finds it when somebody is picked. A
//! participant is known by the name that it gives, never by its address: it comes back from another port.

mod coordinator;
mod participant;

use std::sync::Arc;

use getty::{BoxError, Limits, Lines, Server};

use coordinator::{Branch, Coordinator};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    getty_examples::log_to_stderr();
    let server = Server::bind("127.0.0.1:0").await?.limits(Limits::default().max_packet(4 * 1024));
    let address = server.local_addr().ok_or("no address")?.to_string();
    let (coordinator, mut registered) = Coordinator::new();
    let coordinator = Arc::new(coordinator);
    tokio::spawn(server.serve(Lines::default(), Arc::clone(&coordinator)));

    let mut clients = Vec::new();
    for (instance, application, resource) in [
        ("orders-1", "orders", "orders-db"),
        ("orders-2", "orders", "orders-db"),
        ("stock-1", "stock", "stock-db"),
    ] {
        let client = participant::start(&address, instance, application, &[resource]);
        client.connect().await?;
        registered.recv().await.ok_or("the coordinator has gone")?;
        clients.push(client);
    }

    let orders = Branch { resource: "orders-db", application: "orders", instance: "orders-1" };
    show(&coordinator, &orders).await;

    println!("-- orders-1 stops");
    clients.swap_remove(0).close().await;
    show(&coordinator, &orders).await;

    println!("-- the connection of stock-1 breaks");
    coordinator.disconnect("stock-1");
    registered.recv().await.ok_or("the coordinator has gone")?;
    show(&coordinator, &Branch { resource: "stock-db", application: "stock", instance: "stock-1" }).await;

    show(&coordinator, &Branch { resource: "stock-db", application: "orders", instance: "orders-2" }).await;
    for client in clients {
        client.close().await;
    }
    Ok(())
}

/// Ends a branch, and prints what came of it.
async fn show(coordinator: &Coordinator, branch: &Branch<'_>) {
    let (number, outcome) = coordinator.commit(branch).await;
    let Branch { resource, application, instance } = branch;
    match outcome {
        Some(by) => println!("commit {number} of {resource} by {instance}: done by {by}"),
        None => println!("commit {number} of {resource} by {instance}: nobody of {application} has it"),
    }
}
