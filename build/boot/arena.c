/* malloc, living wholly inside the snapshot.
 *
 * In build mode all memory comes from one array, the arena, which is written to the file with the rest of the
 * snapshot. In run mode new blocks come from ROOM bytes of fresh zero pages behind it, then from mmap. Blocks of
 * the snapshot are never taken back at run time: that would write to their pages, and their sum is bounded.
 *
 * A block is an 8-byte header that holds its usable size, then the memory, aligned to 16 bytes. Freed blocks wait
 * in a list per size. There is one thread, so there are no locks.
 */
#define _GNU_SOURCE
#include "snapshot.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum {
    ALIGNMENT = 16,
    HEADER = 8,
    PAGE = 4096,
    ARENA = 16 << 20,        /* what build mode may use */
    ROOM = 256 << 10,        /* what run mode gets without a system call */
    CHUNK = 128 << 10,       /* what it asks the kernel for afterwards */
    SMALL = 1024,            /* blocks up to here: one list for every 16 bytes */
    SMALL_LISTS = SMALL / ALIGNMENT + 1,
    LARGE_LISTS = 2 * 40,    /* above: two lists for every power of two */
};

struct free_block {
    struct free_block *next;
};

__attribute__((section(".arena"), aligned(PAGE))) static char arena[ARENA];
static char *next = arena + HEADER; /* always 8 more than a multiple of 16, as a header's place must be */
static char *end = arena + ARENA;
static char *sealed = arena; /* blocks below belong to the snapshot for ever */
static struct free_block *lists[SMALL_LISTS + LARGE_LISTS];
static char *hole, *hole_end; /* build mode: a large freed block that small blocks are taken from */
static uint8_t *births; /* build mode: one bit for every 16 bytes of the arena, set where an object begins */

static size_t *size_of(void *memory)
{
    return (size_t *)memory - 1;
}

/* Round a wished size up to that of a whole block less its header; returns the list for such blocks. */
static int block_size(size_t wished, size_t *usable)
{
    size_t block = wished + HEADER;
    if (block <= SMALL) {
        block = block < 2 * ALIGNMENT ? 2 * ALIGNMENT : (block + ALIGNMENT - 1) & -(size_t)ALIGNMENT;
        *usable = block - HEADER;
        return block / ALIGNMENT;
    }
    int bits = 63 - __builtin_clzl(block - 1); /* 2^bits < block <= 2^(bits+1) */
    size_t step = (size_t)1 << (bits - 1);
    block = (block + step - 1) & -step; /* three or four steps: 1.5 * 2^bits or 2^(bits+1) */
    *usable = block - HEADER;
    return SMALL_LISTS + 2 * (bits - 10) + (block == step << 2);
}

/* `size` fresh bytes, a multiple of 16; the first 8 are for a header. NULL: there is no memory. */
static char *fresh(size_t size)
{
    if ((size_t)(end - next) < size) {
        size_t length = size + HEADER > CHUNK ? (size + HEADER + PAGE - 1) & -(size_t)PAGE : CHUNK;
        char *chunk = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (chunk == MAP_FAILED) {
            return NULL;
        }
        if (length > CHUNK) {
            return chunk + HEADER;
        }
        next = chunk + HEADER;
        end = chunk + length;
    }
    char *block = next;
    next += size;
    return block;
}

/* In build mode the large blocks that a growing dict leaves behind are filled with small ones: NULL if none is left. */
static char *from_hole(size_t size)
{
    for (int list = SMALL_LISTS + LARGE_LISTS; births != NULL && hole_end - hole < SMALL && list-- > SMALL_LISTS;) {
        struct free_block *waiting = lists[list];
        if (waiting != NULL) {
            lists[list] = waiting->next;
            waiting->next = NULL;
            hole = (char *)size_of(waiting);
            hole_end = hole + HEADER + *size_of(waiting);
        }
    }
    if (size > SMALL || (size_t)(hole_end - hole) < size) {
        return NULL;
    }
    char *block = hole;
    hole += size;
    return block;
}

