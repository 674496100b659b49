/* The built-in modules. This replaces CPython's Modules/config.c: a module that is not named here is not linked. */
#include <Python.h>

extern PyObject *PyMarshal_Init(void);
extern PyObject *_PyWarnings_Init(void);

#define BUILT_IN_MODULES(each)                                                                                         \
    each(_abc) each(_codecs) each(_collections) each(_functools) each(_imp) each(_operator) each(_prctl) each(_pyinit) \
        each(_setproctitle) each(_signal) each(_socket) each(_stat) each(_thread) each(_weakref) each(errno)           \
            each(fcntl) each(gc) each(itertools) each(posix) each(select) each(time)

#define DECLARE(name) extern PyObject *PyInit_##name(void);
BUILT_IN_MODULES(DECLARE)

#define ENTRY(name) {#name, PyInit_##name},
struct _inittab _PyImport_Inittab[] = {
    // clang-format off: the macro ends with a comma
    BUILT_IN_MODULES(ENTRY)
    // clang-format on
    {"marshal", PyMarshal_Init},
    {"_warnings", _PyWarnings_Init},
    {"builtins", NULL},
    {"sys", NULL},
    {NULL, NULL},
};
