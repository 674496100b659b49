/* Build mode: instructions are specialized, as CPython does with those that have run a few times (PEP 659).
 *
 * A specialized instruction has its answer written behind it, as a place in a dict or in an object, together with the
 * version of the dict's keys or of the type for which that is true; for any other it looks as an ordinary one does. An
 * init ends before CPython would begin with that, and would have to write to the snapshot for it: so runs never do
 * (build/cpython/cpython.patch), and build mode does, where it can know the answer: for global names, for what is read
 * from a module, and for attributes of objects whose type SITES tells.
 */
#define _GNU_SOURCE
#include "snapshot.h"

#include "internal/pycore_code.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_opcode.h"
#include "opcode.h"

#include <stdbool.h>
#include <string.h>

/* What SITES holds: C strings, by fours (build/freezing/sites.py), after each other. */
struct sites {
    const char *begin, *end;
};

static const char *next(const char *text)
{
    return text + strlen(text) + 1;
}

static bool is(PyObject *string, const char *text)
{
    return PyUnicode_CompareWithASCIIString(string, text) == 0;
}

struct wanted {
    const char *name;
    PyTypeObject *type;
};

static void compare(PyTypeObject *type, void *context)
{
    struct wanted *wanted = context;
    if (wanted->type == NULL && strcmp(type->tp_name, wanted->name) == 0) {
        wanted->type = type;
    }
}

/* The type of the object whose attribute `name` this code reads or writes; NULL if nobody knows. */
static PyTypeObject *type_at(const struct sites *sites, PyCodeObject *code, PyObject *name)
{
    for (const char *file = sites->begin; file < sites->end;) {
        const char *function = next(file), *attribute = next(function), *type = next(attribute);
        if (is(name, attribute) && is(code->co_qualname, function) && is(code->co_filename, file)) {
            struct wanted wanted = {type, NULL};
            pyinit_walk_types(&PyBaseObject_Type, compare, &wanted);
            return wanted.type;
        }
        file = next(type);
    }
    return NULL;
}

/* What stands for an object of this type, when nothing but the type is asked for; NULL if more is. */
static PyObject *stand_in(PyTypeObject *type, PyObject *memory)
{
    if (type == NULL || type->tp_dictoffset != 0 || PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT)) {
        return NULL;
    }
    memory->ob_refcnt = _Py_IMMORTAL_REFCNT;
    memory->ob_type = type;
    return memory;
}

/* The module that a global name stands for; NULL if it is something else. */
static PyObject *module_of(PyFunctionObject *function, PyObject *name)
{
    PyObject *value = PyDict_GetItemWithError(function->func_globals, name);
    return value != NULL && PyModule_CheckExact(value) ? value : NULL;
}

/* Every instruction of `code`, a part of the function. `_PyCode_Quicken` prepares those that can be specialized; the
 * ones that are not become ordinary again, because prepared ones count how often they have run. */
static void specialize(PyCodeObject *code, PyFunctionObject *function, const struct sites *sites)
{
    if (code->co_warmup == 0) {
        return; /* it is a part of another function too */
    }
    code->co_warmup = 0;
    _PyCode_Quicken(code);
    _Py_CODEUNIT *begin = _PyCode_CODE(code), *end = begin + Py_SIZE(code);
    PyObject *module = NULL, memory;
    for (_Py_CODEUNIT *at = begin, *following; at < end; at = following) {
        const int opcode = _PyOpcode_Deopt[_Py_OPCODE(*at)];
        following = at + 1 + _PyOpcode_Caches[opcode];
        const bool extended = at > begin && _PyOpcode_Deopt[_Py_OPCODE(at[-1])] == EXTENDED_ARG;
        const int argument = _Py_OPARG(*at) | (extended ? _Py_OPARG(at[-1]) << 8 : 0);
        PyObject *name, *owner, *loaded = NULL;
        switch (opcode) {
        case LOAD_GLOBAL:
            name = PyTuple_GET_ITEM(code->co_names, argument >> 1); /* the lowest bit asks for a NULL before it */
            _Py_Specialize_LoadGlobal(function->func_globals, function->func_builtins, at, name);
            loaded = module_of(function, name);
            break;
        case LOAD_ATTR:
        case LOAD_METHOD:
        case STORE_ATTR:
            name = PyTuple_GET_ITEM(code->co_names, argument);
            owner = module != NULL ? module : stand_in(type_at(sites, code, name), &memory);
            if (owner == NULL) {
                break;
            }
            (opcode == LOAD_ATTR     ? _Py_Specialize_LoadAttr
             : opcode == LOAD_METHOD ? _Py_Specialize_LoadMethod
                                     : _Py_Specialize_StoreAttr)(owner, at, name);
            break;
        default:
            break;
        }
        if (_Py_OPCODE(*at) == _PyOpcode_Adaptive[opcode]) {
            _Py_SET_OPCODE(*at, opcode);
            at[1] = 0;
        }
        module = opcode == EXTENDED_ARG ? module : loaded;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts); i++) {
        PyObject *inner = PyTuple_GET_ITEM(code->co_consts, i);
        if (PyCode_Check(inner)) {
            specialize((PyCodeObject *)inner, function, sites);
        }
    }
}

/* All functions are in the collector's permanent generation by now (gc.freeze). */
void pyinit_specialize(const char *path)
{
    size_t size;
    struct sites sites = {.begin = pyinit_map(path, &size)};
    sites.end = sites.begin + size;
    PyGC_Head *all = &PyInterpreterState_Get()->gc.permanent_generation.head;
    for (PyGC_Head *each = _PyGCHead_NEXT(all); each != all; each = _PyGCHead_NEXT(each)) {
        PyObject *object = (PyObject *)(each + 1);
        if (PyFunction_Check(object)) {
            PyFunctionObject *function = (PyFunctionObject *)object;
            specialize((PyCodeObject *)function->func_code, function, &sites);
        }
    }
    if (PyErr_Occurred()) {
        pyinit_fail_with_exception(path);
    }
}
