/* Build mode: find all types, and the strings in Python's static data. */
#define _GNU_SOURCE
#include "snapshot.h"

#include "internal/pycore_runtime.h"

/* By tp_subclasses: that looks up no attribute, so it leaves nothing in the method cache. */
void pyinit_walk_types(PyTypeObject *type, void (*visit)(PyTypeObject *, void *), void *context)
{
    visit(type, context);
    PyObject *reference;
    for (Py_ssize_t at = 0; type->tp_subclasses != NULL && PyDict_Next(type->tp_subclasses, &at, NULL, &reference);) {
        PyObject *derived = PyWeakref_GET_OBJECT(reference);
        if (derived != Py_None) {
            pyinit_walk_types((PyTypeObject *)derived, visit, context);
        }
    }
}

_Static_assert(sizeof(struct _Py_global_strings) % sizeof(void *) == 0,
               "every string begins at a multiple of a pointer");

/* CPython has no list of these strings. They lie in one struct, and their type tells them from what lies between. */
PyObject *pyinit_next_static_string(PyObject *last)
{
    char *begin = (char *)&_Py_SINGLETON(strings), *end = begin + sizeof _Py_SINGLETON(strings) - sizeof(PyObject);
    for (char *at = last == NULL ? begin : (char *)last + sizeof *last; at <= end; at += sizeof(void *)) {
        if (Py_TYPE((PyObject *)at) == &PyUnicode_Type) {
            return (PyObject *)at;
        }
    }
    return NULL;
}
