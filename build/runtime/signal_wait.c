/* The calls that an init spends its life in: waiting for a signal, reaping, and both in one.
 *
 * Python offers the first two, but builds a signal set of 64 numbers for each wait and a call of its own for each
 * orphan. pyinit/native/fallback.py describes them, and does the same from source.
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

static const uint64_t every_one = ~(uint64_t)0, all_but_chld = ~((uint64_t)1 << (SIGCHLD - 1));

/* A child that was reaped while init waited, and matters: for the next reap(). Pid 0: there is none. */
static struct child {
    pid_t pid;
    int status;
} kept;

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

static long next_signal(const uint64_t *wanted, siginfo_t *info, const struct timespec *end)
{
    return syscall(SYS_rt_sigtimedwait, wanted, info, end, SIGNAL_SET_BYTES);
}

static PyObject *received(const siginfo_t *info)
{
    return three(info->si_signo, info->si_code, info->si_pid);
}

static PyObject *none_received(void)
{
    /* EINTR: a tracer has come or gone, and the caller looks at its clock again. */
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
    return next_signal(&wanted, &info, end) < 0 ? none_received() : received(&info);
}

/* signal_descriptor() -> a descriptor that can be read as long as a signal is pending (signalfd(2)) */
PyObject *pyinit_signal_descriptor(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    long descriptor = syscall(SYS_signalfd4, -1, &every_one, SIGNAL_SET_BYTES, O_CLOEXEC | O_NONBLOCK);
    return descriptor < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(descriptor);
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

/* waitpid(2) until a child that matters: its pid; 0 if there was none, -1 and errno if that failed.
 * `taken` is how many were, itself included, `most` at the most. */
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
    if (kept.pid != 0) {
        struct child child = kept;
        kept.pid = 0;
        return three(child.pid, child.status, 1);
    }
    int status = 0;
    long taken;
    pid_t pid = reap((int)how, payload, most, &status, &taken);
    /* That there are no children is no error: every init hears it at its end, and an exception takes a while. */
    return pid < 0 && errno != ECHILD ? PyErr_SetFromErrno(PyExc_OSError) : three(pid, pid > 0 ? status : 0, taken);
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
        long number = next_signal(glance ? &all_but_chld : &every_one, &info, glance ? &at_once : NULL);
        if (number < 0 && glance && errno == EAGAIN) {
            turns = 0;
            continue;
        }
        if (number < 0) {
            return none_received();
        }
        if (number != SIGCHLD || payload == 0) {
            return received(&info);
        }
        turns++;
        long taken;
        pid_t pid = reap((int)how, payload, most, &kept.status, &taken);
        kept.pid = pid > 0 ? pid : 0;
        if (pid != 0 || taken == most) {
            return received(&info); /* reap() has it, or the reason why none can be waited for, or there are more */
        }
    }
}
