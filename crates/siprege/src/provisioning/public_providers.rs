//! `publicProviders`: public IM services that this server is joined with.

use ocs_xml::{Error, Limits, Reader, SmolStr, Value, Writer};

use super::settings::settings;

/// A public provider (\[MS-SIPREGE\] 2.2.2.5.12).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PublicProvider {
    /// Its name.
    pub name: SmolStr,
    /// FQDN of its proxy.
    pub proxy_fqdn: SmolStr,
    /// Where its icon is.
    pub icon_url: SmolStr,
    /// Domain of its users.
    pub name_decoration_domain: SmolStr,
    /// Domain that their addresses are routed by.
    pub name_decoration_routing_domain: SmolStr,
    /// Domains whose addresses are left as they are, as one text.
    pub name_decoration_excluded_domain_list: SmolStr,
}

const NAMES: [&str; 6] = [
    "Name",
    "ProxyFqdn",
    "IconUrl",
    "NameDecorationDomain",
    "NameDecorationRoutingDomain",
    "NameDecorationExcludedDomainList",
];

impl PublicProvider {
    fn fields(&self) -> [&SmolStr; 6] {
        [
            &self.name,
            &self.proxy_fqdn,
            &self.icon_url,
            &self.name_decoration_domain,
            &self.name_decoration_routing_domain,
            &self.name_decoration_excluded_domain_list,
        ]
    }

    fn set(&mut self, name: &str, value: &str) {
        let fields = [
            &mut self.name,
            &mut self.proxy_fqdn,
            &mut self.icon_url,
            &mut self.name_decoration_domain,
            &mut self.name_decoration_routing_domain,
            &mut self.name_decoration_excluded_domain_list,
        ];
        for (known, field) in NAMES.into_iter().zip(fields) {
            if known == name {
                *field = value.trim_ascii().into();
            }
        }
    }
}

/// The providers. On the wire they are a document of their own inside the text of one setting.
///
/// That the names are those of attributes is inferred from the tree in the specification; elements of these names are read too.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PublicProviderList(pub Vec<PublicProvider>);

/// Octets of that document.
const LIMITS: Limits = Limits {
    size: 64 * 1024,
    depth: 8,
    attributes: 16,
};

impl Value for PublicProviderList {
    fn parse(text: &str) -> Option<Self> {
        read(text).ok()
    }

    fn format(&self, out: &mut String) {
        let mut writer = Writer::new();
        writer.open("", "PublicProviders");
        for provider in &self.0 {
            writer.open("", "PublicProvider");
            for (name, value) in NAMES.into_iter().zip(provider.fields()) {
                if !value.is_empty() {
                    writer.attr(name, value);
                }
            }
            writer.close();
        }
        out.push_str(&writer.finish());
    }
}

fn read(text: &str) -> Result<PublicProviderList, Error> {
    let mut reader = Reader::new(text.as_bytes(), &LIMITS)?;
    let root = reader.any_root()?;
    if root.name != "PublicProviders" {
        return Err(Error::Root {
            expected: "PublicProviders",
            found: root.name.into(),
        });
    }
    let mut providers = Vec::new();
    while let Some(tag) = reader.child()? {
        if tag.name != "PublicProvider" {
            reader.skip()?;
            continue;
        }
        let mut provider = PublicProvider::default();
        for attribute in reader.attributes() {
            provider.set(attribute.name, &attribute.value()?);
        }
        while let Some(tag) = reader.child()? {
            let text = reader.text()?;
            provider.set(tag.name, &text);
        }
        providers.push(provider);
    }
    reader.finish()?;
    Ok(PublicProviderList(providers))
}

settings! {
    /// Public providers (\[MS-SIPREGE\] 2.2.2.5.12).
    pub struct PublicProviders: Entries {
        /// The providers.
        providers: PublicProviderList = "publicProviders",
    }
}
