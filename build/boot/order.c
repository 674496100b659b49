/* Build mode: which blocks of the heap are to lie side by side, because every run uses them.
 *
 * A block has a name: a hash of its size and of the sizes of the 63 blocks that were asked for before it. Building the
 * same program again gives the same names, and after a change of the program all but those near the change stay.
 * build/blocks.order has the names that a traced run used. Blocks that share a name share its place.
 */
#define _GNU_SOURCE
#include "snapshot.h"

#include <stdlib.h>

struct order {
    uint32_t size;    /* bytes that all these blocks take, whole pages */
    uint32_t names[]; /* in ascending order */
};

static const struct order *order;
static size_t count;
static uint64_t sizes; /* of the last 64 blocks: each new one shifts the others to the left by one bit */

size_t pyinit_order_read(const char *path)
{
    size_t whole;
    order = (const struct order *)pyinit_map(path, &whole);
    count = (whole - sizeof *order) / sizeof *order->names;
    return order->size;
}

uint32_t pyinit_order_next_name(size_t size)
{
    const uint64_t spread = 0x9e3779b97f4a7c15; /* 2^64 divided by the golden ratio: mixes all bits */
    sizes = sizes * (spread << 1) + size;
    return sizes * spread >> 32;
}

static int compare(const void *one, const void *other)
{
    uint32_t left = *(const uint32_t *)one, right = *(const uint32_t *)other;
    return (left > right) - (left < right);
}

bool pyinit_order_has(uint32_t name)
{
    return bsearch(&name, order->names, count, sizeof name, compare) != NULL;
}

void pyinit_order_close(void)
{
    order = NULL;
    count = 0;
    sizes = 0;
}
