//! Front end and user agents over real sockets, in one process.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ocs_client::{Config as ClientConfig, Event, Failure, UserAgent};
use ocs_conmgmt::{NamingPolicy, Server as Manual};
use ocs_examples::net::{
    Identity, Listeners, Network, Resolver, Server, Session, Trust, seed, wall_clock,
};
use ocs_ntlm::Credential;
use ocs_server::{CloseCause, Config, Event as Told, FrontEnd, MemoryStore, User};
use ocs_sip_core::{Aor, Transport};
use ocs_sipre::Epid;
use ocs_siprege::notify::RegistrationEvent;
use simple_dns::rdata::{A, RData, SRV};
use simple_dns::{CLASS, Name, Packet, QTYPE, ResourceRecord, TYPE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(15);

fn user(name: &str) -> Aor {
    format!("{name}@contoso.com").parse().unwrap()
}

/// A front end for alice and bob.
struct Deployment {
    server: Server,
    told: mpsc::UnboundedReceiver<Told>,
    tcp: SocketAddr,
    tls: SocketAddr,
    trust: Trust,
}

impl Deployment {
    async fn start(adjust: impl FnOnce(&mut Config)) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let identity = Identity::self_signed(vec!["fe01.contoso.com".into()]).unwrap();
        let trust = Trust::Roots(vec![identity.certificate()]);
        let mut listeners = Listeners::default();
        listeners.bind_tcp(any).await.unwrap();
        let acceptor = identity.acceptor().unwrap();
        listeners.bind_tls(any, acceptor).await.unwrap();
        let (tcp, tls) = (listeners.tcp().unwrap(), listeners.tls().unwrap());

        let mut config = Config::new(
            "fe01.contoso.com",
            "contoso.com",
            Transport::Tls,
            tls.port(),
            wall_clock(),
        );
        adjust(&mut config);
        let mut store = MemoryStore::new("CONTOSO");
        store.add_user(User::new(user("alice")), "Passw0rd");
        store.add_user(User::new(user("bob")), "Passw0rd");
        let front_end = FrontEnd::new(config, store, seed()).unwrap();
        let (events, told) = mpsc::unbounded_channel();
        Self {
            server: Server::start(front_end, listeners, Some(events)),
            told,
            tcp,
            tls,
            trust,
        }
    }

    /// A client that begins to sign in.
    async fn client(
        &self,
        name: &str,
        password: &str,
        transport: Transport,
        adjust: impl FnOnce(&mut ClientConfig),
    ) -> Session {
        let credential = Credential::from_password(password);
        let epid = Epid::parse(&format!("{name:0>10}")).unwrap();
        let mut config = ClientConfig::new(user(name), credential, epid, wall_clock());
        let address = match transport {
            Transport::Tls => self.tls,
            _ => self.tcp,
        };
        let host = address.ip().to_string();
        let discovery = &mut config.connector.discovery;
        discovery.manual = Some(Manual::new(transport, &host, Some(address.port())).unwrap());
        discovery.naming = NamingPolicy::Any;
        adjust(&mut config);
        let network = Network {
            tls: self.trust.connector().unwrap(),
            server_name: Some("fe01.contoso.com".to_owned()),
            resolver: Resolver::system(),
        };
        let session = Session::start(config, network).unwrap();
        session.command(UserAgent::sign_in).await.unwrap();
        session
    }

    /// A client that is signed in.
    async fn signed_in(&self, name: &str, transport: Transport) -> Session {
        let mut session = self.client(name, "Passw0rd", transport, |_| {}).await;
        expect(&mut session, |event| {
            matches!(event, Event::SignedIn { .. })
        })
        .await;
        session
    }

    async fn expect_told(&mut self, what: impl Fn(&Told) -> bool) -> Told {
        timeout(PATIENCE, async {
            loop {
                let event = self.told.recv().await.expect("the server runs");
                if what(&event) {
                    return event;
                }
            }
        })
        .await
        .expect("the server tells in time")
    }
}

async fn expect(session: &mut Session, what: impl Fn(&Event) -> bool) -> Event {
    let mut seen = Vec::new();
    let found = timeout(PATIENCE, async {
        loop {
            let event = session.next_event().await.expect("the session runs");
            if what(&event) {
                return event;
            }
            seen.push(event);
        }
    });
    if let Ok(event) = found.await {
        return event;
    }
    panic!("not in {seen:#?}");
}

/// Sends a text and waits for both ends of it.
async fn say(from: &mut Session, to: &mut Session, name: &str, text: &str) {
    let (with, words) = (user(name), text.to_owned());
    let sent = from.command(move |agent, now| agent.send_text(now, &with, &words));
    let sent = sent.await.unwrap().unwrap();
    expect(
        to,
        |event| matches!(event, Event::Text { text: got, .. } if got == text),
    )
    .await;
    expect(
        from,
        |event| matches!(event, Event::Delivered { id, .. } if *id == sent),
    )
    .await;
}

