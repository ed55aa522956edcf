//! A wire between the program and PostgreSQL: counts connections, and cuts the first of them.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::small_site::SmallSite;

pub(crate) struct Wire {
    pub(crate) address: String,
    connections: Arc<AtomicUsize>,
}

impl Wire {
    /// Puts a wire into the site's source; its first `cut` connections end before a byte has passed.
    pub(crate) fn into(site: &SmallSite, cut: usize) -> Wire {
        let url = site.database.url();
        let (_, place) = url.rsplit_once('@').expect("a user");
        let (server, _) = place.split_once('/').expect("a database");
        Wire::before(site, server, cut)
    }

    /// The same for another server that the site names so.
    pub(crate) fn before(site: &SmallSite, server: &str, cut: usize) -> Wire {
        let wire = Wire::to(server, cut);
        site.replace("pg2dhis2.toml", server, &wire.address);
        wire
    }

    /// A wire to a server, into which nothing is put yet.
    pub(crate) fn to(server: &str, cut: usize) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        let (counted, server) = (Arc::clone(&connections), server.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if counted.fetch_add(1, Ordering::SeqCst) >= cut {
                    // A server that is gone is what some tests are about.
                    if let Ok(upstream) = TcpStream::connect(&server) {
                        splice(&client, &upstream);
                        splice(&upstream, &client);
                    }
                }
            }
        });
        Wire {
            address,
            connections,
        }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Carries what one says to the other until it stops.
fn splice(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (
        from.try_clone().expect("a clone"),
        to.try_clone().expect("a clone"),
    );
    thread::spawn(move || {
        // A side that goes away is what some tests are about.
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}
