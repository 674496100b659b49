/* Build mode: fill in what CPython notes in types and strings at their first use, so that no run writes to them. */
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
    /* A type gets its version at the first look-up in it. The method cache keeps some of the answers, and every call of
     * a class looks __init__ up. */
    pyinit_walk_types(&PyBaseObject_Type, look_up, &_Py_ID(__init__));
    /* A string gets its hash when it is first used as a key. */
    for (PyObject *string = NULL; (string = pyinit_next_static_string(string)) != NULL;) {
        PyObject_Hash(string);
    }
}
