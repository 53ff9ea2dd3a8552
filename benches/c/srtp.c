/* libsrtp2 with AES_CM_128_HMAC_SHA1_80, and one key or several with MKIs. */
#include "peers.h"

#include <srtp2/srtp.h>
#include <stdlib.h>

#define KEY_LENGTH 30
#define MAX_KEYS 4

struct peers_srtp {
    srtp_t session;
    int with_mki;
};

struct peers_srtp *peers_srtp_new(int receiver, const uint8_t *keys, size_t count, const uint8_t *mkis,
                                  size_t mki_length)
{
    static int ready;
    struct peers_srtp *made;
    srtp_policy_t policy = {0};
    srtp_master_key_t master[MAX_KEYS];
    srtp_master_key_t *masters[MAX_KEYS];
    size_t i;

    if (!ready && srtp_init() != srtp_err_status_ok)
        return NULL;
    ready = 1;
    if (count == 0 || count > MAX_KEYS)
        return NULL;
    made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->with_mki = mki_length != 0;
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    policy.ssrc.type = receiver ? ssrc_any_inbound : ssrc_any_outbound;
    policy.window_size = 1024;
    /* Keys and MKIs are only read, and copied. */
    if (made->with_mki) {
        for (i = 0; i < count; i++) {
            master[i].key = (unsigned char *)keys + i * KEY_LENGTH;
            master[i].mki_id = (unsigned char *)mkis + i * mki_length;
            master[i].mki_size = (unsigned int)mki_length;
            masters[i] = &master[i];
        }
        policy.keys = masters;
        policy.num_master_keys = count;
    } else {
        policy.key = (unsigned char *)keys;
    }
    if (srtp_create(&made->session, &policy) != srtp_err_status_ok) {
        free(made);
        return NULL;
    }
    return made;
}

void peers_srtp_free(struct peers_srtp *session)
{
    srtp_dealloc(session->session);
    free(session);
}

int peers_srtp_protect(struct peers_srtp *session, int rtcp, size_t key, uint8_t *packet, int *length)
{
    return rtcp ? srtp_protect_rtcp_mki(session->session, packet, length, session->with_mki, (unsigned int)key)
                : srtp_protect_mki(session->session, packet, length, session->with_mki, (unsigned int)key);
}

int peers_srtp_unprotect(struct peers_srtp *session, int rtcp, uint8_t *packet, int *length)
{
    return rtcp ? srtp_unprotect_rtcp_mki(session->session, packet, length, session->with_mki)
                : srtp_unprotect_mki(session->session, packet, length, session->with_mki);
}
