/* Build mode: what CPython notes in types and strings at first use is noted now, so that no run has to write them. */
#define _GNU_SOURCE
#include "snapshot.h"

#include "internal/pycore_global_strings.h"
#include "internal/pycore_runtime.h"

static void look_up(PyTypeObject *type, void *name)
{
    _PyType_Lookup(type, (PyObject *)name);
}

void pyinit_fill_lazy_fields(void)
{
    /* A type gets its version when something is first looked up in it. The cache of methods has room for some of the
       answers, and every call of a class asks for __init__. */
    pyinit_walk_types(&PyBaseObject_Type, look_up, &_Py_ID(__init__));
    /* A string gets its hash when something is first looked up by it. */
    for (PyObject *string = NULL; (string = pyinit_next_static_string(string)) != NULL;) {
        PyObject_Hash(string);
    }
}
