/* sofia-sip, called as its transport does: a message that owns its buffer, committed and extracted. */
#include "peers.h"

#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_parser.h>

static uint32_t length_of(const char *text)
{
    return text ? (uint32_t)strlen(text) : 0;
}

static uint32_t number_of(const char *text)
{
    return text ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

static int summarize(const sip_t *sip, struct peers_summary *out)
{
    const sip_via_t *via;
    const sip_route_t *route;

    if (!sip || sip->sip_error || !sip->sip_request || !sip->sip_via || !sip->sip_from || !sip->sip_to ||
        !sip->sip_call_id || !sip->sip_cseq || !sip->sip_contact || !sip->sip_payload)
        return -1;
    memset(out, 0, sizeof *out);
    for (via = sip->sip_via; via; via = via->v_next) {
        out->vias++;
        out->via_ports += number_of(via->v_port);
    }
    out->branch = length_of(sip->sip_via->v_branch);
    out->from_user = length_of(sip->sip_from->a_url->url_user);
    out->from_tag = length_of(sip->sip_from->a_tag);
    out->from_epid = length_of(msg_params_find(sip->sip_from->a_params, "epid="));
    out->to_host = length_of(sip->sip_to->a_url->url_host);
    out->call_id = length_of(sip->sip_call_id->i_id);
    out->cseq = sip->sip_cseq->cs_seq;
    out->contact_user = length_of(sip->sip_contact->m_url->url_user);
    for (route = sip->sip_route; route; route = route->r_next) {
        out->routes++;
        out->route_ports += number_of(route->r_url->url_port);
    }
    out->request_user = length_of(sip->sip_request->rq_url->url_user);
    out->body = (uint32_t)sip->sip_payload->pl_len;
    return 0;
}

int peers_sofia_parse(const char *octets, size_t length, struct peers_summary *out)
{
    msg_iovec_t vector[msg_n_fragments];
    const char *from = octets;
    size_t left = length;
    issize_t count, i;
    int result = -1;
    msg_t *msg = msg_create(sip_default_mclass(), 0);

    if (!msg)
        return -1;
    count = msg_recv_iovec(msg, vector, msg_n_fragments, length, 1);
    if (count > 0) {
        for (i = 0; i < count && left > 0; i++) {
            size_t part = vector[i].mv_len < left ? vector[i].mv_len : left;
            memcpy(vector[i].mv_base, from, part);
            from += part;
            left -= part;
        }
        msg_recv_commit(msg, length, 1);
        if (msg_extract(msg) > 0)
            result = summarize(sip_object(msg), out);
    }
    msg_destroy(msg);
    return result;
}
