// The user's line, at the price of a few nanoseconds: a walk over the interpreter's own frames, without making frame objects.
//
// CPython links its running frames in a light list; PyEval_GetFrame would turn the innermost into a heap object first, once a
// function call. The list is read here through the internal headers, whose names changed with the versions; nothing else in the
// project includes them. They are C, so this file is too.
#define Py_BUILD_CORE 1
#include "frames.h"

#if PY_VERSION_HEX >= 0x030E0000
#include <internal/pycore_interpframe.h>
#include <internal/pycore_stackref.h>
#else
#include <internal/pycore_frame.h>
#endif
#include <internal/pycore_code.h>
#include <string.h>

static _PyInterpreterFrame* innermost(void) {
  PyThreadState* thread = PyThreadState_Get();
#if PY_VERSION_HEX >= 0x030D0000
  return thread->current_frame;
#else
  return thread->cframe->current_frame;
#endif
}

static PyCodeObject* code_of(_PyInterpreterFrame* frame) {
#if PY_VERSION_HEX >= 0x030E0000
  PyObject* code = PyStackRef_IsNull(frame->f_executable) ? NULL : PyStackRef_AsPyObjectBorrow(frame->f_executable);
#elif PY_VERSION_HEX >= 0x030D0000
  PyObject* code = frame->f_executable;
#elif PY_VERSION_HEX >= 0x030C0000
  PyObject* code = frame->owner == FRAME_OWNED_BY_CSTACK ? NULL : (PyObject*)frame->f_code;
#else
  PyObject* code = (PyObject*)frame->f_code;
#endif
  // The frames by which C enters the interpreter have no code, or (in 3.12) code that is not the program's.
  return code && PyCode_Check(code) ? (PyCodeObject*)code : NULL;
}

static int instruction_of(_PyInterpreterFrame* frame, PyCodeObject* code) {
#if PY_VERSION_HEX >= 0x030D0000
  return (int)((char*)frame->instr_ptr - (char*)_PyCode_CODE(code));
#else
  return (int)((char*)frame->prev_instr - (char*)_PyCode_CODE(code));
#endif
}

// All code of one file shares one filename object, so the answer for a file is kept by that object's address (which stays valid,
// since the table holds a reference).
#define TABLE_SIZE 256
static struct {
  PyObject* filename;
  int internal;
} table[TABLE_SIZE];
static PyObject* package_folder;

void rl_set_package_folder(PyObject* prefix) {
  Py_XINCREF(prefix);
  Py_XSETREF(package_folder, prefix);
}

// Where the name of a file goes on behind that of the package's folder; NULL for other files. `text` gets the whole name (or
// NULL).
static const char* behind_package(PyObject* filename, const char** text) {
  *text = PyUnicode_AsUTF8(filename);
  const char* prefix = *text && package_folder ? PyUnicode_AsUTF8(package_folder) : NULL;
  if (!*text || (package_folder && !prefix)) PyErr_Clear();
  return prefix && strncmp(*text, prefix, strlen(prefix)) == 0 ? *text + strlen(prefix) : NULL;
}

static int is_internal(PyObject* filename) {
  const size_t slot = ((size_t)filename >> 4) % TABLE_SIZE;
  if (table[slot].filename != filename) {
    const char *text, *rest = behind_package(filename, &text);
    Py_INCREF(filename);
    Py_XSETREF(table[slot].filename, filename);
    table[slot].internal = rest || (text && strncmp(text, "<frozen ", 8) == 0);
  }
  return table[slot].internal;
}

PyCodeObject* rl_user_code(int* instruction) {
  for (_PyInterpreterFrame* frame = innermost(); frame; frame = frame->previous) {
    PyCodeObject* code = code_of(frame);
    if (code && !is_internal(code->co_filename)) {
      *instruction = instruction_of(frame, code);
      return code;
    }
  }
  return NULL;
}

static int is_of_ops(PyObject* filename) {
  const char *text, *rest = behind_package(filename, &text);
  return rest && strncmp(rest, "ops", 3) == 0 && (rest[3] == '/' || rest[3] == '\\');
}

void rl_drop_frames_of_ops(void) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  if (traceback == Py_None) Py_CLEAR(traceback);  // (what traceback.h has put there)
  int all = traceback != NULL;
  for (PyTracebackObject* at = (PyTracebackObject*)traceback; at && all; at = at->tb_next) {
    PyCodeObject* code = PyFrame_GetCode(at->tb_frame);
    all = is_of_ops(code->co_filename);
    Py_DECREF(code);
  }
  if (all) Py_CLEAR(traceback);
  PyErr_Restore(type, value, traceback);
}