async fn converse(alice: &mut Session, bob: &mut Session) {
    for round in 0..5 {
        say(alice, bob, "bob", &format!("Hi Bob, {round}")).await;
        say(bob, alice, "alice", &format!("Hello Alice, {round}")).await;
    }
}

async fn sign_out(mut session: Session) {
    session.command(UserAgent::sign_out).await.unwrap();
    expect(&mut session, |event| *event == Event::SignedOut).await;
}

#[tokio::test]
async fn two_clients_talk_over_tcp_and_tls() {
    let mut deployment = Deployment::start(|_| {}).await;
    for (left, right) in [
        (Transport::Tcp, Transport::Tcp),
        (Transport::Tls, Transport::Tls),
        (Transport::Tcp, Transport::Tls),
    ] {
        let mut alice = deployment.signed_in("alice", left).await;
        let mut bob = deployment.signed_in("bob", right).await;
        converse(&mut alice, &mut bob).await;
        alice
            .command(|agent, now| agent.end_conversation(now, &user("bob")))
            .await
            .unwrap();
        expect(&mut bob, |event| {
            matches!(event, Event::ConversationEnded { .. })
        })
        .await;
        sign_out(alice).await;
        sign_out(bob).await;
        for _ in 0..2 {
            deployment
                .expect_told(|event| matches!(event, Told::Unregistered { .. }))
                .await;
        }
    }
    deployment.server.drain().await;
}

#[tokio::test]
async fn compression_over_tls() {
    let deployment = Deployment::start(|config| config.compression.enabled = true).await;
    let compress = |config: &mut ClientConfig| config.compression.enabled = true;
    let mut alice = deployment
        .client("alice", "Passw0rd", Transport::Tls, compress)
        .await;
    let connected = expect(&mut alice, |event| matches!(event, Event::Connected { .. })).await;
    assert!(matches!(
        connected,
        Event::Connected {
            compressed: true,
            ..
        }
    ));
    let mut bob = deployment.signed_in("bob", Transport::Tls).await;
    converse(&mut alice, &mut bob).await;
    let long = "All work and no play makes Jack a dull boy. ".repeat(100);
    say(&mut alice, &mut bob, "bob", &long).await;
    say(&mut bob, &mut alice, "alice", &long).await;
}

#[tokio::test]
async fn wrong_password_and_unknown_user_are_refused() {
    let mut deployment = Deployment::start(|_| {}).await;
    for (name, password) in [("alice", "Passw0rd!"), ("mallory", "Passw0rd")] {
        let mut session = deployment
            .client(name, password, Transport::Tls, |_| {})
            .await;
        let failed = expect(&mut session, |event| {
            matches!(event, Event::SignInFailed(_) | Event::SignedIn { .. })
        });
        assert!(matches!(
            failed.await,
            Event::SignInFailed(Failure::Authentication(_))
        ));
        let aor = user(name);
        deployment
            .expect_told(
                |event| matches!(event, Told::LogonFailure { aor: who, .. } if *who == aor),
            )
            .await;
    }
}

#[tokio::test]
async fn a_draining_server_tells_its_clients() {
    let deployment = Deployment::start(|_| {}).await;
    let mut alice = deployment.signed_in("alice", Transport::Tcp).await;
    let mut bob = deployment.signed_in("bob", Transport::Tls).await;
    timeout(PATIENCE, deployment.server.drain())
        .await
        .expect("all connections are closed");
    for session in [&mut alice, &mut bob] {
        expect(session, |event| {
            matches!(
                event,
                Event::Registration {
                    event: RegistrationEvent::Deactivated,
                    ..
                }
            )
        })
        .await;
        expect(session, |event| matches!(event, Event::Reconnecting { .. })).await;
    }
}

