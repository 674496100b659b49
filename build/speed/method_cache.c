/* Build mode: what every run would look up, and write down, is looked up once for all of them. */
#define _GNU_SOURCE
#include "snapshot.h"

#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_typeobject.h"

#include <stdbool.h>
#include <string.h>

enum { MOST_LOOKUPS = 1000 };

/* Versions that CPython, which counts from 1, does not reach. */
#define CHOSEN 0x80000000u

/* What is to be looked up. The file holds it as C strings, by twos: the name of a type, and an attribute's
   (build/freezing/lookups.py). */
struct lookups {
    struct {
        const char *type;
        PyObject *name;
    } each[MOST_LOOKUPS];
    int count;
    int least; /* so many in a type, or it does not matter yet */
};

static void add(struct lookups *lookups, const char *type, PyObject *name)
{
    if (lookups->count == MOST_LOOKUPS) {
        pyinit_fail("build", "too many lookups");
    }
    Py_INCREF(name);
    lookups->each[lookups->count].type = type;
    lookups->each[lookups->count++].name = name;
}

/* The cache knows a name by its address. Python's own code asks by the static string, if there is one, everybody else
   by the interned one; one that only this list has is never asked for. */
static void read_lookups(const char *path, struct lookups *lookups)
{
    size_t size;
    char *at = pyinit_map(path, &size);
    for (char *end = at + size; at < end; at += strlen(at) + 1) {
        const char *type = at;
        at += strlen(at) + 1;
        PyObject *interned = PyUnicode_InternFromString(at);
        if (interned == NULL) {
            pyinit_fail_with_exception(path);
        }
        if (Py_REFCNT(interned) > 1) {
            add(lookups, type, interned);
        }
        for (PyObject *name = NULL; (name = pyinit_next_static_string(name)) != NULL;) {
            if (name != interned && PyUnicode_CompareWithASCIIString(name, at) == 0) {
                add(lookups, type, name);
            }
        }
        Py_DECREF(interned);
    }
}

static int count_of(const struct lookups *lookups, const char *type)
{
    int count = 0;
    for (int i = 0; i < lookups->count; i++) {
        count += strcmp(lookups->each[i].type, type) == 0;
    }
    return count;
}

/* How many of a type's names would have no place of their own in the cache if this were the type's version. */
static int homeless(const struct lookups *lookups, const char *type, unsigned version)
{
    const struct type_cache_entry *cache = PyInterpreterState_Get()->type_cache.hashtable;
    bool taken[1 << MCACHE_SIZE_EXP] = {false};
    int count = 0;
    for (int i = 0; i < lookups->count; i++) {
        if (strcmp(lookups->each[i].type, type) == 0) {
            int place = MCACHE_HASH(version, MCACHE_NAME(lookups->each[i].name));
            count += taken[place] || cache[place].version != 0;
            taken[place] = true;
        }
    }
    return count;
}

/* A place in the cache follows from the type's version and the name's address. So the version is chosen: what shares
   a place would have to be looked up, and written down, again and again. */
static void look_up_all(PyTypeObject *type, void *wanted)
{
    const struct lookups *lookups = wanted;
    if (type->tp_version_tag >= CHOSEN || count_of(lookups, type->tp_name) < lookups->least) {
        return;
    }
    unsigned best = 0;
    int fewest = MOST_LOOKUPS + 1;
    for (unsigned place = 0; place < 1 << MCACHE_SIZE_EXP && fewest > 0; place++) {
        unsigned version = CHOSEN | type->tp_version_tag << MCACHE_SIZE_EXP | place;
        int number = homeless(lookups, type->tp_name, version);
        if (number < fewest) {
            fewest = number;
            best = version;
        }
    }
    type->tp_version_tag = best;
    for (int i = 0; i < lookups->count; i++) {
        if (strcmp(lookups->each[i].type, type->tp_name) == 0) {
            _PyType_Lookup(type, lookups->each[i].name);
        }
    }
}

void pyinit_fill_method_cache(const char *path)
{
    struct lookups lookups = {.count = 0};
    read_lookups(path, &lookups);
    /* First those types that are hard to place. */
    for (lookups.least = MOST_LOOKUPS; lookups.least > 0; lookups.least /= 2) {
        pyinit_walk_types(&PyBaseObject_Type, look_up_all, &lookups);
    }
    for (int i = 0; i < lookups.count; i++) {
        Py_DECREF(lookups.each[i].name);
    }
}
