//! A network that breaks: a TCP proxy that cuts connections when it is told to, or goes silent like a Wi-Fi that is gone.

// Helpers of tests may panic as tests do. Each test program uses what it needs of it.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Stands between runtimes and their host, until it is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    pub cuts: Arc<AtomicU64>,
    _runtime: Runtime,
}

impl Proxy {
    /// Forwards to `host`. The nth connection is cut after `life(n)`; `None`: it is left alone.
    pub fn to(host: &str, life: impl Fn(u64) -> Option<Duration> + Send + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let host = host.to_owned();
        let cuts = Arc::new(AtomicU64::new(0));
        let counted = cuts.clone();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            for n in 0.. {
                let (mut near, _) = listener.accept().await.unwrap();
                let (host, life, cuts) = (host.clone(), life(n), counted.clone());
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(host).await else {
                        return;
                    };
                    let both = copy_bidirectional(&mut near, &mut far);
                    match life {
                        None => drop(both.await),
                        // Both ends lose what is under way.
                        Some(life) => {
                            if tokio::time::timeout(life, both).await.is_err() {
                                cuts.fetch_add(1, Ordering::Relaxed);
                                let _ = near.set_zero_linger();
                                let _ = far.set_zero_linger();
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            cuts,
            _runtime: runtime,
        }
    }
}

/// A Wi-Fi that goes away: nothing comes through and nobody is told, as it is for a headset that sleeps. When it is back
/// nothing is left of the connections from before.
pub struct Wifi {
    pub address: SocketAddr,
    there: watch::Sender<bool>,
    _runtime: Runtime,
}

impl Wifi {
    /// Forwards to `host`, as long as it is there; it is at first.
    pub fn to(host: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let host = host.to_owned();
        let (there, seen) = watch::channel(true);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            let mut seen = seen;
            loop {
                // Who dials meanwhile is not answered.
                seen.wait_for(|there| *there).await.unwrap();
                let (mut near, _) = listener.accept().await.unwrap();
                let (host, mut seen) = (host.clone(), seen.clone());
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(host).await else {
                        return;
                    };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => return,
                        _ = seen.wait_for(|there| !*there) => {}
                    }
                    let _ = seen.wait_for(|there| *there).await;
                    let _ = near.set_zero_linger();
                    let _ = far.set_zero_linger();
                });
            }
        });
        Self {
            address,
            there,
            _runtime: runtime,
        }
    }

    /// Takes it away, or brings it back.
    pub fn is_there(&self, there: bool) {
        self.there.send_replace(there);
    }
}
