/* The built-in module _pyinit: what the program needs and Python does not offer, or only slowly.
 *
 * pyinit/native/fallback.py does the same from source. Waiting for signals and children is in signal_wait.c. spawn.c
 * starts the payload; here Python's values are converted for it.
 */
#define _GNU_SOURCE
#include "signal_wait.h"
#include "snapshot.h"
#include "spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

extern char **environ;

/* block_signals() -> (mask, whether SIGCHLD was ignored). Signals are blocked since the first instruction. */
static PyObject *block_signals(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    struct sigaction old, standard = {.sa_handler = SIG_DFL};
    const uint64_t all = ~(uint64_t)0;
    if (pyinit_start_error != 0 && syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &pyinit_start_mask, sizeof all) < 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    if (sigaction(SIGCHLD, &standard, &old) < 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    PyObject *mask = PyLong_FromUnsignedLongLong(pyinit_start_mask);
    PyObject *ignored = PyBool_FromLong(old.sa_handler == SIG_IGN);
    PyObject *result = mask == NULL ? NULL : PyTuple_Pack(2, mask, ignored);
    Py_XDECREF(mask);
    Py_DECREF(ignored);
    return result;
}

/* getenv(name) -> value or None, without a dict of the whole environment. */
static PyObject *get_variable(PyObject *module, PyObject *name)
{
    (void)module;
    if (!PyBytes_Check(name)) {
        return PyErr_Format(PyExc_TypeError, "bytes expected");
    }
    const char *value = pyinit_variable(environ, PyBytes_AS_STRING(name));
    if (value == NULL) {
        Py_RETURN_NONE;
    }
    return PyBytes_FromString(value);
}

/* open_terminal() -> a descriptor, or -errno: most containers have no terminal, and an exception takes longer. */
static PyObject *open_terminal(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    int descriptor = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    return PyLong_FromLong(descriptor < 0 ? -errno : descriptor);
}

/* is_last_process() -> True if kill(2) finds no process but PID 1, as when most containers end. */
static PyObject *is_last_process(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyBool_FromLong(kill(-1, 0) < 0 && errno == ESRCH);
}

/* Close the descriptors from `first` on that /proc/self/fd lists; return false if it cannot be read. */
static bool close_listed(long first)
{
    DIR *listing = opendir("/proc/self/fd");
    if (listing == NULL) {
        return false;
    }
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        long descriptor = strtol(entry->d_name, NULL, 10); /* 0 for "." and ".." */
        if (descriptor >= first && descriptor != dirfd(listing)) {
            close(descriptor);
        }
    }
    closedir(listing);
    return true;
}

/* close_range(first): close every descriptor from `first` on, which must be above 0. */
static PyObject *close_from(PyObject *module, PyObject *argument)
{
    (void)module;
    enum { MOST_DESCRIPTORS = 1 << 20 }; /* fs.nr_open, unless an administrator has raised it */
    long first = PyLong_AsLong(argument);
    if (first <= 0) {
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "no descriptor above 0");
    }
    /* Since Linux 5.9; old seccomp profiles forbid it. Descriptors may lie above a limit that was lowered later. */
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0) == 0 || close_listed(first)) {
        Py_RETURN_NONE;
    }
    struct rlimit limit;
    long end = getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max > MOST_DESCRIPTORS ? MOST_DESCRIPTORS
                                                                                         : (long)limit.rlim_max;
    for (long descriptor = first; descriptor < end; descriptor++) {
        close(descriptor);
    }
    Py_RETURN_NONE;
}

/* write_nowait(descriptor, data) -> number of bytes that were taken without waiting. */
static PyObject *write_nowait(PyObject *module, PyObject *arguments)
{
    (void)module;
    int descriptor;
    PyObject *data;
    if (!PyArg_ParseTuple(arguments, "iS:write_nowait", &descriptor, &data)) {
        return NULL;
    }
    struct iovec piece = {PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data)};
    long written = pyinit_write_at_once(descriptor, &piece, 1);
    return written < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(written);
}

/* Return the C strings of a list of bytes, after `spare` unused places and with NULL at the end; they live as long as
 * the list. */
