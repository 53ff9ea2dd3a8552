//! One front end for contoso.com, with its DNS records.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Instant, SystemTime};

use ocs_client::{Bootstrap, Config as ClientConfig, Event, UserAgent, phone};
use ocs_hosts::{ClientHost, ServerHost};
use ocs_ntlm::Credential;
use ocs_server::{Config as ServerConfig, DocumentKind, FrontEnd, MemoryStore, Store, User};
use ocs_sip_core::{Aor, Transport};
use ocs_sipre::Epid;
use ocs_siprege::contacts::{Contact, ContactList, GroupId};
use ocs_siprege::location::{LocationProfileDescription, Rule};
use ocs_siprege::mcu::McuType;
use ocs_siprege::provisioning::ServerConfiguration;
use ocs_testbed::{HostId, Listener, Options, Testbed, sip_dissectors};

use crate::talk::{Talk, Talks};
use crate::{Caller, Manner, PhoneHost, call_dissectors};

/// The domain of the deployment.
const DOMAIN: &str = "contoso.com";
/// Its one server.
const SERVER: &str = "fe01.contoso.com";
/// Where a media relay would be.
const RELAY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)), 3478);
/// The password of every user.
const PASSWORD: &str = "Passw0rd";

/// A virtual network with a front end, ready for clients.
#[derive(Debug)]
pub struct Deployment {
    /// The network.
    pub testbed: Testbed,
    /// The host of the front end.
    pub server: HostId,
    seed: u64,
    clients: u8,
}

