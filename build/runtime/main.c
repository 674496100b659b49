/* The program's start in both modes.
 *
 * A stage that holds no snapshot yet builds one. A finished file has the interpreter as it stood when build mode
 * ended: what belongs to the process (thread, arguments) is set, then Python's main() is called.
 */
#define _GNU_SOURCE
#include "snapshot.h"

#include "internal/pycore_runtime.h"

#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

struct snapshot pyinit_snapshot;
int pyinit_argc;
char **pyinit_argv;

/* Fills sys.argv: every byte must survive. An empty vector is made to look as the kernel makes it since 5.18. */
static int fill_arguments(PyObject *list, int argc, char **argv)
{
    for (int i = 0; i < (argc > 0 ? argc : 1); i++) {
        const char *argument = i < argc ? argv[i] : "";
        PyObject *text = PyUnicode_DecodeUTF8(argument, strlen(argument), "surrogateescape");
        if (text == NULL || PyList_Append(list, text) < 0) {
            return -1;
        }
        Py_DECREF(text);
    }
    return 0;
}

/* A file that is set-user-ID would make whoever may run it root, by -u, by PYINIT_OPTIONS or by the payload itself.
 *
 * The kernel's notes for libc tell, without a system call. Not AT_SECURE: SELinux sets that when an engine starts a
 * container. */
static void refuse_borrowed_identity(void)
{
    if (getauxval(AT_UID) != getauxval(AT_EUID) || getauxval(AT_GID) != getauxval(AT_EGID)) {
        pyinit_fail("start", "real and effective ids differ: is the file set-user-ID? chmod ug-s takes that away");
    }
}

int main(int argc, char **argv)
{
    if (pyinit_snapshot.program == NULL) {
        pyinit_build(argc, argv);
    }
    refuse_borrowed_identity();
    pyinit_argc = argc;
    pyinit_argv = argv;

    /* The snapshot's one thread is this process's. Its kernel id stays 0, and libc does not know it as Python's: only
     * threads that others have made ask for that. */
    _PyRuntime.main_thread = PyThread_get_thread_ident();
    pyinit_snapshot.thread->thread_id = _PyRuntime.main_thread;

    if (fill_arguments(pyinit_snapshot.arguments, argc, argv) < 0) {
        pyinit_fail_with_exception("start");
    }
    PyObject *result = PyObject_CallNoArgs(pyinit_snapshot.program);
    long code = result == NULL ? -1 : PyLong_AsLong(result);
    if (PyErr_Occurred()) {
        pyinit_fail_with_exception("internal error");
    }
    _exit((int)code); /* nothing is torn down: the kernel does it quicker */
}
