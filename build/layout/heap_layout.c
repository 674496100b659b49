/* Build mode: place the blocks of the heap that every run uses side by side.
 *
 * A block's name is a hash of its size and of the sizes of the 63 blocks that were allocated before it. Building the
 * same program again gives the same names; after a change of the program only the names near the change differ.
 * build/profile/blocks.order lists the names that traced runs used. Blocks that share a name lie one after the other.
 */
#define _GNU_SOURCE
#include "snapshot.h"

#include <stdlib.h>

/* The file ORDER is an array of these in ascending order of names (freezing/profiling/blocks.py). */
struct entry {
    uint32_t name;
    uint32_t is_written;
    uint32_t next, end; /* offsets in the area for such blocks; `next` grows */
};

_Static_assert(sizeof(struct entry) == ENTRY_BYTES, "freezing/profiling/blocks.py writes struct entry");

static struct entry *entries;
static size_t count;
static uint64_t sizes; /* a hash of the last 64 sizes: each new one shifts the older ones by one bit */

void pyinit_layout_read(const char *path)
{
    size_t whole;
    entries = (struct entry *)pyinit_map(path, &whole);
    count = whole / sizeof *entries;
}

uint32_t pyinit_layout_next_name(size_t size)
{
    const uint64_t spread = 0x9e3779b97f4a7c15; /* 2^64 divided by the golden ratio, which mixes all bits */
    sizes = sizes * (spread << 1) + size;
    return sizes * spread >> 32;
}

static int compare(const void *name, const void *entry)
{
    const uint32_t left = *(const uint32_t *)name, right = ((const struct entry *)entry)->name;
    return (left > right) - (left < right);
}

char *pyinit_layout_place(uint32_t name, size_t size, const struct area areas[2])
{
    struct entry *entry = bsearch(&name, entries, count, sizeof *entries, compare);
    if (entry == NULL || entry->end - entry->next < size) {
        return NULL;
    }
    const struct area *area = &areas[entry->is_written];
    if (entry->end > area->size) {
        return NULL;
    }
    char *place = area->begin + entry->next;
    entry->next += size;
    return place;
}

void pyinit_layout_close(void)
{
    entries = NULL;
    count = 0;
    sizes = 0;
}
