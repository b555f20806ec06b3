# Objects ready to be used: tensors, the nodes of ops and small storages are freed and made again all the time, so a freed one keeps all that a
# new one has. Its members are constructed, what refers to objects is None, a small storage has its block: taking one is a few instructions.
# Only objects of exactly these types come here; Python's global lock guards the pools. Under the address sanitizer nothing is kept, so that
# it sees every object die.
cdef extern from *:
    """
    // (T is the compiler's struct of the type, K tells types of one struct apart.)
    template <class T, int K = 0> struct rl_pool {
    #if defined(__SANITIZE_ADDRESS__)
      static constexpr int most = 0;
    #else
      static constexpr int most = 1024;
    #endif
      static inline T* items[most + 1];
      static inline int count = 0;
      static inline PyTypeObject* type = nullptr;
      static inline destructor plain = nullptr;   // what frees an object for which there is no room
    };
    template <class T, int K = 0> static inline PyObject* rl_take() {
      PyObject* taken = (PyObject*)rl_pool<T, K>::items[--rl_pool<T, K>::count];
      Py_SET_REFCNT(taken, 1);
      return taken;
    }
    template <class T, int K = 0> static inline PyObject* rl_take_tracked() {
      PyObject* taken = rl_take<T, K>();
      PyObject_GC_Track(taken);
      return taken;
    }
    template <class T, int K = 0> static inline bool rl_keep(T* object) {
      if (rl_pool<T, K>::count == rl_pool<T, K>::most) return false;
      rl_pool<T, K>::items[rl_pool<T, K>::count++] = object;
      return true;
    }
    // Members refer to None again.
    template <class M> static inline void rl_none(M*& member) {
      PyObject* before = (PyObject*)member;
      if (before == Py_None) return;
      Py_INCREF(Py_None);
      member = (M*)Py_None;
      Py_XDECREF(before);
    }
    template <class... M> static inline void rl_none_all(M*&... members) { (rl_none(members), ...); }
    static inline void rl_forget_geometry(rl::Geometry& g) {
      g.shrink();
      g.ndim = 0;
    }

    // A storage with a small block keeps it; one with a larger block gives that back and waits, without memory, in a pool of its own.
    template <class T> static void rl_free_storage(PyObject* self) {
      T* p = (T*)self;
      const bool small = p->memory.size <= rl::memory::step;
      if (p->__weakref__) PyObject_ClearWeakRefs(self);
      if (!p->memory.is_simple() || !(small ? rl_keep<T>(p) : rl_keep<T, 1>(p))) return rl_pool<T>::plain(self);
      p->version = 0;
      p->holds_tangents = 0;
      if (small) {
        rl::memory::state.statistics.cached += rl::memory::step;
        rl::memory::state.statistics.allocated -= rl::memory::step;
      } else {
        rl::release(p->memory.data, p->memory.size);
        p->memory.data = nullptr;
      }
      Py_CLEAR(p->written.code);
    }
    template <class T> static inline PyObject* rl_take_storage(int64_t bytes) {
      if (uint64_t(bytes) <= uint64_t(rl::memory::step) && rl_pool<T>::count) {
        T* p = (T*)rl_take<T>();
        rl::MemoryStatistics& s = rl::memory::state.statistics;
        ++s.allocations;
        s.cached -= rl::memory::step;
        s.allocated += rl::memory::step;
        if (s.allocated > s.peak) s.peak = s.allocated;
        p->memory.size = bytes;
        return (PyObject*)p;
      }
      char* block = rl_pool<T, 1>::count ? (char*)rl::allocate(bytes) : nullptr;
      if (!block) return nullptr;
      T* p = (T*)rl_take<T, 1>();
      p->memory.data = block;
      p->memory.size = bytes;
      return (PyObject*)p;
    }
    // A tensor of contiguous elements: itself and its storage are ready. (What has too many elements is refused elsewhere.)
    template <class T, class S> static PyObject* rl_take_ready(T*, S*, int code, const rl::Geometry& like, int64_t item, uint8_t flags, uint8_t depth) {
      if (!rl_pool<T>::count || like.ndim > rl::Geometry::local_dims) return nullptr;
      T* t = rl_pool<T>::items[rl_pool<T>::count - 1];
      const int64_t count = t->geometry.lay_out(like);
      PyObject* storage = uint64_t(count) < uint64_t(1) << 40 ? rl_take_storage<S>(count * item) : nullptr;
      if (!storage) {
        t->geometry.ndim = 0;
        return nullptr;
      }
      rl_take_tracked<T>();
      t->storage = (decltype(t->storage))storage;
      Py_DECREF(Py_None);
      t->count = count;
      t->code = code;
      t->flags = flags;
      t->depth = depth;
      return (PyObject*)t;
    }
    template <class T> static void rl_free_tensor(PyObject* self) {
      T* p = (T*)self;
      // .grad outlives its tensor by a moment, so that chains of tensors, each the .grad of the next, are freed without recursion.
      PyObject* grad = p->grad_ == Py_None ? nullptr : p->grad_;
      if (grad) { Py_INCREF(Py_None); p->grad_ = Py_None; }
      if (Py_TYPE(self) != rl_pool<T>::type || rl_pool<T>::count == rl_pool<T>::most) {
        rl_pool<T>::plain(self);
        if (grad) rl_let_go(grad);
        return;
      }
      PyObject_GC_UnTrack(self);
      if (p->__weakref__) PyObject_ClearWeakRefs(self);
      rl_none_all(p->storage, p->grad_fn_, p->base, p->hooks, p->post_hooks);
      Py_CLEAR(p->attributes);
      rl_forget_geometry(p->geometry);
      p->count = p->offset = 0;
      p->code = p->flags = p->creation = p->grad_kind = 0;
      p->output_number = p->seen_version = 0;
      p->accumulator = NULL;
      if (!rl_keep(p)) { PyObject_GC_Track(self); rl_pool<T>::plain(self); }   // (what was freed above filled the pool)
      if (grad) rl_let_go(grad);
    }
    // (The compiler's own function is called inside of this trashcan: its own does nothing where it is not the type's.)
    template <class T> static void rl_free_node(PyObject* self) {
      T* p = (T*)self;
      if (Py_TYPE(self) != rl_pool<T>::type) return rl_pool<T>::plain(self);
      PyObject_GC_UnTrack(self);
      Py_TRASHCAN_BEGIN(self, rl_free_node<T>)
      if (rl_pool<T>::count == rl_pool<T>::most) {
        rl_pool<T>::plain(self);
      } else {
        if (p->__weakref__) PyObject_ClearWeakRefs(self);
        if (p->next_outputs.size()) p->next_outputs.clear();
        rl_forget_geometry(p->shape);
        Py_CLEAR(p->made.code);
        rl_none_all(p->next_nodes, p->kept0, p->kept1, p->kept2, p->kept3, p->kept4, p->kept5, p->more_outputs, p->extras, p->saved, p->plan);
        p->kept_edges = p->saved_plainly = p->variant = 0;
        p->freed = 0;
        p->leaf_edges = p->run = 0;
        p->outside = NULL;
        if (!rl_keep(p)) rl_pool<T>::plain(self);     // (what was freed above filled the pool)
      }
      Py_TRASHCAN_END
    }
    // The node of a leaf, with nothing but that.
    template <class T> static void rl_free_leaf_node(PyObject* self) {
      T* p = (T*)self;
      if (Py_TYPE(self) != rl_pool<T, 1>::type || rl_pool<T, 1>::count == rl_pool<T, 1>::most || p->__weakref__ ||
          (PyObject*)p->extras != Py_None || (PyObject*)p->next_nodes != Py_None || (PyObject*)p->leaf == Py_None)
        return rl_pool<T, 1>::plain(self);
      PyObject_GC_UnTrack(self);
      if (p->link.known_by) *p->link.known_by = NULL;
      p->link.known_by = NULL;
      rl_forget_geometry(p->shape);
      Py_CLEAR(p->made.code);
      p->run = 0;
      PyObject* leaf = (PyObject*)p->leaf;
      Py_INCREF(Py_None);
      p->leaf = (decltype(p->leaf))Py_None;
      rl_keep<T, 1>(p);
      Py_DECREF(leaf);
    }
    template <class T, int K = 0> static void rl_pool_type(T*, PyTypeObject* type, destructor own) {
      rl_pool<T, K>::type = type;
      rl_pool<T, K>::plain = type->tp_dealloc;
      type->tp_dealloc = own;
    }
    #define RL_STRUCT(object) std::remove_pointer_t<decltype(object)>
    // A new member must be put back where its object is freed, above; then these sizes are to be changed.
    #define RL_MEMBERS(object) (sizeof(RL_STRUCT(object)) - sizeof(PyObject))
    #define rl_check_sizes(tensor, node, storage) do { \\
      static_assert(RL_MEMBERS(tensor) == 232, "a member of Tensor that pools do not know"); \\
      static_assert(RL_MEMBERS(node) == 360, "a member of Node that pools do not know"); \\
      static_assert(RL_MEMBERS(storage) == 80, "a member of Storage that pools do not know"); \\
    } while (0)
    #define rl_pool_storages(like, type) rl_pool_type(like, type, rl_free_storage<RL_STRUCT(like)>)
    #define rl_pool_tensors(like, type) rl_pool_type(like, type, rl_free_tensor<RL_STRUCT(like)>)
    #define rl_pool_nodes(like, type) rl_pool_type(like, type, rl_free_node<RL_STRUCT(like)>)
    #define rl_pool_leaf_nodes(like, type) rl_pool_type<RL_STRUCT(like), 1>(like, type, rl_free_leaf_node<RL_STRUCT(like)>)
    #define rl_ready_storage(like, bytes) rl_take_storage<RL_STRUCT(like)>(bytes)
    #define rl_waiting(like) (rl_pool<RL_STRUCT(like)>::count)
    #define rl_next(like) rl_take_tracked<RL_STRUCT(like)>()
    #define rl_waiting_leaf_nodes(like) (rl_pool<RL_STRUCT(like), 1>::count)
    #define rl_next_leaf_node(like) rl_take_tracked<RL_STRUCT(like), 1>()
    #define rl_own(pointer) (pointer)
    """
    void check_sizes "rl_check_sizes"(Tensor, Node, Storage) noexcept
    void pool_storages "rl_pool_storages"(Storage, PyTypeObject*) noexcept
    void pool_tensors "rl_pool_tensors"(Tensor, PyTypeObject*) noexcept
    void pool_nodes "rl_pool_nodes"(Node, PyTypeObject*) noexcept
    PyObject* ready_storage "rl_ready_storage"(Storage, int64_t) noexcept
    Storage own_storage "rl_own"(PyObject*)
    int waiting_tensors "rl_waiting"(Tensor) noexcept
    Tensor next_tensor "rl_next"(Tensor)
    int waiting_nodes "rl_waiting"(Node) noexcept
    PyObject* take_ready "rl_take_ready"(Tensor, Storage, int, const Geometry&, int64_t, uint8_t, uint8_t) noexcept
    Tensor own_tensor "rl_own"(PyObject*)
    OpNode next_node "rl_next"(Node)
    void pool_leaf_nodes "rl_pool_leaf_nodes"(Node, PyTypeObject*) noexcept
    int waiting_leaf_nodes "rl_waiting_leaf_nodes"(Node) noexcept
    AccumulateGrad next_leaf_node "rl_next_leaf_node"(Node)

