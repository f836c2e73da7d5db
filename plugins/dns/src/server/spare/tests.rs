use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::{MOST, Spare};
use crate::server::Server;
use crate::settings::ServerHost;

/// Servers at one address, as with a key for each.
async fn servers(count: usize, permits: &[Arc<Semaphore>]) -> (TcpListener, Vec<Arc<Server>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let spare = Arc::<Spare>::default();
    let servers = permits.iter().cycle().take(count).map(|permits| {
        Arc::new(Server::new(
            ServerHost::Address(address.ip()),
            address.port(),
            None,
            None,
            Duration::from_secs(30),
            Arc::clone(permits),
            Arc::clone(&spare),
        ))
    });
    let servers = servers.collect();
    (listener, servers)
}

fn count(server: &Server) -> usize {
    server.spare.lock().len()
}

#[tokio::test]
async fn connections_for_other_keys_count_among_those_to_an_address() {
    let permits = Arc::new(Semaphore::new(2));
    let (_listener, servers) = servers(5, &[permits]).await;
    for server in &servers {
        drop(server.connection().await.unwrap());
        assert!(count(server) <= 2);
    }
    let _in_use = servers[0].connection().await.unwrap();
    assert_eq!(count(&servers[0]), 1);
    let _in_use = servers[1].connection().await.unwrap();
    assert_eq!(count(&servers[0]), 0);
}

#[tokio::test]
async fn a_connection_is_only_given_to_the_server_that_it_was_for() {
    let (_listener, servers) = servers(2, &[Arc::new(Semaphore::new(4))]).await;
    drop(servers[0].connection().await.unwrap());
    assert!(servers[0].spare.take(&servers[1]).is_none());
    assert!(servers[0].spare.take(&servers[0]).is_some());
}

#[tokio::test]
async fn thousands_of_servers_do_not_keep_thousands_of_connections() {
    let permits: Vec<_> = (0..200).map(|_| Arc::new(Semaphore::new(4))).collect();
    let (listener, servers) = servers(200, &permits).await;
    for server in &servers {
        drop(server.connection().await.unwrap());
        listener.accept().await.unwrap();
    }
    assert_eq!(count(&servers[0]), MOST);
}
