//! The programs `front_end` and `edge`: who signs in at one gets credentials for the other, and uses them ([MS-OCSPROT] 2.5.3 step 11,
//! 2.5.12 steps 1 and 2).
#![cfg(unix)]

mod allocation;
mod conversation;
mod process;
mod running;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use allocation::{Allocation, credentials};
use conversation::datagrams;
use ocs_avedgea::client::{Access, RelayHost};
use ocs_client::{Config, Event, Step, UserAgent};
use ocs_conmgmt::{NamingPolicy, Server as Manual};
use ocs_examples::net::{Network, Resolver, Session, Trust, seed, wall_clock};
use ocs_ntlm::Credential;
use ocs_sip_core::Transport as Sip;
use ocs_sipre::Epid;
use ocs_turn::client::{Failure, Transport};
use running::{Edge, FrontEnd};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// 40 octets in hexadecimal, other ones each time.
fn secret() -> String {
    hex::encode([&seed()[..], &seed()[..8]].concat())
}

/// Signs alice in over this transport, until the bootstrap is over.
async fn sign_in(transport: Sip, server: &str, certificate: &Path) -> (Session, Vec<Event>) {
    let user = "alice@contoso.com".parse().unwrap();
    let credential = Credential::from_password("Passw0rd");
    let epid = Epid::parse(&hex::encode(&seed()[..5])).unwrap();
    let mut config = Config::new(user, credential, epid, wall_clock());
    let address: SocketAddr = server.parse().unwrap();
    let discovery = &mut config.connector.discovery;
    let host = address.ip().to_string();
    discovery.manual = Some(Manual::new(transport, &host, Some(address.port())).unwrap());
    discovery.naming = NamingPolicy::Any;
    discovery.allow_tcp = transport == Sip::Tcp;
    let network = Network {
        tls: Trust::File(certificate.to_owned()).connector().unwrap(),
        server_name: Some("sip.contoso.com".to_owned()),
        resolver: Resolver::system(),
    };
    let mut session = Session::start(config, network).unwrap();
    session.command(UserAgent::sign_in).await.unwrap();
    let mut events = Vec::new();
    let bootstrap = async {
        while events.last() != Some(&Event::Bootstrapped) {
            events.push(session.next_event().await.expect("the session lasts"));
        }
    };
    let done = timeout(PATIENCE, bootstrap).await;
    assert!(done.is_ok(), "no end of the bootstrap: {events:?}");
    (session, events)
}

fn granted(events: &[Event]) -> Option<&Access> {
    events.iter().find_map(|event| match event {
        Event::RelayGranted(access) => Some(access.as_ref()),
        _ => None,
    })
}

/// A front end that gives credentials for this relay, and its certificate.
fn front_end(relay: SocketAddr, secret: &str, directory: &Path) -> (FrontEnd, std::path::PathBuf) {
    let certificate = directory.join("server.pem");
    let mut command = process::example("front_end");
    // Not where everybody sees it.
    command.env("OCS_RELAY_SECRET", secret);
    let saved = certificate.to_str().unwrap();
    let relay = relay.to_string();
    let arguments = ["--relay", &relay, "--save-cert", saved];
    (FrontEnd::start_as(command, &arguments), certificate)
}

#[tokio::test]
async fn credentials_of_the_front_end_are_good_at_the_edge() {
    let secret = secret();
    let edge = Edge::start(&["--secret", &secret]);
    let directory = tempfile::tempdir().unwrap();
    let (server, certificate) = front_end(edge.address, &secret, directory.path());
    let (session, events) = sign_in(Sip::Tls, &server.tls, &certificate).await;
    let access = granted(&events).expect("credentials");
    let relay = &access.relays[0];
    assert_eq!(relay.host, RelayHost::Address(edge.address.ip()));
    assert_eq!(relay.udp_port, Some(edge.address.port()));

    let credentials = credentials(access.username.as_bytes(), access.password.as_bytes());
    let other = Edge::start(&["--secret", &self::secret()]);
    let used = tokio::task::spawn_blocking(move || {
        datagrams(edge.address, credentials.clone());
        for transport in [Transport::Tcp, Transport::PseudoTls] {
            let allocation = Allocation::open(edge.address, transport, credentials.clone());
            allocation.unwrap().release();
        }
        // One with other keys.
        Allocation::open(other.address, Transport::Udp, credentials).err()
    });
    assert_eq!(
        used.await.unwrap(),
        Some(Failure::Credentials { code: 436 })
    );
    session.command(UserAgent::sign_out).await.unwrap();
}

#[tokio::test]
async fn nothing_in_clear() {
    let secret = secret();
    let directory = tempfile::tempdir().unwrap();
    let relay = SocketAddr::from(([127, 0, 0, 1], 3478));
    let (server, certificate) = front_end(relay, &secret, directory.path());
    let (_session, events) = sign_in(Sip::Tcp, &server.tcp, &certificate).await;
    assert_eq!(granted(&events), None);
    let refused = |event: &Event| {
        matches!(
            event,
            Event::StepRefused {
                step: Step::MediaRelay,
                status: 403,
                ..
            }
        )
    };
    assert!(events.iter().any(refused), "{events:?}");
}
