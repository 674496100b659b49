/* Build mode: specialize instructions, as CPython does when they have run a few times (PEP 659).
 *
 * Behind a specialized instruction stand the place of its answer, in a dict or in an object, and the version of the
 * dict's keys or of the type that the place is valid for; for any other version the instruction looks the name up as
 * usual. An init exits before CPython would specialize anything, and writing to instructions would copy pages of the
 * snapshot. So runs never do it (build/cpython/cpython.patch), and build mode does it wherever it knows the type: for
 * global names, for attributes of modules, and for attributes of objects whose type the file SITES tells.
 */
#define _GNU_SOURCE
#include "snapshot.h"

#include "internal/pycore_code.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_opcode.h"
#include "opcode.h"

#include <stdbool.h>
#include <string.h>

/* An adaptive instruction's counter is the first word behind it: specialize() clears it. */
_Static_assert(offsetof(_PyLoadGlobalCache, counter) == 0 && offsetof(_PyAttrCache, counter) == 0 &&
                   offsetof(_PyLoadMethodCache, counter) == 0,
               "at[1] is the counter");

/* The content of SITES: C strings in groups of four (freezing/profiling/attribute_types.py). */
struct sites {
    const char *begin, *end;
};

static const char *next_string(const char *text)
{
    return text + strlen(text) + 1;
}

static bool str_equals(PyObject *string, const char *text)
{
    return PyUnicode_CompareWithASCIIString(string, text) == 0;
}

struct type_search {
    const char *name;
    PyTypeObject *type;
};

static void match_type_name(PyTypeObject *type, void *context)
{
    struct type_search *search = context;
    if (search->type == NULL && strcmp(type->tp_name, search->name) == 0) {
        search->type = type;
    }
}

/* Return the type of the object whose attribute `name` this code reads or writes; NULL if SITES does not tell. */
static PyTypeObject *type_at(const struct sites *sites, PyCodeObject *code, PyObject *name)
{
    for (const char *file = sites->begin; file < sites->end;) {
        const char *function = next_string(file), *attribute = next_string(function), *type = next_string(attribute);
        if (str_equals(name, attribute) && str_equals(code->co_qualname, function) &&
            str_equals(code->co_filename, file)) {
            struct type_search search = {type, NULL};
            pyinit_walk_types(&PyBaseObject_Type, match_type_name, &search);
            return search.type;
        }
        file = next_string(type);
    }
    return NULL;
}

/* Return an object of this type for the specializing functions, which look only at the type unless its objects have a
 * dict: then return NULL. */
static PyObject *fake_object(PyTypeObject *type, PyObject *memory)
{
    if (type == NULL || type->tp_dictoffset != 0 || PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT)) {
        return NULL;
    }
    memory->ob_refcnt = _Py_IMMORTAL_REFCNT;
    memory->ob_type = type;
    return memory;
}

/* Return the module that a global name stands for; NULL if it is something else. */
static PyObject *module_of(PyFunctionObject *function, PyObject *name)
{
    PyObject *value = PyDict_GetItemWithError(function->func_globals, name);
    return value != NULL && PyModule_CheckExact(value) ? value : NULL;
}

/* Specialize the instructions of `code`, a part of the function. `_PyCode_Quicken` makes those adaptive that can be
 * specialized; make the others ordinary again, because adaptive ones count how often they run. */
static void specialize(PyCodeObject *code, PyFunctionObject *function, const struct sites *sites)
{
    if (code->co_warmup == 0) {
        return; /* done: the code is a part of another function too */
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
            owner = module != NULL ? module : fake_object(type_at(sites, code, name), &memory);
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
