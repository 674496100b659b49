/* Start in either mode.
 *
 * A stage, which holds no snapshot, builds one. A finished file holds the interpreter as build mode left it: set what
 * belongs to the process (thread, arguments), then call main() of the program.
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

/* Fill sys.argv without changing a byte. Without arguments there is one empty string, as the kernel does since 5.18. */
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

/* Refuse to run set-user-ID: any user could become root by -u, by PYINIT_OPTIONS or by the payload.
 *
 * The auxiliary vector holds the ids, so this takes no system call. AT_SECURE would not do: SELinux sets it when an
 * engine starts a container. */
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

    /* The thread in the snapshot becomes this one. Its native_thread_id and autoTSSkey stay unset: only threads that
     * were made outside of Python use them. */
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
    _exit((int)code); /* the kernel frees everything faster than Py_Finalize would */
}
