/* Build mode: all of Python's types, found through their bases. */
#include "snapshot.h"

/* Nothing is looked up in them for that, so that no cache has entries of it. */
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
