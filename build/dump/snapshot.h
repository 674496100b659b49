/* What the files of the start-up code know of each other. */
#ifndef PYINIT_SNAPSHOT_H
#define PYINIT_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <Python.h>

/* start.S: the signal mask of the process as it was started; bit n-1 stands for signal n. */
extern uint64_t pyinit_start_mask;
/* 0, or the negative errno of the system call that blocks every signal. */
extern int pyinit_start_error;

/* main.c: what the snapshot holds for the run. `program` is NULL in a stage that has not been built yet. */
struct snapshot {
    PyThreadState *thread;
    PyObject *program;   /* pyinit.__main__.main */
    PyObject *arguments; /* sys.argv, empty */
};
extern struct snapshot pyinit_snapshot;
extern int pyinit_argc;
extern char **pyinit_argv;

/* fail.c: one line on standard error and exit code 125; nothing of Python is needed. */
_Noreturn void pyinit_fail(const char *what, const char *why);
/* The same for the exception that is set. */
_Noreturn void pyinit_fail_with_exception(const char *what);

/* snapshot.ld: the first byte of what is written to the file; a multiple of 64. */
extern char pyinit_snapshot_start[];

struct iovec;
/* Writes what is taken without waiting: how many bytes, or -1 and errno. */
long pyinit_write_at_once(int descriptor, const struct iovec *pieces, int count);

/* The parts of layout/ and speed/ that are declared OPTIONAL are called only if they are linked: PYINIT_WITHOUT leaves
 * them out (build/freezing/optional.py). */
#define OPTIONAL __attribute__((weak))

/* dump.c: build mode. Starts Python, imports, writes the snapshot, exits. */
_Noreturn void pyinit_build(int argc, char **argv);
/* A file's content, which may be changed. */
char *pyinit_map(const char *path, size_t *size);

/* objects.c: calls `visit` for a type and all types that are derived from it. */
void pyinit_walk_types(PyTypeObject *type, void (*visit)(PyTypeObject *, void *), void *context);
/* The string after `last` among Python's static data, the first after NULL; NULL at the end. */
PyObject *pyinit_next_static_string(PyObject *last);

/* lazy_fields.c: fills in what types and strings note at their first use. */
OPTIONAL void pyinit_fill_lazy_fields(void);

/* specialize.c: specializes the instructions of all functions in the permanent generation (gc.freeze), for the versions
 * that types have then; the file SITES tells the types of objects. */
OPTIONAL void pyinit_specialize(const char *path);

/* allocator.c: malloc. Nothing is immortal and nothing sealed until build mode says so. */
void pyinit_arena_open(void);
void pyinit_arena_make_immortal(void);
struct block {
    uint32_t address, size, name;
};
size_t pyinit_arena_blocks(struct block *blocks);
char *pyinit_arena_seal(void);
void pyinit_object_born(PyObject *object);

/* heap_layout.c: which blocks lie side by side. pyinit_order_place tells where a block of this name and size is to be,
 * in the room for what is only read or in that for what is written; NULL if that does not matter. */
struct room {
    char *begin;
    size_t size;
};
void pyinit_order_read(const char *path);
uint32_t pyinit_order_next_name(size_t size);
char *pyinit_order_place(uint32_t name, size_t size, const struct room rooms[2]);
void pyinit_order_close(void);

/* native.c: the built-in module of the program. */
PyMODINIT_FUNC PyInit__pyinit(void);

#endif
