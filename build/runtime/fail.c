/* Exit with one line and code 125 when something fails before Python runs, or inside it. */
#define _GNU_SOURCE
#include "snapshot.h"

#include <errno.h>
#include <linux/fs.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { INTERNAL_ERROR = 125 };

long pyinit_write_at_once(int descriptor, const struct iovec *pieces, int count)
{
    const long where_it_is = -1; /* the offset of the open file; pipes have none */
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
    struct pollfd writable = {STDERR_FILENO, POLLOUT, 0};
    if (pyinit_write_at_once(STDERR_FILENO, line, PARTS) < 0 &&
        (errno != EAGAIN || is_regular_file(STDERR_FILENO)) && /* btrfs and XFS refuse to allocate blocks at once */
        poll(&writable, 1, 0) == 1) {
        (void)!writev(STDERR_FILENO, line, PARTS); /* an old kernel, or a kind of file that cannot */
    }
    _exit(INTERNAL_ERROR);
}

/* Return the file and line of a traceback's innermost frame, as "file:line". */
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
