/* FreeRDP's MPPC with a history of 8 KB. */
#include "peers.h"

#include <freerdp/codec/mppc.h>

struct peers_mppc *peers_mppc_new(int compressor)
{
    return (struct peers_mppc *)mppc_context_new(0, compressor ? TRUE : FALSE);
}

void peers_mppc_free(struct peers_mppc *context)
{
    mppc_context_free((MPPC_CONTEXT *)context);
}

int peers_mppc_compress(struct peers_mppc *context, const uint8_t *input, size_t length, uint8_t *room,
                        size_t room_length, const uint8_t **output, size_t *output_length, uint32_t *flags)
{
    BYTE *made = room;
    UINT32 made_length = (UINT32)room_length;

    *flags = 0;
    /* The input is only read. */
    if (mppc_compress((MPPC_CONTEXT *)context, (BYTE *)input, (UINT32)length, &made, &made_length, flags) < 0)
        return -1;
    *output = made;
    *output_length = made_length;
    return 0;
}

int peers_mppc_decompress(struct peers_mppc *context, const uint8_t *input, size_t length, uint32_t flags,
                          const uint8_t **output, size_t *output_length)
{
    BYTE *made = NULL;
    UINT32 made_length = 0;

    if (mppc_decompress((MPPC_CONTEXT *)context, (BYTE *)input, (UINT32)length, &made, &made_length, flags) < 0)
        return -1;
    *output = made;
    *output_length = made_length;
    return 0;
}
