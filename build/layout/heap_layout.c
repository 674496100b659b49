/* Build mode: which blocks of the heap are to lie side by side, because every run uses them.
 *
 * A block has a name: a hash of its size and of the sizes of the 63 blocks that were asked for before it. Building the
 * same program again gives the same names, and after a change of the program all but those near the change stay.
 * build/profile/blocks.order has the names that a traced run used. Blocks that share a name lie one after the other.
 */
#define _GNU_SOURCE
#include "snapshot.h"

#include <stdlib.h>

/* The file ORDER is an array of these, in ascending order of names (build/freezing/blocks.py). */
struct entry {
    uint32_t name;
    uint32_t is_written;
    uint32_t next, end; /* offsets in the room for such blocks; `next` grows */
};

_Static_assert(sizeof(struct entry) == ENTRY_BYTES, "freezing/profiling/blocks.py writes struct entry");

static struct entry *entries;
static size_t count;
static uint64_t sizes; /* of the last 64 blocks: each new one shifts the others to the left by one bit */

void pyinit_order_read(const char *path)
{
    size_t whole;
    entries = (struct entry *)pyinit_map(path, &whole);
    count = whole / sizeof *entries;
}

uint32_t pyinit_order_next_name(size_t size)
{
    const uint64_t spread = 0x9e3779b97f4a7c15; /* 2^64 divided by the golden ratio: mixes all bits */
    sizes = sizes * (spread << 1) + size;
    return sizes * spread >> 32;
}

static int compare(const void *name, const void *entry)
{
    const uint32_t left = *(const uint32_t *)name, right = ((const struct entry *)entry)->name;
    return (left > right) - (left < right);
}

char *pyinit_order_place(uint32_t name, size_t size, const struct room rooms[2])
{
    struct entry *entry = bsearch(&name, entries, count, sizeof *entries, compare);
    if (entry == NULL || entry->end - entry->next < size) {
        return NULL;
    }
    const struct room *room = &rooms[entry->is_written];
    if (entry->end > room->size) {
        return NULL;
    }
    char *place = room->begin + entry->next;
    entry->next += size;
    return place;
}

void pyinit_order_close(void)
{
    entries = NULL;
    count = 0;
    sizes = 0;
}
