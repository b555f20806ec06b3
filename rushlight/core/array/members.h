// Members of objects that free themselves: unlike __dealloc__, a destructor does not make CPython save and restore its error
// state.
#pragma once

#include <Python.h>

#include <cstdint>
#include <vector>

#include "kernels/memory.h"
#include "rushlight/core/array/frames.h"

// Gives up a reference. What falls away because of it waits for its turn: chains of owners, however long, are freed without
// recursion.
static void rl_let_go(PyObject* object) {
  static std::vector<PyObject*> waiting;
  static bool freeing = false;
  if (Py_REFCNT(object) > 1) {
    Py_DECREF(object);
    return;
  }
  waiting.push_back(object);
  if (freeing) return;
  freeing = true;
  while (!waiting.empty()) {
    PyObject* next = waiting.back();
    waiting.pop_back();
    Py_DECREF(next);
  }
  freeing = false;
}

struct rl_memory {  // a block of memory, the own one or that of another
  char* data = nullptr;
  int64_t size = 0;           // in bytes
  PyObject* owner = nullptr;  // strong: who keeps the memory alive, where it is not this object's own block
  rl_memory *before = nullptr,
            *after = nullptr;  // others over the same block: they follow it when it moves; the own one comes first
  bool own = false;
  bool fixed = false;  // somebody outside knows the address: it must not move
  bool lent = false;   // somebody outside holds the memory: where it moves, the old block stays as long as this object
  ~rl_memory() {
    if (own) rl::release(data, size);
    if (before) before->after = after;
    if (after) after->before = before;
    if (owner) rl_let_go(owner);
  }
  // Is it just a block of its own, which nobody else knows?
  bool is_simple() const { return own && !owner && !after && !fixed && !lent; }
  void follow(rl_memory& root) {
    data = root.data;
    size = root.size;
    before = &root;
    after = root.after;
    if (after) after->before = this;
    root.after = this;
  }
  void move(char* to, int64_t bytes) {
    for (rl_memory* each = this; each; each = each->after) {
      each->data = to;
      each->size = bytes;
    }
  }
};
struct rl_place {            // a line of the user's program
  PyObject* code = nullptr;  // strong
  int instruction = 0;
  ~rl_place() { Py_XDECREF(code); }
  void mark() {
    PyObject* now = (PyObject*)rl_user_code(&instruction);
    if (now == code) return;
    Py_XINCREF(now);
    Py_XSETREF(code, now);
  }
};

// Tells an object, which knows a node without holding it, that the node is gone. The object is still alive then: the node's own
// reference to it is dropped after its members.
struct rl_back_link {
  PyObject** known_by = nullptr;
  ~rl_back_link() {
    if (known_by) *known_by = nullptr;
  }
};

// One call of an op, as its driver sees it: what to make, and the node of a write that is to be recorded.
struct rl_call {
  int mode = 0;
  PyObject** given = nullptr;  // the arguments as the program gave them: what is recorded
  PyObject* out = nullptr;     // borrowed: what `out=` was given
  PyObject* node = nullptr;    // strong
  ~rl_call() { Py_XDECREF(node); }
};

// What a backward knows of a node.
struct rl_node_state {
  PyObject* node;      // strong
  PyObject* gradient;  // strong: a tensor, or a list for several outputs, or NULL
  int64_t dependencies;
  int32_t capture;  // in a restricted run: one behind the place of its first capture, or 0
  bool needed;      // in a restricted run: a path to a wanted input
  bool asked_for;   // it runs because it was asked for (backward(inputs=...)): what it does is all that is wanted
  bool owned;       // `gradient` is a sum of this run's own, which may be added to in place
};

// In a restricted run: the gradient that comes for an output of a node is the caller's, too.
struct rl_capture {
  int64_t slot;  // of the node
  uint32_t output;
  int64_t place;  // among what the caller gets
  int32_t next;   // one behind the place of the node's next capture, or 0
};