/// Asks for answers and does not read them.
async fn flood(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let local = stream.local_addr().unwrap();
    let request = |count| {
        format!(
            "OPTIONS sip:fe01.contoso.com SIP/2.0\r\nVia: SIP/2.0/TCP {local};branch=z9hG4bK{count}\r\n\
             From: <sip:mallory@contoso.com>;tag=1;epid=01\r\nTo: <sip:fe01.contoso.com>\r\nCall-ID: {count}\r\n\
             CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let requests: Vec<String> = (0..100).map(request).collect();
    let requests = requests.concat();
    while stream.write_all(requests.as_bytes()).await.is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_cut_off_alone() {
    let mut deployment = Deployment::start(|config| config.backlog = 256 * 1024).await;
    let mut alice = deployment.signed_in("alice", Transport::Tcp).await;
    let mut bob = deployment.signed_in("bob", Transport::Tls).await;
    let flood = tokio::spawn(flood(deployment.tcp));
    while !flood.is_finished() {
        say(&mut alice, &mut bob, "bob", "Are you there?").await;
    }
    deployment
        .expect_told(|event| {
            matches!(
                event,
                Told::Closed {
                    cause: CloseCause::Backlog { .. },
                    ..
                }
            )
        })
        .await;
    converse(&mut alice, &mut bob).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_disturbs_nobody() {
    let mut deployment = Deployment::start(|_| {}).await;
    let mut alice = deployment.signed_in("alice", Transport::Tcp).await;
    let mut bob = deployment.signed_in("bob", Transport::Tls).await;
    let mut noise = Vec::new();
    for round in 0..100_u8 {
        noise.push(TcpStream::connect(deployment.tcp).await.unwrap());
        let mut half = TcpStream::connect(deployment.tls).await.unwrap();
        // The beginning of a record with a ClientHello.
        half.write_all(&[22, 3, 1, 2, 0, 1, 0]).await.unwrap();
        noise.push(half);
        for address in [deployment.tcp, deployment.tls] {
            let mut garbage = TcpStream::connect(address).await.unwrap();
            let octets: Vec<u8> = (0..2000_u16)
                .map(|at| (at as u8).wrapping_mul(round | 1).wrapping_add(round))
                .collect();
            // It may be closed before everything is written.
            let _ = garbage.write_all(&octets).await;
            noise.push(garbage);
        }
    }
    converse(&mut alice, &mut bob).await;

    // A message without end is the end of its connection.
    let mut endless = TcpStream::connect(deployment.tcp).await.unwrap();
    let line = format!(
        "OPTIONS sip:fe01.contoso.com SIP/2.0\r\n{}",
        "a".repeat(200_000)
    );
    let _ = endless.write_all(line.as_bytes()).await;
    deployment
        .expect_told(|event| {
            matches!(
                event,
                Told::Closed {
                    cause: CloseCause::Stream(_),
                    ..
                }
            )
        })
        .await;
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, endless.read_to_end(&mut rest))
        .await
        .expect("it is closed");
    converse(&mut alice, &mut bob).await;
    drop((noise, endless));
    sign_out(alice).await;
    sign_out(bob).await;
    timeout(PATIENCE, deployment.server.drain())
        .await
        .expect("half handshakes do not hold the server up");
}

/// A name server that knows the service of contoso.com and its one server.
async fn name_server(port: u16) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, asker)) = socket.recv_from(&mut buffer).await {
            let query = Packet::parse(&buffer[..length]).unwrap();
            let question = query.questions[0].clone();
            let name = question.qname.to_string().to_lowercase();
            let data = match (name.as_str(), question.qtype) {
                ("_sipinternaltls._tcp.contoso.com", QTYPE::TYPE(TYPE::SRV)) => {
                    Some(RData::SRV(SRV {
                        priority: 0,
                        weight: 0,
                        port,
                        target: Name::new_unchecked("fe01.contoso.com"),
                    }))
                }
                ("fe01.contoso.com", QTYPE::TYPE(TYPE::A)) => {
                    let address = Ipv4Addr::LOCALHOST.to_bits();
                    Some(RData::A(A { address }))
                }
                _ => None,
            };
            let mut answer = Packet::new_reply(query.id());
            answer.questions.push(question.clone());
            if let Some(data) = data {
                let record = ResourceRecord::new(question.qname.clone(), CLASS::IN, 60, data);
                answer.answers.push(record);
            }
            let answer = answer.build_bytes_vec().unwrap();
            socket.send_to(&answer, asker).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn the_server_is_found_by_its_domain() {
    let deployment = Deployment::start(|_| {}).await;
    let epid = Epid::parse("01010101").unwrap();
    let credential = Credential::from_password("Passw0rd");
    let config = ClientConfig::new(user("alice"), credential, epid, wall_clock());
    let network = Network {
        tls: deployment.trust.connector().unwrap(),
        server_name: None,
        resolver: Resolver::at(name_server(deployment.tls.port()).await),
    };
    let mut alice = Session::start(config, network).unwrap();
    alice.command(UserAgent::sign_in).await.unwrap();
    expect(
        &mut alice,
        |event| matches!(event, Event::Connected { host, .. } if host == "fe01.contoso.com"),
    )
    .await;
    expect(&mut alice, |event| matches!(event, Event::SignedIn { .. })).await;
    sign_out(alice).await;
}