void *malloc(size_t wished)
{
    size_t usable;
    if (wished > (size_t)1 << 40) {
        errno = ENOMEM;
        return NULL;
    }
    int list = block_size(wished, &usable);
    struct free_block *waiting = lists[list];
    if (waiting != NULL) {
        lists[list] = waiting->next;
        return waiting;
    }
    char *block = from_hole(usable + HEADER);
    if (block == NULL) {
        block = fresh(usable + HEADER);
    }
    if (block == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *(size_t *)block = usable;
    return block + HEADER;
}

static void forget_births(char *memory, size_t size)
{
    if (births == NULL) {
        return;
    }
    size_t first = (memory - arena) / ALIGNMENT;
    for (size_t place = first; place < first + size / ALIGNMENT; place++) {
        births[place / 8] &= ~(1 << place % 8);
    }
    memset(memory, 0, size); /* what lay here must not differ between two builds */
}

void free(void *memory)
{
    if (memory == NULL || ((char *)memory >= arena && (char *)memory < sealed)) {
        return;
    }
    size_t usable = *size_of(memory);
    forget_births(memory, usable);
    int list = block_size(usable, &usable);
    struct free_block *block = memory;
    block->next = lists[list];
    lists[list] = block;
}

void *calloc(size_t count, size_t each)
{
    size_t size;
    if (__builtin_mul_overflow(count, each, &size)) {
        errno = ENOMEM;
        return NULL;
    }
    void *memory = malloc(size);
    return memory == NULL ? NULL : memset(memory, 0, size);
}

void *realloc(void *memory, size_t wished)
{
    if (memory == NULL) {
        return malloc(wished);
    }
    size_t have = *size_of(memory);
    if (have >= wished && wished * 2 + 64 > have) {
        return memory;
    }
    void *other = malloc(wished);
    if (other != NULL) {
        memcpy(other, memory, have < wished ? have : wished);
        free(memory);
    }
    return other;
}

/* Called by every creation of an object (build/cpython.patch), at run time too: there it does nothing. */
void pyinit_object_born(PyObject *object)
{
    if (births != NULL && (char *)object >= arena && (char *)object < next) {
        size_t place = ((char *)object - arena) / ALIGNMENT;
        births[place / 8] |= 1 << place % 8;
    }
}

/* Before Python starts in build mode. */
void pyinit_arena_open(void)
{
    births = mmap(NULL, ARENA / ALIGNMENT / 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (births == MAP_FAILED) {
        pyinit_fail("build", strerror(errno));
    }
}

/* Every living object of the arena lives for ever: using it will not write to its page. (Those outside are born so,
   by build/cpython.patch, but for these two.) */
void pyinit_arena_make_immortal(void)
{
    Py_SET_REFCNT(Py_None, _Py_IMMORTAL_REFCNT);
    Py_SET_REFCNT(Py_NotImplemented, _Py_IMMORTAL_REFCNT);
    for (size_t place = 0; place < (size_t)(next - arena) / ALIGNMENT; place++) {
        if (births[place / 8] & 1 << place % 8) {
            PyObject *object = (PyObject *)(arena + place * ALIGNMENT);
            if (Py_REFCNT(object) > 0) {
                Py_SET_REFCNT(object, _Py_IMMORTAL_REFCNT);
            }
        }
    }
}

/* No more build mode: returns the end of what the file must hold. */
char *pyinit_arena_seal(void)
{
    if (end != arena + ARENA) {
        pyinit_fail("build", "the arena is too small: raise ARENA in build/boot/arena.c");
    }
    memset(lists, 0, sizeof lists);
    hole = hole_end = NULL;
    births = NULL;
    sealed = (char *)(((uintptr_t)next + PAGE - 1) & -(uintptr_t)PAGE);
    next = sealed + HEADER;
    end = sealed + ROOM;
    return sealed;
}