# Never filled: they tell the macros above the struct.
cdef Storage _like_storage = None

cdef Tensor _like_tensor = None

cdef Node _like_node = None

cdef inline Tensor bare_tensor():
    """A tensor without anything, to be filled."""
    cdef Tensor out
    if waiting_tensors(_like_tensor):
        out = next_tensor(_like_tensor)
        out.depth = <uint8_t>modes.transforms
        return out
    return Tensor.__new__(Tensor)

cdef inline OpNode bare_node():
    return next_node(_like_node) if waiting_nodes(_like_node) else OpNode.__new__(OpNode)

cdef inline AccumulateGrad bare_leaf_node():
    return next_leaf_node(_like_node) if waiting_leaf_nodes(_like_node) else AccumulateGrad.__new__(AccumulateGrad)

cdef inline Storage new_storage(int64_t nbytes):
    """A storage with memory of its own, not set."""
    if modes.meta:
        return meta_storage(nbytes)
    cdef PyObject* ready = ready_storage(_like_storage, nbytes)
    cdef Storage storage = fresh_storage(nbytes) if ready == NULL else own_storage(ready)
    if modes.recording != NULL:
        made_storages.append(storage)
        modes.recording.know(storage.memory.data, nbytes)
    return storage

# While kernels are written down (core/replay), storages that are made are kept, so that each has an address of its own.
cdef list made_storages = []


cdef start_pools():
    check_sizes(_like_tensor, _like_node, _like_storage)
    pool_storages(_like_storage, <PyTypeObject*>Storage)
    pool_tensors(_like_tensor, <PyTypeObject*>Tensor)
    pool_nodes(_like_node, <PyTypeObject*>OpNode)
    pool_leaf_nodes(_like_node, <PyTypeObject*>AccumulateGrad)

start_pools()
