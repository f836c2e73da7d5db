use std::time::Duration;

use tokio::net::TcpListener;

use super::Server;

#[tokio::test]
async fn the_address_that_took_a_connection_is_the_first_one_the_next_time() {
    let good = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let better = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let [bad, good_at, better_at] = [&closed, &good, &better].map(|at| at.local_addr().unwrap());
    drop(closed);
    let server = Server::at(bad, None, Duration::from_secs(30));
    let addresses = vec![bad, good_at, better_at];
    server.connect_to_one(addresses.clone()).await.unwrap();
    good.accept().await.unwrap();
    // Asked first, so that the one before it is not tried in vain again.
    server
        .connect_to_one(vec![better_at, good_at])
        .await
        .unwrap();
    good.accept().await.unwrap();
    // It is not believed to be the only one for ever.
    drop(good);
    server.connect_to_one(addresses).await.unwrap();
    better.accept().await.unwrap();
}
