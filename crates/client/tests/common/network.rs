//! User agents and a front end on the virtual network.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use ocs_client::{Config, Event, UserAgent};
use ocs_hosts::{ClientHost, ServerHost};
use ocs_ntlm::Credential;
use ocs_server::{FrontEnd, MemoryStore, User};
use ocs_sip_core::Transport;
use ocs_sipre::Epid;
use ocs_siprege::location::LocationProfileDescription;
use ocs_siprege::mcu::McuType;
use ocs_siprege::provisioning::ServerConfiguration;
use ocs_testbed::{HostId, Listener, Testbed};

use super::{PASSWORD, aor};

pub(crate) const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// contoso.com: one front end, and the devices of its users.
pub(crate) struct Network {
    pub(crate) testbed: Testbed,
    pub(crate) server: HostId,
    compressed: bool,
    /// What this front end has besides.
    adjust: fn(&mut ocs_server::Config),
    devices: u8,
}

pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);

impl Network {
    pub(crate) fn new(seed: u64, compressed: bool) -> Self {
        Self::with(seed, compressed, |_| {})
    }

    pub(crate) fn with(seed: u64, compressed: bool, adjust: fn(&mut ocs_server::Config)) -> Self {
        let system = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let mut testbed = Testbed::new(seed, Instant::now(), system);
        let machine = Self::front_end(&testbed, compressed, adjust);
        let server = testbed.add_host("fe01", [IpAddr::V4(SERVER)], machine);
        let names = ["fe01.contoso.com", "sip.contoso.com"];
        testbed.listen(server, Listener::tls((SERVER, 5061).into(), names));
        let zone = testbed.zone_mut();
        zone.srv(
            "_sipinternaltls._tcp.contoso.com",
            0,
            0,
            5061,
            "fe01.contoso.com",
        );
        zone.address("fe01.contoso.com", SERVER);
        Self {
            testbed,
            server,
            compressed,
            adjust,
            devices: 0,
        }
    }

    fn front_end(
        testbed: &Testbed,
        compressed: bool,
        adjust: fn(&mut ocs_server::Config),
    ) -> ServerHost {
        let clock = testbed.wall_clock();
        let mut config = ocs_server::Config::new(
            "fe01.contoso.com",
            "contoso.com",
            Transport::Tls,
            5061,
            clock,
        );
        config.compression.enabled = compressed;
        config.registrar.endpoints_per_user = 100;
        config.location_profiles = vec![LocationProfileDescription::new("Redmond", [])];
        config.provisioning.groups = vec![ServerConfiguration::default().into()];
        config.mcus.types = vec![McuType::Chat];
        adjust(&mut config);
        let mut store = MemoryStore::new("CONTOSO");
        for name in NAMES {
            store.add_user(User::new(aor(name)), PASSWORD);
        }
        ServerHost::new(FrontEnd::new(config, store, [3; 32]).unwrap())
    }

    /// The server's program ends and is started again.
    pub(crate) fn restart_server(&mut self) {
        let machine = Self::front_end(&self.testbed, self.compressed, self.adjust);
        self.testbed.restart(self.server, machine);
    }

    pub(crate) fn device(&mut self, name: &str, adjust: impl FnOnce(&mut Config)) -> HostId {
        self.devices += 1;
        let mut config = Config::new(
            aor(name),
            Credential::from_password(PASSWORD),
            Epid::parse(&format!("{:08x}", self.devices)).unwrap(),
            self.testbed.wall_clock(),
        );
        config.compression.enabled = self.compressed;
        adjust(&mut config);
        let host = ClientHost::new(UserAgent::new(config, [self.devices; 32]).unwrap());
        let address: SocketAddr = ([192, 0, 2, 100 + self.devices], 0).into();
        let title = format!("{name}{}", self.devices);
        self.testbed.add_host(title, [address.ip()], host)
    }

    pub(crate) fn signed_in(&mut self, name: &str) -> HostId {
        let device = self.device(name, |_| {});
        self.sign_in(device);
        self.run(Duration::from_secs(5));
        assert!(
            self.at(device).agent.is_signed_in(),
            "{:?}",
            self.at(device).events
        );
        device
    }

    pub(crate) fn sign_in(&mut self, device: HostId) {
        self.command(device, UserAgent::sign_in);
    }

    pub(crate) fn say(&mut self, device: HostId, to: &str, text: &str) {
        let to = aor(to);
        self.command(device, |agent, now| {
            // Who is signed out just now says nothing.
            let _ = agent.send_text(now, &to, text);
        });
    }

    pub(crate) fn command<R>(
        &mut self,
        device: HostId,
        command: impl FnOnce(&mut UserAgent, Instant) -> R,
    ) -> R {
        self.testbed.command(device, |host: &mut ClientHost, now| {
            command(&mut host.agent, now)
        })
    }

    pub(crate) fn run(&mut self, time: Duration) {
        self.testbed.run_for(time);
    }

    pub(crate) fn at(&self, device: HostId) -> &ClientHost {
        self.testbed.host(device)
    }

    pub(crate) fn front(&self) -> &ServerHost {
        self.testbed.host(self.server)
    }

    /// The texts that a device got.
    pub(crate) fn heard(&self, device: HostId) -> Vec<&str> {
        let texts = self
            .at(device)
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Text { text, .. } => Some(text.as_str()),
                _ => None,
            });
        texts.collect()
    }

    pub(crate) fn told(&self, device: HostId, what: impl Fn(&Event) -> bool) -> bool {
        self.at(device).told(what)
    }
}
