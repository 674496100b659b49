/* The data that the functions of unlinked_stubs.c use, and one function that is simpler than the compiler's own. */
#include <Python.h>

#define NEED_OPCODE_TABLES /* otherwise compile.c has them */
#include "internal/pycore_opcode.h"

PyTypeObject PySTEntry_Type = {PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "symtable entry"};
const char *_PyImport_DynLoadFiletab[] = {NULL};

int _PyOS_opterr;
Py_ssize_t _PyOS_optind;
const wchar_t *_PyOS_optarg;

/* Prefix a private name in __slots__ with the name of its class; no class of the program has private slots. */
PyObject *_Py_Mangle(PyObject *class_name, PyObject *name)
{
    (void)class_name;
    return Py_NewRef(name);
}
