/* The functions of signal_wait.c that native.c offers to Python. */
#ifndef PYINIT_WAITING_H
#define PYINIT_WAITING_H

#include <Python.h>

PyObject *pyinit_wait_signal(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *pyinit_signal_descriptor(PyObject *module, PyObject *unused);
PyObject *pyinit_wait_and_reap(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *pyinit_reap(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

#endif
