/* malloc, wholly inside the snapshot.
 *
 * In build mode all memory comes from three arrays, which are written to the file with the rest of the snapshot: two
 * areas hold the blocks that every run uses (heap_layout.c), and the arena holds all others. In run mode new blocks
 * come from SPARE bytes of zero pages behind the arena, then from mmap. Blocks of the snapshot are not reused at run
 * time: that would write to their pages, and they cannot become more.
 *
 * A block is an 8-byte header with its usable size, then the memory, aligned to 16 bytes. Freed blocks are kept in a
 * list per size. There is one thread, so there are no locks.
 */
#define _GNU_SOURCE
#include "snapshot.h"

#include "internal/pycore_gc.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* freezing/link.py passes the sizes that Python code depends on too, in bytes: HEADER, BLOCK_BYTES, WRITTEN_AREA and
 * READ_AREA of freezing/profiling/blocks.py, SPARE of freezing/snapshot.py. */
enum {
    ALIGNMENT = 16,
    PAGE = 4096,
    ARENA = 16 << 20,        /* the most that build mode may use */
    CHUNK = 128 << 10,       /* asked of the kernel when SPARE is used up */
    SMALL = 1024,            /* blocks up to this size: one list for every 16 bytes */
    SMALL_LISTS = SMALL / ALIGNMENT + 1,
    LARGE_LISTS = 2 * 40,    /* larger blocks: two lists for every power of two */
};

struct free_block {
    struct free_block *next;
};

_Static_assert(HEADER == sizeof(size_t), "a header is one size_t");
_Static_assert(ALIGNMENT >= _Alignof(max_align_t), "malloc(3): aligned for any type");
_Static_assert(sizeof(struct free_block) <= 2 * ALIGNMENT - HEADER, "the smallest block can wait in a list");
_Static_assert(sizeof(struct block) == BLOCK_BYTES, "freezing/profiling/blocks.py reads struct block");
_Static_assert(_Py_IMMORTAL_REFCNT < 0, "the patched Py_INCREF and Py_DECREF look at the sign");
_Static_assert((uint64_t)_Py_IMMORTAL_REFCNT << _PyGC_PREV_SHIFT != 0, "the collector keeps a shifted copy");

__attribute__((section(".hot.written"), aligned(ALIGNMENT))) static char written[WRITTEN_AREA];
__attribute__((section(".hot.read"), aligned(ALIGNMENT))) static char read_only[READ_AREA];
static const struct area areas[] = {
    {read_only + HEADER, sizeof read_only - HEADER},
    {written + HEADER, sizeof written - HEADER},
};
__attribute__((section(".arena"), aligned(PAGE))) static char arena[ARENA];
static char *next = arena + HEADER; /* where the next header goes: 8 more than a multiple of 16 */
static char *end = arena + ARENA;
static char *sealed = arena; /* the end of the snapshot: blocks below it are never freed */
static struct free_block *lists[SMALL_LISTS + LARGE_LISTS];
static char *hole, *hole_end; /* build mode: a large freed block that small blocks are cut from */
static struct note {
    uint32_t name;  /* the name (heap_layout.c) of the block that begins here, or 0 */
    bool is_object; /* an object begins here */
} *notes; /* build mode: one for every 16 bytes of the snapshot; NULL in run mode */

static struct note *note_of(void *memory)
{
    return notes + ((char *)memory - pyinit_snapshot_start) / ALIGNMENT;
}

static size_t *size_of(void *memory)
{
    return (size_t *)memory - 1;
}

/* Round a wished size up to what a block can hold; return the index of the list for such blocks. */
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

/* Return `size` unused bytes, a multiple of 16, the first 8 for a header; NULL if there is no memory. */
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

/* Build mode: cut a small block from the large ones that growing dicts have left. Return NULL if there is none. */
static char *from_hole(size_t size)
{
    for (int list = SMALL_LISTS + LARGE_LISTS; notes != NULL && hole_end - hole < SMALL && list-- > SMALL_LISTS;) {
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
    size_t size = usable + HEADER;
    uint32_t name = notes == NULL ? 0 : pyinit_layout_next_name(size);
    char *block = notes == NULL ? NULL : pyinit_layout_place(name, size, areas);
    if (block == NULL && lists[list] != NULL) {
        struct free_block *waiting = lists[list];
        lists[list] = waiting->next;
        block = (char *)size_of(waiting);
    }
    if (block == NULL) {
        block = from_hole(size);
    }
    if (block == NULL) {
        block = fresh(size);
    }
    if (block == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *(size_t *)block = usable;
    if (notes != NULL) {
        note_of(block + HEADER)->name = name;
    }
    return block + HEADER;
}

static void forget(char *memory, size_t size)
{
    if (notes == NULL) {
        return;
    }
    memset(note_of(memory), 0, size / ALIGNMENT * sizeof *notes);
    memset(memory, 0, size); /* what lay here must not differ between two builds */
}

void free(void *memory)
{
    if (memory == NULL || ((char *)memory >= pyinit_snapshot_start && (char *)memory < sealed)) {
        return;
    }
    size_t usable = *size_of(memory);
    forget(memory, usable);
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

/* Called for every new object (build/cpython/cpython.patch); does nothing at run time. */
void pyinit_object_born(PyObject *object)
{
    if (notes != NULL && (char *)object >= written && (char *)object < next) {
        note_of(object)->is_object = true;
    }
}

/* Return the number of notes that may be in use. */
static size_t count_of_notes(void)
{
    return (next - pyinit_snapshot_start) / ALIGNMENT;
}

/* Begin build mode, before Python starts. */
void pyinit_arena_open(void)
{
    const size_t most = (end - pyinit_snapshot_start) / ALIGNMENT;
    notes = mmap(NULL, most * sizeof *notes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (notes == MAP_FAILED) {
        pyinit_fail("build", strerror(errno));
    }
}

/* Make every living object of the arena immortal, so that using it does not write to its page. Static objects are
 * immortal already (build/cpython/cpython.patch), except for these two. */
void pyinit_arena_make_immortal(void)
{
    Py_SET_REFCNT(Py_None, _Py_IMMORTAL_REFCNT);
    Py_SET_REFCNT(Py_NotImplemented, _Py_IMMORTAL_REFCNT);
    for (size_t place = 0; place < count_of_notes(); place++) {
        if (notes[place].is_object) {
            PyObject *object = (PyObject *)(pyinit_snapshot_start + place * ALIGNMENT);
            if (Py_REFCNT(object) > 0) {
                Py_SET_REFCNT(object, _Py_IMMORTAL_REFCNT);
            }
        }
    }
}

/* List the living blocks, unless `blocks` is NULL; return their number. */
size_t pyinit_arena_blocks(struct block *blocks)
{
    size_t count = 0;
    for (size_t place = 0; place < count_of_notes(); place++) {
        if (notes[place].name == 0) {
            continue;
        }
        if (blocks != NULL) {
            char *memory = pyinit_snapshot_start + place * ALIGNMENT;
            blocks[count] = (struct block){(uintptr_t)memory, *size_of(memory), notes[place].name};
        }
        count++;
    }
    return count;
}

/* End build mode; return the end of what the file must hold. */
char *pyinit_arena_seal(void)
{
    if (end != arena + ARENA) {
        pyinit_fail("build", "the arena is too small: raise ARENA in build/dump/allocator.c");
    }
    memset(lists, 0, sizeof lists);
    hole = hole_end = NULL;
    notes = NULL;
    sealed = (char *)(((uintptr_t)next + PAGE - 1) & -(uintptr_t)PAGE);
    next = sealed + HEADER;
    end = sealed + SPARE;
    return sealed;
}
