/* Build mode: classes get a short way to make an object.
 *
 * Python's own asks `object` for one, packs the arguments into a tuple, looks for __init__, and unpacks them again in
 * front of a frame. A class that leaves making objects to `object` and has its __init__ in Python needs only the frame.
 */
#define _GNU_SOURCE
#include "snapshot.h"

#include "internal/pycore_global_strings.h"
#include "internal/pycore_runtime.h"

enum { MOST_ARGUMENTS = 15 };

static PyObject *make(PyObject *class, PyObject *const *arguments, size_t flags, PyObject *names)
{
    PyTypeObject *type = (PyTypeObject *)class;
    const Py_ssize_t count = PyVectorcall_NARGS(flags), named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    if (count + named > MOST_ARGUMENTS) {
        return _PyObject_MakeTpCall(PyThreadState_Get(), class, arguments, count, names);
    }
    PyObject *object = type->tp_alloc(type, 0);
    if (object == NULL) {
        return NULL;
    }
    PyObject *all[1 + MOST_ARGUMENTS] = {object};
    for (Py_ssize_t i = 0; i < count + named; i++) {
        all[1 + i] = arguments[i];
    }
    PyObject *result = _PyFunction_Vectorcall(_PyType_Lookup(type, &_Py_ID(__init__)), all, count + 1, names);
    if (result == NULL) {
        Py_DECREF(object);
        return NULL;
    }
    Py_DECREF(result); /* None: that is checked before there is a file (mypy) */
    return object;
}

static void shorten(PyTypeObject *type, void *unused)
{
    (void)unused;
    PyObject *begin = _PyType_Lookup(type, &_Py_ID(__init__));
    if (Py_IS_TYPE((PyObject *)type, &PyType_Type) && PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) &&
        !PyType_HasFeature(type, Py_TPFLAGS_IS_ABSTRACT) && type->tp_new == PyBaseObject_Type.tp_new && begin != NULL &&
        PyFunction_Check(begin)) {
        type->tp_vectorcall = make;
    }
}

void pyinit_install_fast_constructors(void)
{
    pyinit_walk_types(&PyBaseObject_Type, shorten, NULL);
}
