/* The program's start in both modes, and its end when something goes wrong before or inside Python.
 *
 * A stage that holds no snapshot yet builds one. A finished file has the interpreter as it stood when build mode
 * ended: what belongs to the process (thread, arguments) is set, then Python's main() is called.
 */
#define _GNU_SOURCE
#include "snapshot.h"

#include "internal/pycore_runtime.h"

#include <errno.h>
#include <linux/fs.h>
#include <poll.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { INTERNAL_ERROR = 125 };

struct snapshot pyinit_snapshot;
int pyinit_argc;
char **pyinit_argv;

long pyinit_write_at_once(int descriptor, const struct iovec *pieces, int count)
{
    const long where_it_is = -1; /* as an offset, that of the open file; pipes have none */
    return syscall(SYS_pwritev2, descriptor, pieces, count, where_it_is, where_it_is, RWF_NOWAIT);
}

static bool is_regular_file(int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

_Noreturn void pyinit_fail(const char *what, const char *why)
{
    struct iovec line[] = {
        {"pyinit: ", 8}, {(char *)what, strlen(what)}, {": ", 2}, {(char *)why, strlen(why)}, {"\n", 1},
    };
    enum { PARTS = sizeof line / sizeof *line };
    struct pollfd room = {STDERR_FILENO, POLLOUT, 0};
    if (pyinit_write_at_once(STDERR_FILENO, line, PARTS) < 0 &&
        (errno != EAGAIN || is_regular_file(STDERR_FILENO)) && /* btrfs and XFS refuse to allocate blocks at once */
        poll(&room, 1, 0) == 1) {
        (void)!writev(STDERR_FILENO, line, PARTS); /* an old kernel, or a kind of file that cannot */
    }
    _exit(INTERNAL_ERROR);
}

/* The innermost frame's code and line of a traceback, as "file:line". */
static PyObject *place_of(PyObject *traceback)
{
    PyTracebackObject *innermost = (PyTracebackObject *)traceback;
    while (innermost->tb_next != NULL) {
        innermost = innermost->tb_next;
    }
    PyCodeObject *code = PyFrame_GetCode(innermost->tb_frame);
    return PyUnicode_FromFormat("%U:%d", code->co_filename, PyCode_Addr2Line(code, innermost->tb_lasti));
}

_Noreturn void pyinit_fail_with_exception(const char *what)
{
    PyObject *type, *value, *traceback, *text, *line, *bytes = NULL;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    text = value == NULL ? NULL : PyObject_Str(value);
    if (text != NULL && type != NULL) {
        PyObject *place = traceback == NULL ? PyUnicode_FromString("C") : place_of(traceback);
        line = PyUnicode_FromFormat("%s: %U (%V)", ((PyTypeObject *)type)->tp_name, text, place, "?");
        if (line != NULL) {
            bytes = PyUnicode_AsEncodedString(line, "utf-8", "surrogateescape");
        }
    }
    if (bytes == NULL) {
        pyinit_fail(what, "an exception that cannot be printed");
    }
    for (char *at = PyBytes_AS_STRING(bytes); *at != '\0'; at++) {
        if ((unsigned char)*at < ' ') {
            *at = ' '; /* one line, whatever the message holds */
        }
    }
    pyinit_fail(what, PyBytes_AS_STRING(bytes));
}

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

    /* The snapshot's one thread is this process's. Its kernel id stays 0: only threads of Python's own ask for it. */
    _PyRuntime.main_thread = PyThread_get_thread_ident();
    pyinit_snapshot.thread->thread_id = _PyRuntime.main_thread;
    Py_tss_t *key = &_PyRuntime.gilstate.autoTSSkey;
    if (PyThread_tss_create(key) != 0 || PyThread_tss_set(key, pyinit_snapshot.thread) != 0) {
        pyinit_fail("start", "no memory");
    }

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
