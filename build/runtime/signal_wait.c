/* Wait for a signal, reap, and both in one call.
 *
 * Python's own functions build a set of 64 numbers for each wait and take a call for each orphan.
 * pyinit/native/fallback.py describes these, and does the same from source.
 */
#define _GNU_SOURCE
#include "signal_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SIGNAL_SET_BYTES = 8,
    NANOSECONDS = 1000000000,
    BY_SIGNAL = 128,
};

static const uint64_t every_signal = ~(uint64_t)0, all_but_chld = ~((uint64_t)1 << (SIGCHLD - 1));

/* A child of interest that wait_and_reap() has reaped, for the next reap(); pid 0 if there is none. */
static struct child {
    pid_t pid;
    int status;
} reaped_child;

static PyObject *int_triple(long first, long second, long third)
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

static long next_signal(const uint64_t *wanted, siginfo_t *info, const struct timespec *end)
{
    return syscall(SYS_rt_sigtimedwait, wanted, info, end, SIGNAL_SET_BYTES);
}

static PyObject *signal_triple(const siginfo_t *info)
{
    return int_triple(info->si_signo, info->si_code, info->si_pid);
}

static PyObject *no_signal(void)
{
    /* EINTR: a tracer has attached or detached; the caller computes its timeout again. */
    if (errno == EAGAIN || errno == EINTR) {
        Py_RETURN_NONE;
    }
    return PyErr_SetFromErrno(PyExc_OSError);
}

/* wait_signal(passed_over, seconds) -> (signal, si_code, si_pid), or None */
PyObject *pyinit_wait_signal(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    (void)module;
    if (count != 2) {
        return PyErr_Format(PyExc_TypeError, "wait_signal takes 2 arguments");
    }
    uint64_t wanted = ~(uint64_t)PyLong_AsUnsignedLongLong(arguments[0]);
    if (PyErr_Occurred()) {
        return NULL;
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
    return next_signal(&wanted, &info, end) < 0 ? no_signal() : signal_triple(&info);
}

/* signal_descriptor() -> a descriptor that is readable while a signal is pending (signalfd(2)) */
PyObject *pyinit_signal_descriptor(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    long descriptor = syscall(SYS_signalfd4, -1, &every_signal, SIGNAL_SET_BYTES, O_CLOEXEC | O_NONBLOCK);
    return descriptor < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(descriptor);
}

/* Return true if KILL ended the child, or if a shell reports so by its exit code: maybe the OOM killer. */
static bool is_killed(int status)
{
    return WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == BY_SIGNAL + SIGKILL;
}

static bool matters(pid_t pid, int status, long payload)
{
    return payload == 0 || pid == payload || WIFSTOPPED(status) || WIFCONTINUED(status) || is_killed(status);
}

/* Reap until a child of interest, at most `most` children; return its pid, 0 if there was none, or -1 with errno.
 * `taken` becomes the number of children reaped. */
static pid_t reap(int how, long payload, long most, int *status, long *taken)
{
    for (*taken = 0; *taken < most; ++*taken) {
        pid_t pid;
        do {
            pid = waitpid(-1, status, how);
        } while (pid < 0 && errno == EINTR);
        if (pid <= 0) {
            return pid;
        }
        if (matters(pid, *status, payload)) {
            ++*taken;
            return pid;
        }
    }
    return 0;
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
    if (reaped_child.pid != 0) {
        struct child child = reaped_child;
        reaped_child.pid = 0;
        return int_triple(child.pid, child.status, 1);
    }
    int status = 0;
    long taken;
    pid_t pid = reap((int)how, payload, most, &status, &taken);
    /* ECHILD is no error: every init gets it when it ends, and an exception takes longer. */
    return pid < 0 && errno != ECHILD ? PyErr_SetFromErrno(PyExc_OSError)
                                      : int_triple(pid, pid > 0 ? status : 0, taken);
}

/* wait_and_reap(how, payload, most, turns) -> (signal, si_code, si_pid), or None */
PyObject *pyinit_wait_and_reap(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    (void)module;
    if (count != 4) {
        return PyErr_Format(PyExc_TypeError, "wait_and_reap takes 4 arguments");
    }
    long how = PyLong_AsLong(arguments[0]), payload = PyLong_AsLong(arguments[1]);
    long most = PyLong_AsLong(arguments[2]), most_turns = PyLong_AsLong(arguments[3]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    static const struct timespec at_once;
    siginfo_t info;
    for (long turns = 0;;) {
        bool glance = turns == most_turns;
        long number = next_signal(glance ? &all_but_chld : &every_signal, &info, glance ? &at_once : NULL);
        if (number < 0 && glance && errno == EAGAIN) {
            turns = 0;
            continue;
        }
        if (number < 0) {
            return no_signal();
        }
        if (number != SIGCHLD || payload == 0) {
            return signal_triple(&info);
        }
        turns++;
        long taken;
        pid_t pid = reap((int)how, payload, most, &reaped_child.status, &taken);
        reaped_child.pid = pid > 0 ? pid : 0;
        if (pid != 0 || taken == most) {
            return signal_triple(&info); /* reap() returns the child or the error, or reaps those that are left */
        }
    }
}
