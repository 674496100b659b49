/* The two calls that an init spends its life in: waiting for a signal, and reaping.
 *
 * Python offers both, but builds a signal set of 64 numbers for each wait and a call of its own for each orphan.
 * pyinit/unfrozen.py describes the two, and does the same from source.
 */
#define _GNU_SOURCE
#include "waiting.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIGNAL_SET_BYTES = 8, NANOSECONDS = 1000000000, BY_SIGNAL = 128 };

static PyObject *three(long first, long second, long third)
{
    PyObject *result = PyTuple_New(3);
    const long values[] = {first, second, third};
    for (int i = 0; result != NULL && i < 3; i++) {
        PyObject *value = PyLong_FromLong(values[i]);
        if (value == NULL) {
            Py_CLEAR(result);
        } else {
            PyTuple_SET_ITEM(result, i, value);
        }
    }
    return result;
}

/* wait_signal(chld, seconds) -> (signal, si_code, si_pid), or None */
PyObject *pyinit_wait_signal(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    (void)module;
    if (count != 2) {
        return PyErr_Format(PyExc_TypeError, "wait_signal takes 2 arguments");
    }
    uint64_t wanted = ~(uint64_t)0;
    if (arguments[0] == Py_False) {
        wanted &= ~((uint64_t)1 << (SIGCHLD - 1));
    }
    struct timespec time, *end = NULL;
    if (arguments[1] != Py_None) {
        double seconds = PyFloat_AsDouble(arguments[1]);
        if (PyErr_Occurred()) {
            return NULL;
        }
        time.tv_sec = (time_t)seconds;
        time.tv_nsec = (long)((seconds - (double)time.tv_sec) * NANOSECONDS);
        end = &time;
    }
    siginfo_t info;
    if (syscall(SYS_rt_sigtimedwait, &wanted, &info, end, SIGNAL_SET_BYTES) >= 0) {
        return three(info.si_signo, info.si_code, info.si_pid);
    }
    /* EINTR: a tracer has come or gone, and the caller looks at its clock again. */
    if (errno == EAGAIN || errno == EINTR) {
        Py_RETURN_NONE;
    }
    return PyErr_SetFromErrno(PyExc_OSError);
}

/* Whether KILL has ended the child, or what a shell says of KILL has: was it the OOM killer? */
static bool is_killed(int status)
{
    return WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == BY_SIGNAL + SIGKILL;
}

static bool matters(pid_t pid, int status, long payload)
{
    return payload == 0 || pid == payload || WIFSTOPPED(status) || WIFCONTINUED(status) || is_killed(status);
}

/* reap(how, payload, most) -> (pid, status, taken) */
PyObject *pyinit_reap(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    (void)module;
    if (count != 3) {
        return PyErr_Format(PyExc_TypeError, "reap takes 3 arguments");
    }
    long how = PyLong_AsLong(arguments[0]), payload = PyLong_AsLong(arguments[1]), most = PyLong_AsLong(arguments[2]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    for (long taken = 0; taken < most; taken++) {
        int status;
        pid_t pid;
        do {
            pid = waitpid(-1, &status, (int)how);
        } while (pid < 0 && errno == EINTR);
        if (pid < 0) {
            return PyErr_SetFromErrno(PyExc_OSError);
        }
        if (pid == 0) {
            return three(0, 0, taken);
        }
        if (matters(pid, status, payload)) {
            return three(pid, status, taken + 1);
        }
    }
    return three(0, 0, most);
}