impl Deployment {
    /// A deployment whose users are alice, bob and carol, who has bob in her contact list. `adjust` changes the server's configuration.
    ///
    /// # Panics
    /// If the configuration cannot work.
    #[must_use]
    pub fn new(options: &Options, adjust: impl FnOnce(&mut ServerConfig)) -> Self {
        let seed = options.seed;
        let mut testbed = Testbed::new(seed, Instant::now(), SystemTime::now());
        testbed.set_dissector(sip_dissectors());
        testbed.capture(options.pcap.is_some());
        let mut config =
            ServerConfig::new(SERVER, DOMAIN, Transport::Tls, 5061, testbed.wall_clock());
        let extensions = Rule::new(r"^(\d{4})$", "+1425555$1");
        config.location_profiles = vec![LocationProfileDescription::new("Redmond", [extensions])];
        config.provisioning.groups = vec![ServerConfiguration::default().into()];
        config.mcus.types = vec![McuType::Chat, McuType::AudioVideo];
        adjust(&mut config);
        let mut store = MemoryStore::new("CONTOSO");
        for (name, display, line) in [
            ("alice", "Alice", "tel:+14255550100"),
            ("bob", "Bob", "tel:+14255550101"),
            ("carol", "Carol", "tel:+14255550102"),
        ] {
            let mut entry = User::new(user(name));
            entry.display_name = Some(display.to_owned());
            entry.line_uri = Some(line.to_owned());
            store.add_user(entry, PASSWORD);
        }
        let mut contacts = ContactList::new();
        let bob = Contact::new(user("bob").as_str(), "", GroupId::DEFAULT.into());
        contacts.contacts.push(bob);
        let documents = [(DocumentKind::Contacts, &*contacts.to_document())];
        let Ok(()) = store.put_documents(&user("carol"), &documents);
        let front_end =
            FrontEnd::new(config, store, [seed as u8; 32]).expect("a configuration that works");
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10));
        let server = testbed.add_host("fe01", vec![address], ServerHost::new(front_end));
        let names = vec![SERVER.to_owned(), format!("sip.{DOMAIN}")];
        testbed.listen(server, Listener::tls(SocketAddr::new(address, 5061), names));
        let zone = testbed.zone_mut();
        zone.srv(
            &format!("_sipinternaltls._tcp.{DOMAIN}"),
            0,
            0,
            5061,
            SERVER,
        );
        zone.address(SERVER, address);
        Self {
            testbed,
            server,
            seed,
            clients: 0,
        }
    }

    /// A deployment whose network shows calls in its ladder, and whose server wants reports on their quality.
    ///
    /// # Panics
    /// If the configuration cannot work.
    #[must_use]
    pub fn for_calls(options: &Options) -> Self {
        let mut this = Self::new(options, |config| {
            config.quality_agent = Some("1".to_owned());
        });
        this.testbed.set_dissector(call_dissectors(RELAY));
        this
    }

    /// Adds another server, which knows nobody and shows a certificate for `names`.
    ///
    /// # Panics
    /// If the configuration cannot work.
    pub fn add_server(&mut self, host: &str, address: IpAddr, names: &[&str]) -> HostId {
        let clock = self.testbed.wall_clock();
        let config = ServerConfig::new(host, DOMAIN, Transport::Tls, 5061, clock);
        let front_end = FrontEnd::new(config, MemoryStore::new("CONTOSO"), [1; 32])
            .expect("a configuration that works");
        let host = self
            .testbed
            .add_host(host, vec![address], ServerHost::new(front_end));
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        self.testbed
            .listen(host, Listener::tls(SocketAddr::new(address, 5061), names));
        host
    }

    /// Adds a device of a user, signed out. It does nothing but register when it signs in; `adjust` changes that and the rest of the
    /// client's configuration.
    ///
    /// # Panics
    /// If the configuration cannot work.
    pub fn add_client(
        &mut self,
        host: &str,
        name: &str,
        adjust: impl FnOnce(&mut ClientConfig),
    ) -> HostId {
        let (agent, address) = self.new_agent(name, adjust);
        self.testbed
            .add_host(host, vec![address], ClientHost::new(agent))
    }

    /// Adds a telephone of a user, signed out, which takes calls. It asks the server where reports on quality go, and for nothing else.
    ///
    /// # Panics
    /// If the configuration cannot work.
    pub fn add_phone(&mut self, host: &str, name: &str, manner: Manner) -> HostId {
        let (agent, address) = self.new_agent(name, |config| {
            config.bootstrap.provisioning = true;
            config.calls.accept = true;
        });
        let mut seed = [self.clients ^ 0x80; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        let mut port = 20_000;
        let ports = move || {
            port += 2;
            Ok([port - 2, port - 1].map(|port| SocketAddr::new(address, port)))
        };
        let caller = Caller::new(manner, Box::new(ports), Talks::new(Talk::example));
        let phone = PhoneHost::new(agent, phone::Config::default(), seed, caller);
        self.testbed.add_host(host, vec![address], phone)
    }

    fn new_agent(
        &mut self,
        name: &str,
        adjust: impl FnOnce(&mut ClientConfig),
    ) -> (UserAgent, IpAddr) {
        self.clients += 1;
        let epid = Epid::parse(&format!("{:010x}", u64::from(self.clients) * 0x0101_0101))
            .expect("ten hexadecimal digits");
        let mut config = ClientConfig::new(
            user(name),
            Credential::from_password(PASSWORD),
            epid,
            self.testbed.wall_clock(),
        );
        config.bootstrap = Bootstrap::none();
        adjust(&mut config);
        let mut seed = [self.clients; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        let agent = UserAgent::new(config, seed).expect("a configuration that works");
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 100 + self.clients));
        (agent, address)
    }

    /// Signs a client in and runs until it is.
    ///
    /// # Errors
    /// The client's own account of what went wrong.
    pub fn sign_in(&mut self, client: HostId) -> Result<(), String> {
        self.testbed
            .command(client, |host: &mut ClientHost, now| host.agent.sign_in(now));
        let pending = |testbed: &Testbed| {
            let host: &ClientHost = testbed.host(client);
            !host.agent.is_signed_in()
                && !host.told(|event| matches!(event, ocs_client::Event::SignInFailed(_)))
        };
        let ran = self
            .testbed
            .run_while(pending, std::time::Duration::from_secs(120));
        let host: &ClientHost = self.testbed.host(client);
        if host.agent.is_signed_in() {
            Ok(())
        } else {
            Err(format!("{:?} ({ran:?})", host.events.last()))
        }
    }

    /// Signs a client in and runs until its bootstrap is complete.
    ///
    /// # Errors
    /// The client's own account of what went wrong.
    pub fn bootstrap(&mut self, client: HostId) -> Result<(), String> {
        self.sign_in(client)?;
        let pending = |testbed: &Testbed| {
            let host: &ClientHost = testbed.host(client);
            !host.told(|event| *event == Event::Bootstrapped)
        };
        let limit = std::time::Duration::from_secs(60);
        self.testbed
            .run_while(pending, limit)
            .map(drop)
            .map_err(|error| error.to_string())
    }

    /// Signs a telephone in and runs until it knows its configuration.
    ///
    /// # Errors
    /// What the telephone told last.
    pub fn connect(&mut self, phone: HostId) -> Result<(), String> {
        self.testbed.command(phone, |host: &mut PhoneHost, now| {
            host.command(now, |phone, _| {
                phone.command(now, |agent| agent.sign_in(now));
            });
        });
        let ready = phone::Event::Agent(Event::Bootstrapped);
        let pending = |testbed: &Testbed| {
            let host: &PhoneHost = testbed.host(phone);
            !host.told(|event| *event == ready)
        };
        let ran = self
            .testbed
            .run_while(pending, std::time::Duration::from_secs(60));
        let host: &PhoneHost = self.testbed.host(phone);
        ran.map(drop)
            .map_err(|error| format!("{:?} ({error})", host.events.last()))
    }

    /// A telephone calls a user; runs until they talk.
    ///
    /// # Errors
    /// What the telephone told last.
    pub fn talk(&mut self, phone: HostId, to: &str) -> Result<phone::LineId, Box<dyn Error>> {
        let to = user(to).to_uri();
        self.testbed.note(phone, format!("calls {to}"));
        let line = self.testbed.command(phone, |host: &mut PhoneHost, now| {
            host.command(now, |phone, caller| caller.call(now, phone, &to))
        })?;
        let up = phone::Event::MediaUp { line };
        let pending = |testbed: &Testbed| {
            let host: &PhoneHost = testbed.host(phone);
            !host.told(|event| *event == up)
        };
        let limit = std::time::Duration::from_secs(60);
        self.testbed.run_while(pending, limit)?;
        Ok(line)
    }

    /// A telephone ends a call; runs until nothing of it is left.
    ///
    /// # Errors
    /// There is no such call.
    pub fn hang_up(&mut self, phone: HostId, line: phone::LineId) -> Result<(), phone::Error> {
        self.testbed.command(phone, |host: &mut PhoneHost, now| {
            host.command(now, |phone, _| phone.hang_up(now, line))
        })?;
        self.testbed.run_for(std::time::Duration::from_secs(1));
        Ok(())
    }

    /// Signs a client out.
    pub fn sign_out(&mut self, client: HostId) {
        self.testbed.command(client, |host: &mut ClientHost, now| {
            host.agent.sign_out(now);
        });
    }

    /// The user agent of a client.
    #[must_use]
    pub fn client(&self, client: HostId) -> &ClientHost {
        self.testbed.host(client)
    }
}

/// A user of the deployment.
///
/// # Panics
/// If `name` is no user part of a URI.
#[must_use]
pub fn user(name: &str) -> Aor {
    format!("{name}@{DOMAIN}").parse().expect("an address")
}

/// Prints the ladder, and writes the files that the options name.
///
/// # Errors
/// When a file cannot be written.
pub fn finish(
    testbed: &Testbed,
    title: &str,
    columns: &[HostId],
    options: &Options,
) -> std::io::Result<()> {
    let ladder = testbed
        .ladder(title)
        .columns(columns.iter().copied())
        .trace(options.trace);
    print!("{ladder}");
    if let Some(path) = &options.svg {
        std::fs::write(path, ladder.to_svg())?;
    }
    if let Some(path) = &options.pcap {
        std::fs::write(path, testbed.pcap())?;
    }
    Ok(())
}
