// A module for processes under callgrind: count(f, n, name) calls f() n times with counting on, and writes the counts down under
// `name`.
#include <Python.h>
#include <valgrind/callgrind.h>

static PyObject* count(PyObject* self, PyObject* args) {
  PyObject* f;
  const char* name;
  int n;
  if (!PyArg_ParseTuple(args, "Ois", &f, &n, &name)) return NULL;
  PyObject* result = Py_NewRef(Py_None);
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
  CALLGRIND_TOGGLE_COLLECT;
  for (int i = 0; i < n && result; ++i) {
    Py_DECREF(result);
    result = PyObject_CallNoArgs(f);
  }
  CALLGRIND_TOGGLE_COLLECT;
  CALLGRIND_DUMP_STATS_AT(name);
  CALLGRIND_STOP_INSTRUMENTATION;
  return result;
}

static PyMethodDef methods[] = {{"count", count, METH_VARARGS, NULL}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "callgrind", NULL, -1, methods};

PyMODINIT_FUNC PyInit_callgrind(void) { return PyModule_Create(&module); }
