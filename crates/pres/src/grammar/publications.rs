//! What is published where.

use ocs_xml::{Raw, SmolStr, content, element, words};

use super::PUBLICATION_NAMESPACE as NAMESPACE;
use crate::doc::ContainerId;

words! {
    /// When a rule is used.
    pub enum RuleType: open {
        /// When the category is published.
        Transformation = "transformation",
        /// When the client signs in and the instance is not there.
        Bootstrap = "bootstrap",
        /// When the instance shall go.
        Cleanup = "cleanup",
    }
}

words! {
    /// Where an instance id comes from.
    pub enum InstanceRuleType: open {
        /// It is said.
        Constant = "constant",
        /// The client makes it.
        Custom = "custom",
    }
}

words! {
    /// How long an instance lives.
    pub enum ExpireRuleType: open {
        /// As long as the endpoint.
        Endpoint = "endpoint",
        /// For ever.
        Static = "static",
        /// As long as any endpoint of the user.
        User = "user",
        /// For a time.
        Time = "time",
        /// As the client says.
        Custom = "custom",
    }
}

content! {
    /// Where the instance id comes from.
    pub struct InstanceRule(NAMESPACE, "instanceId") {
        /// Where from.
        attr kind: InstanceRuleType = "type",
        /// The id.
        attr_opt value: u32,
    }
}

content! {
    /// How long the instance lives.
    pub struct ExpireRule(NAMESPACE, "expireType") {
        /// How long.
        attr kind: ExpireRuleType = "type",
        /// Seconds.
        attr_opt expire_time: u32 = "expireTime",
    }
}

content! {
    /// What is published: an element as it stands, or a stylesheet that makes it of what the client would publish.
    #[derive(Default)]
    pub struct CategoryData(NAMESPACE, "categoryData") {
        /// The element or stylesheet.
        children value: Raw,
    }
}

content! {
    /// What is published of a category in a container.
    pub struct PublicationRule(NAMESPACE, "publicationRule") {
        /// When the rule is used.
        attr rule_type: RuleType = "ruleType",
        /// The category.
        attr category_name: SmolStr = "categoryName",
        /// The container.
        attr container: ContainerId = "containerId",
        /// The user's own endpoints read the category there.
        attr_opt preferred_self_consumption: bool = "preferredSelfConsumption",
        /// Where the instance id comes from.
        part_opt instance: InstanceRule = "instanceId",
        /// How long it lives.
        part_opt expire: ExpireRule = "expireType",
        /// What is published; what the client would publish when absent.
        part_opt data: CategoryData = "categoryData",
    }
}

content! {
    /// The rules.
    #[derive(Default)]
    pub struct PublicationList(NAMESPACE, "publicationList") {
        /// The rules.
        parts rule: PublicationRule = "publicationRule",
    }
}

element! {
    /// The grammar of publications.
    pub struct CategoryPublicationManifest(NAMESPACE, "categoryPublicationManifest") {
        /// What a client must be to understand it.
        attr_opt min_supported_client_version: SmolStr = "minSupportedClientVersion",
        /// Version of the schema.
        attr_opt major_version: u32 = "majorVersion",
        /// Version of the schema.
        attr_opt minor_version: u32 = "minorVersion",
        /// The rules.
        part list: PublicationList = "publicationList",
    }
}

impl CategoryPublicationManifest {
    /// The rules for a category, in their order.
    pub fn rules<'a>(&'a self, category: &'a str) -> impl Iterator<Item = &'a PublicationRule> {
        let rules = self.list.rule.iter();
        rules.filter(move |rule| rule.category_name == category)
    }
}
