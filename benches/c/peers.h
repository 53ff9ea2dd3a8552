/* What c_peers.rs calls. */
#ifndef PEERS_H
#define PEERS_H

#include <stddef.h>
#include <stdint.h>

/* The same fields as Summary in summary.rs. */
struct peers_summary {
    uint32_t vias;
    uint32_t via_ports;
    uint32_t branch;
    uint32_t from_user;
    uint32_t from_tag;
    uint32_t from_epid;
    uint32_t to_host;
    uint32_t call_id;
    uint32_t cseq;
    uint32_t contact_user;
    uint32_t routes;
    uint32_t route_ports;
    uint32_t request_user;
    uint32_t body;
};

/* Parse one request of `length` octets, fill `out`, free everything. Zero when that went well. */
int peers_sofia_parse(const char *octets, size_t length, struct peers_summary *out);
int peers_osip_parse(const char *octets, size_t length, struct peers_summary *out);

struct peers_mppc;

/* A context of FreeRDP for an 8 KB history; null when there is no memory. */
struct peers_mppc *peers_mppc_new(int compressor);
void peers_mppc_free(struct peers_mppc *context);

/* Compresses `input`. `*output` then lies in `room` (of `room_length` octets), or is `input` when the packet is not
   compressed. Zero when that went well. */
int peers_mppc_compress(struct peers_mppc *context, const uint8_t *input, size_t length, uint8_t *room,
                        size_t room_length, const uint8_t **output, size_t *output_length, uint32_t *flags);

/* Decompresses `input`. `*output` then lies in the history, or is `input`; it is good until the next call. Zero when that
   went well. */
int peers_mppc_decompress(struct peers_mppc *context, const uint8_t *input, size_t length, uint32_t flags,
                          const uint8_t **output, size_t *output_length);

struct peers_srtp;

/* A session of libsrtp2 for packets of any source: `count` keys of 30 octets, each with an MKI of `mki_length` octets, or one
   key without MKI when that is 0. Null when it refuses. */
struct peers_srtp *peers_srtp_new(int receiver, const uint8_t *keys, size_t count, const uint8_t *mkis,
                                  size_t mki_length);
void peers_srtp_free(struct peers_srtp *session);

/* In place, with the key of that place; there must be room for a trailer of 144 octets (SRTP_MAX_TRAILER_LEN and more). Both give
   srtp_err_status_t. */
int peers_srtp_protect(struct peers_srtp *session, int rtcp, size_t key, uint8_t *packet, int *length);
int peers_srtp_unprotect(struct peers_srtp *session, int rtcp, uint8_t *packet, int *length);

#endif
