// Which line of the user's program is running, and what of this package a traceback shows: see frames.c.
#pragma once

#include <Python.h>

#ifdef __cplusplus
extern "C" {
#endif

// The code object (borrowed) of the innermost frame outside this package, and in *instruction the byte offset of the running
// instruction in it. NULL where there is no such frame.
PyCodeObject* rl_user_code(int* instruction);

// `prefix` (kept): the folder whose files are this package's own.
void rl_set_package_folder(PyObject* prefix);

// Empties the traceback of the error that is set, if all that it shows are files of this package's `ops` folder.
void rl_drop_frames_of_ops(void);

#ifdef __cplusplus
}
#endif
