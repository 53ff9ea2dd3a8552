/* osip2: the parser of a transaction layer that makes a struct of every header it knows. */
#include "peers.h"

#include <stdlib.h>
#include <string.h>

#include <osipparser2/osip_parser.h>

static uint32_t length_of(const char *text)
{
    return text ? (uint32_t)strlen(text) : 0;
}

static uint32_t number_of(const char *text)
{
    return text ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

static int summarize(const osip_message_t *sip, struct peers_summary *out)
{
    osip_generic_param_t *param = NULL;
    osip_contact_t *contact = osip_list_get(&sip->contacts, 0);
    osip_body_t *body = osip_list_get(&sip->bodies, 0);
    osip_via_t *via = osip_list_get(&sip->vias, 0);
    int i;

    if (!sip->req_uri || !via || !sip->from || !sip->to || !sip->call_id || !sip->cseq || !contact || !body)
        return -1;
    memset(out, 0, sizeof *out);
    out->vias = (uint32_t)osip_list_size(&sip->vias);
    if (osip_via_param_get_byname(via, "branch", &param) == 0)
        out->branch = length_of(param->gvalue);
    for (i = 0; (via = osip_list_get(&sip->vias, i)); i++)
        out->via_ports += number_of(via->port);
    out->from_user = length_of(sip->from->url->username);
    if (osip_from_get_tag(sip->from, &param) == 0)
        out->from_tag = length_of(param->gvalue);
    if (osip_from_param_get_byname(sip->from, "epid", &param) == 0)
        out->from_epid = length_of(param->gvalue);
    out->to_host = length_of(sip->to->url->host);
    out->call_id = length_of(sip->call_id->number);
    out->cseq = number_of(sip->cseq->number);
    out->contact_user = length_of(contact->url->username);
    for (i = 0; i < osip_list_size(&sip->routes); i++) {
        const osip_route_t *route = osip_list_get(&sip->routes, i);
        out->routes++;
        out->route_ports += number_of(route->url->port);
    }
    out->request_user = length_of(sip->req_uri->username);
    out->body = (uint32_t)body->length;
    return 0;
}

int peers_osip_parse(const char *octets, size_t length, struct peers_summary *out)
{
    static int ready;
    osip_message_t *sip = NULL;
    int result = -1;

    if (!ready) {
        parser_init();
        ready = 1;
    }
    if (osip_message_init(&sip) != 0)
        return -1;
    if (osip_message_parse(sip, octets, length) == 0)
        result = summarize(sip, out);
    osip_message_free(sip);
    return result;
}
