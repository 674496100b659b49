/* What the C files of build/ share. */
#ifndef PYINIT_SNAPSHOT_H
#define PYINIT_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <Python.h>

/* start.S: the signal mask that the process was started with; bit n-1 stands for signal n. */
extern uint64_t pyinit_start_mask;
/* 0, or the negative errno of the system call that blocks every signal. */
extern int pyinit_start_error;

/* main.c: what a run takes from the snapshot. `program` is NULL in a stage, which holds no snapshot. */
struct snapshot {
    PyThreadState *thread;
    PyObject *program;   /* pyinit.__main__.main */
    PyObject *arguments; /* sys.argv, empty */
};
extern struct snapshot pyinit_snapshot;
extern int pyinit_argc;
extern char **pyinit_argv;

/* fail.c: write one line to standard error and exit with 125; needs nothing of Python. */
_Noreturn void pyinit_fail(const char *what, const char *why);
/* Do the same for the exception that is set. */
_Noreturn void pyinit_fail_with_exception(const char *what);

/* snapshot.ld: the first byte of what is written to the file; a multiple of 64. */
extern char pyinit_snapshot_start[];

struct iovec;
/* Write what the descriptor takes without waiting; return the number of bytes, or -1 with errno. */
long pyinit_write_at_once(int descriptor, const struct iovec *pieces, int count);

/* An OPTIONAL function is NULL if its file is not linked: `make dist WITHOUT=...` leaves files of layout/ and speed/
 * out (freezing/optional.py). */
#define OPTIONAL __attribute__((weak))

/* dump.c: start Python, import the program, write the snapshot and exit. */
_Noreturn void pyinit_build(int argc, char **argv);
/* Return the content of a file, mapped privately: writing to it does not change the file. */
char *pyinit_map(const char *path, size_t *size);

/* objects.c: call `visit` for a type and all types that are derived from it. */
void pyinit_walk_types(PyTypeObject *type, void (*visit)(PyTypeObject *, void *), void *context);
/* Return the string after `last` among Python's static data, or the first if it is NULL; NULL at the end. */
PyObject *pyinit_next_static_string(PyObject *last);

/* lazy_fields.c: fill in what types and strings note at their first use. */
OPTIONAL void pyinit_fill_lazy_fields(void);

/* specialize.c: specialize the instructions of all functions in the permanent generation (gc.freeze), for the types in
 * the file SITES. */
OPTIONAL void pyinit_specialize(const char *path);

/* allocator.c: malloc, and what build mode does with it. */
void pyinit_arena_open(void);
void pyinit_arena_make_immortal(void);
struct block {
    uint32_t address, size, name;
};
size_t pyinit_arena_blocks(struct block *blocks);
char *pyinit_arena_seal(void);
void pyinit_object_born(PyObject *object);

/* heap_layout.c: which blocks lie side by side. pyinit_layout_place returns the place of a block of this name and size,
 * in the area for what runs only read or in that for what they write; NULL if it may lie anywhere. */
struct area {
    char *begin;
    size_t size;
};
void pyinit_layout_read(const char *path);
uint32_t pyinit_layout_next_name(size_t size);
char *pyinit_layout_place(uint32_t name, size_t size, const struct area areas[2]);
void pyinit_layout_close(void);

/* native.c: the built-in module of the program. */
PyMODINIT_FUNC PyInit__pyinit(void);

#endif
