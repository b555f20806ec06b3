// What of the core stands in a traceback: nothing, so that an error from an op ends with the user's own line.
//
// Cython would add a frame for each of its functions, with a path that no installed file answers, and makes it by PyFrame_New.
// Without a frame it adds none. What an op has added in Python (rushlight/ops) is dropped on the way out, unless the user's code
// ran below. RUSHLIGHT_CORE_FRAMES=1 in the environment keeps everything.
#pragma once

#include <Python.h>
#include <frameobject.h>
#include <stdlib.h>

// Replaced after it was declared: what Cython writes calls it only for tracebacks.
static PyFrameObject* rl_traceback_frame(PyThreadState* thread, PyCodeObject* code, PyObject* globals, PyObject* locals) {
  static const char* const asked = getenv("RUSHLIGHT_CORE_FRAMES");
  static const bool kept = asked && asked[0] == '1';
  if (kept) return PyFrame_New(thread, code, globals, locals);
#ifdef RL_DROPS_FRAMES_OF_OPS
  rl_drop_frames_of_ops();
#else
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  if (traceback == Py_None) Py_CLEAR(traceback);  // (see below)
  PyErr_Restore(type, value, traceback);
#endif
  return NULL;
}
#define PyFrame_New(thread, code, globals, locals) rl_traceback_frame(thread, code, globals, locals)

// What Cython writes for an error that is caught counts on its traceback: it gets None in the place of one that is not there.
// Where such an error is raised again, the function that it leaves comes by rl_traceback_frame, which takes the None away.
static void rl_none_for_no_traceback(PyObject** traceback) {
  if (*traceback) return;
  Py_INCREF(Py_None);
  *traceback = Py_None;
}
static void rl_normalize_exception(PyObject** type, PyObject** value, PyObject** traceback) {
  PyErr_NormalizeException(type, value, traceback);
  rl_none_for_no_traceback(traceback);
}
static PyObject* rl_traceback_of(PyObject* value) {
  PyObject* traceback = PyException_GetTraceback(value);
  rl_none_for_no_traceback(&traceback);
  return traceback;
}
#define PyErr_NormalizeException(type, value, traceback) rl_normalize_exception(type, value, traceback)
#define PyException_GetTraceback(value) rl_traceback_of(value)
