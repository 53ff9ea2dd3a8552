//! Who may see a user whose clients know no containers: clients of 2005 have a list instead.

use ocs_pres::doc::{
    Change, Container, ContainerChange, ContainerId, Member, MemberChange, MemberType,
    SetContainerMembers,
};
use ocs_pres::server::{Changes, Parts, Presentity, Refusal, Sender};
use ocs_sip_core::Aor;
use ocs_siprege::acl::{AccessList, Ace, AceType, Right};
use ocs_xml::to_string;

/// Everybody.
const NETWORKS: [MemberType; 3] = [
    MemberType::SameEnterprise,
    MemberType::Federated,
    MemberType::PublicCloud,
];

/// A client of 2005 knows no containers, without which nobody sees anything: what one of 2007 puts into them at its first sign-in is put
/// there in its place (inferred).
pub(super) fn place_others(presentity: &mut Presentity) -> Result<Changes, Refusal> {
    let placed = |known: &Container| known.id != ContainerId::BLOCKED;
    if containers(presentity).iter().any(placed) {
        return Ok(Changes::default());
    }
    let add = |network| vec![MemberChange::new(Change::Add, Member::network(network))];
    place(
        presentity,
        [
            (ContainerId::COMPANY, add(MemberType::SameEnterprise)),
            (ContainerId::PUBLIC, add(MemberType::Federated)),
        ],
    )
}

/// Does in the containers what one entry of the list says: who may not see the user is in the container of the blocked. Where
/// that is more than one user, those who may by entries of their own are with the colleagues (inferred). A right of `P` is one of
/// `A` here.
pub(in crate::front_end) fn judge(
    presentity: &mut Presentity,
    list: &AccessList,
    changed: &Ace,
) -> Result<Changes, Refusal> {
    let action = if is_hidden_from(changed) {
        Change::Add
    } else {
        Change::Remove
    };
    let of = |ace, action: Change| {
        let members = members(ace).into_iter();
        members.map(move |member| MemberChange::new(action, member))
    };
    let aces = &list.list().user.aces;
    let many = aces
        .iter()
        .any(|ace| ace.kind != AceType::User && is_hidden_from(ace));
    let allowed = |ace: &&Ace| many && ace.kind != AceType::All && !is_hidden_from(ace);
    let allowed = aces.iter().filter(allowed);
    place(
        presentity,
        [
            (ContainerId::BLOCKED, of(changed, action).collect()),
            (
                ContainerId::COMPANY,
                allowed.flat_map(|ace| of(ace, Change::Add)).collect(),
            ),
        ],
    )
}

fn place(
    presentity: &mut Presentity,
    changes: [(ContainerId, Vec<MemberChange>); 2],
) -> Result<Changes, Refusal> {
    let known = containers(presentity);
    let version = |id| {
        let known = known.iter().find(|container| container.id == id);
        known.map_or(0, |container| container.version)
    };
    let changes = changes
        .into_iter()
        .filter(|(_, members)| !members.is_empty());
    let changes = changes.map(|(id, members)| ContainerChange::new(id, version(id), members));
    let body = to_string(&SetContainerMembers::new(changes.collect()));
    let user = presentity.user().clone();
    let sender = Sender {
        user: &user,
        endpoint: None,
        trusted: false,
    };
    presentity.set_container_members(&sender, body.as_bytes())
}

fn containers(presentity: &Presentity) -> Vec<Container> {
    let parts = Parts {
        containers: true,
        ..Parts::NONE
    };
    let document = presentity.full_document(parts);
    document
        .containers
        .map_or_else(Vec::new, |known| known.containers)
}

const fn is_hidden_from(ace: &Ace) -> bool {
    matches!(ace.rights.presence, Right::Block | Right::Deny)
}

/// Those of whom an entry speaks, as members of containers.
fn members(ace: &Ace) -> Vec<Member> {
    let mask = ace.mask.as_deref().unwrap_or_default();
    match ace.kind {
        AceType::All => NETWORKS.map(Member::network).to_vec(),
        AceType::User => Aor::parse(mask)
            .map(|user| Member::user(user.as_str()))
            .into_iter()
            .collect(),
        AceType::Domain => {
            let domain = mask.strip_prefix("sip:").unwrap_or(mask);
            vec![Member::domain(domain.trim_start_matches('@'))]
        }
    }
}
