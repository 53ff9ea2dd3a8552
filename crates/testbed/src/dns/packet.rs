//! Questions and answers as packets (RFC 1035), for captures.

use std::net::IpAddr;

use bytes::Bytes;
use simple_dns::rdata::{A, AAAA, RData, SRV};
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, ResourceRecord, TYPE};

use super::{Answer, Query};

/// The time to live of all records, in seconds. Resolvers of the testbed do not cache.
const TIME_TO_LIVE: u32 = 60;

/// The questions that a real resolver asks for a query. A name that does not fit into a packet has none.
pub(super) fn questions(id: u64, query: &Query) -> Vec<Bytes> {
    packets(id, query, Packet::new_query, |_, _| Ok(()))
}

/// The answers to [`questions`], one for each.
pub(super) fn answers(id: u64, query: &Query, answer: &Answer) -> Vec<Bytes> {
    packets(id, query, Packet::new_reply, |packet, kind| {
        packet.set_flags(PacketFlag::AUTHORITATIVE_ANSWER | PacketFlag::RECURSION_AVAILABLE);
        match answer {
            Answer::NoRecords => *packet.rcode_mut() = RCODE::NameError,
            Answer::Failed => *packet.rcode_mut() = RCODE::ServerFailure,
            Answer::Srv(_) | Answer::Addresses(_) => {}
        }
        for data in records(answer, kind)? {
            let name = name(query)?;
            let record = ResourceRecord::new(name, CLASS::IN, TIME_TO_LIVE, data);
            packet.answers.push(record);
        }
        Ok(())
    })
}

/// One packet for each type of record that a query wants, told apart by their identifiers.
fn packets<'a>(
    id: u64,
    query: &'a Query,
    new: impl Fn(u16) -> Packet<'a>,
    fill: impl Fn(&mut Packet<'a>, TYPE) -> simple_dns::Result<()>,
) -> Vec<Bytes> {
    let kinds: &[TYPE] = match query {
        Query::Srv(_) => &[TYPE::SRV],
        Query::Address(_) => &[TYPE::A, TYPE::AAAA],
    };
    let build = |(kind, id): (&TYPE, u64)| {
        let mut packet = new(id as u16);
        packet.set_flags(PacketFlag::RECURSION_DESIRED);
        let question = Question::new(name(query)?, (*kind).into(), CLASS::IN.into(), false);
        packet.questions.push(question);
        fill(&mut packet, *kind)?;
        packet.build_bytes_vec_compressed()
    };
    let built = kinds.iter().zip(id.wrapping_mul(2)..).map(build);
    built.filter_map(Result::ok).map(Bytes::from).collect()
}

fn name(query: &Query) -> simple_dns::Result<Name<'_>> {
    Name::new(query.name().trim_end_matches('.'))
}

fn records(answer: &Answer, kind: TYPE) -> simple_dns::Result<Vec<RData<'_>>> {
    match answer {
        Answer::Srv(records) => {
            let data = records.iter().map(|srv| {
                Ok(RData::SRV(SRV {
                    priority: srv.priority,
                    weight: srv.weight,
                    port: srv.port,
                    target: Name::new(srv.target.trim_end_matches('.'))?,
                }))
            });
            data.collect()
        }
        Answer::Addresses(addresses) => {
            let data = addresses.iter().filter_map(|address| match address {
                IpAddr::V4(ip) if kind == TYPE::A => Some(RData::A(A::from(*ip))),
                IpAddr::V6(ip) if kind == TYPE::AAAA => Some(RData::AAAA(AAAA::from(*ip))),
                _ => None,
            });
            Ok(data.collect())
        }
        Answer::NoRecords | Answer::Failed => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use simple_dns::rdata::RData;
    use simple_dns::{Packet, PacketFlag, RCODE};

    use super::{answers, questions};
    use crate::{Answer, Query, SrvRecord};

    #[test]
    fn addresses_are_two_questions() {
        let query = Query::Address("sip.contoso.com.".into());
        let asked = questions(3, &query);
        let ids = asked.iter().map(|bytes| Packet::parse(bytes).unwrap().id());
        assert_eq!(ids.collect::<Vec<_>>(), [6, 7]);
        let answer = Answer::Addresses(vec![
            Ipv4Addr::new(10, 0, 0, 1).into(),
            Ipv6Addr::LOCALHOST.into(),
        ]);
        let replies = answers(3, &query, &answer);
        let [v4, v6] = [0, 1].map(|at| Packet::parse(&replies[at]).unwrap());
        assert_eq!((v4.answers.len(), v6.answers.len()), (1, 1));
        assert!(v4.has_flags(PacketFlag::RESPONSE));
        assert!(matches!(&v4.answers[0].rdata, RData::A(a) if a.address == 0x0a00_0001));
        assert!(matches!(&v6.answers[0].rdata, RData::AAAA(a) if a.address == 1));
    }

    #[test]
    fn services_and_failures() {
        let query = Query::Srv("_sip._tls.contoso.com".into());
        let (priority, weight, port) = (1, 2, 443);
        let target = "sip.contoso.com".to_owned();
        let record = SrvRecord {
            priority,
            weight,
            port,
            target,
        };
        let reply = &answers(0, &query, &Answer::Srv(vec![record]))[0];
        let packet = Packet::parse(reply).unwrap();
        assert!(
            matches!(&packet.answers[0].rdata, RData::SRV(srv) if srv.port == 443 && srv.target.to_string() == "sip.contoso.com")
        );
        for (answer, code) in [
            (Answer::NoRecords, RCODE::NameError),
            (Answer::Failed, RCODE::ServerFailure),
        ] {
            let reply = &answers(0, &query, &answer)[0];
            assert_eq!(Packet::parse(reply).unwrap().rcode(), code);
        }
        let long = Query::Srv("x".repeat(64));
        assert!(questions(0, &long).is_empty());
    }
}