static char **strings(PyObject *list, int spare)
{
    Py_ssize_t count = PyList_GET_SIZE(list);
    char **array = PyMem_Malloc((spare + count + 1) * sizeof *array);
    if (array == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (PyBytes_AsStringAndSize(PyList_GET_ITEM(list, i), &array[spare + i], NULL) < 0) {
            PyMem_Free(array);
            return NULL;
        }
    }
    array[spare + count] = NULL;
    return array;
}

/* Put (uid, gid, [group, ...]) or None into the plan; return false with an exception if that fails. */
static bool set_identity(struct plan *plan, PyObject *identity)
{
    if (identity == Py_None) {
        return true;
    }
    PyObject *groups;
    if (!PyArg_ParseTuple(identity, "IIO!;identity", &plan->user, &plan->group, &PyList_Type, &groups)) {
        return false;
    }
    plan->group_count = PyList_GET_SIZE(groups);
    plan->groups = PyMem_Malloc((plan->group_count + 1) * sizeof *plan->groups);
    if (plan->groups == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (size_t i = 0; i < plan->group_count; i++) {
        plan->groups[i] = PyLong_AsUnsignedLong(PyList_GET_ITEM(groups, i));
    }
    plan->has_identity = true;
    return !PyErr_Occurred();
}

/* fork_exec(argv, placement, terminal, mask, ignore_chld, death_signal, identity, unset, own_pid, assign)
   -> (pid, errno, step) */
static PyObject *fork_exec(PyObject *module, PyObject *arguments)
{
    (void)module;
    struct plan plan = {0};
    struct changes changes = {0};
    PyObject *argv, *identity, *unset, *own_pid, *assign, *result = NULL;
    unsigned long long mask;
    int ignore_chld;
    if (!PyArg_ParseTuple(arguments, "O!iiKpiOO!O!O!:fork_exec", &PyList_Type, &argv, &plan.placement, &plan.terminal,
                          &mask, &ignore_chld, &plan.death_signal, &identity, &PyList_Type, &unset, &PyList_Type,
                          &own_pid, &PyList_Type, &assign)) {
        return NULL;
    }
    if (PyList_GET_SIZE(argv) == 0) {
        return PyErr_Format(PyExc_ValueError, "no program");
    }
    plan.mask = mask;
    plan.ignore_chld = ignore_chld;
    plan.arguments = strings(argv, 1);
    changes.unset = strings(unset, 0);
    changes.own_pid = strings(own_pid, 0);
    changes.assign = strings(assign, 0);
    if (plan.arguments != NULL && changes.unset != NULL && changes.own_pid != NULL && changes.assign != NULL &&
        set_identity(&plan, identity)) {
        if (pyinit_environment_make(&plan.environment, environ, &changes) && pyinit_plan_search(&plan)) {
            pid_t pid = pyinit_spawn(&plan);
            result = Py_BuildValue("iis", pid, plan.error, plan.step == NULL ? "" : plan.step);
            if (result == NULL && pid > 0) {
                kill(pid, SIGKILL); /* or the payload would run without the caller knowing its pid */
            }
        } else {
            PyErr_NoMemory();
        }
    }
    pyinit_plan_free(&plan);
    PyMem_Free(changes.unset);
    PyMem_Free(changes.own_pid);
    PyMem_Free(changes.assign);
    return result;
}

static PyMethodDef functions[] = {
    {"block_signals", block_signals, METH_NOARGS, NULL},
    {"getenv", get_variable, METH_O, NULL},
    {"is_last_process", is_last_process, METH_NOARGS, NULL},
    {"open_terminal", open_terminal, METH_NOARGS, NULL},
    {"close_range", close_from, METH_O, NULL},
    {"fork_exec", fork_exec, METH_VARARGS, NULL},
    {"wait_signal", (PyCFunction)(void (*)(void))pyinit_wait_signal, METH_FASTCALL, NULL},
    {"signal_descriptor", pyinit_signal_descriptor, METH_NOARGS, NULL},
    {"wait_and_reap", (PyCFunction)(void (*)(void))pyinit_wait_and_reap, METH_FASTCALL, NULL},
    {"reap", (PyCFunction)(void (*)(void))pyinit_reap, METH_FASTCALL, NULL},
    {"write_nowait", write_nowait, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_pyinit",
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit__pyinit(void)
{
    return PyModule_Create(&definition);
}
