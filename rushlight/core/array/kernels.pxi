# The seam to C++: what of kernels/ the core sees.
cdef extern from *:
    """
    #include "kernels/array.h"
    #include "kernels/convert.h"
    #include "kernels/geometry.h"
    #include "kernels/memory.h"
    #include "kernels/threads.h"
    #include "kernels/registry.h"
    #include "kernels/replay.h"
    #include "rushlight/core/array/modes.h"
    #include "rushlight/core/array/frames.h"
    #define RL_DROPS_FRAMES_OF_OPS
    #include "rushlight/core/array/traceback.h"

    // C++ exceptions of kernels as Python's.
    static void rl_raise() {
      try {
        throw;
      } catch (const rl::NoKernel& e) {
        PyErr_SetString(PyExc_NotImplementedError, e.what());
      } catch (const std::invalid_argument& e) {
        PyErr_SetString(PyExc_ValueError, e.what());
      } catch (const std::out_of_range& e) {
        PyErr_SetString(PyExc_IndexError, e.what());
      } catch (const std::exception& e) {
        PyErr_SetString(PyExc_RuntimeError, e.what());
      }
    }
    """
    void rl_raise()
    PyObject* rl_user_code "(PyObject*)rl_user_code"(int*) noexcept
    void rl_set_package_folder(object)

ctypedef int64_t* Int64Pointer

# The table of dtypes.
cdef extern from * namespace "rl":
    enum:
        BOOL "int(rl::DType::boolean)"
        UINT8 "int(rl::DType::u8)"
        INT8 "int(rl::DType::i8)"
        INT16 "int(rl::DType::i16)"
        INT32 "int(rl::DType::i32)"
        INT64 "int(rl::DType::i64)"
        FLOAT16 "int(rl::DType::f16)"
        BFLOAT16 "int(rl::DType::bf16)"
        FLOAT32 "int(rl::DType::f32)"
        FLOAT64 "int(rl::DType::f64)"
        COMPLEX64 "int(rl::DType::c64)"
        COMPLEX128 "int(rl::DType::c128)"
        UINT16 "int(rl::DType::u16)"
        UINT64 "int(rl::DType::u64)"
        COMPLEX32 "int(rl::DType::c32)"
        FLOAT8_E5M2 "int(rl::DType::f8_e5m2)"
        FLOAT8_E8M0FNU "int(rl::DType::f8_e8m0fnu)"
        DTYPES "rl::dtype_count"
        EARLY_DTYPES "rl::early_dtypes"
        # In the order of promotion between categories.
        IS_BOOL "int(rl::Category::boolean)"
        IS_INTEGER "int(rl::Category::integer)"
        IS_FLOATING "int(rl::Category::floating)"
        IS_COMPLEX "int(rl::Category::complex)"
    cdef struct DTypeFacts:
        const char* name
        const char* short_name
        const char* title
        const char* type_name
        const char* number_name
        const char* typestr
        int8_t dlpack_code
        cbool has_classes
        int8_t digits
        double gap
        double least
        double largest
    const DTypeFacts dtype_facts[DTYPES]
    const int8_t item_bytes[DTYPES]
    const int8_t category[DTYPES]
    const int8_t real_of[DTYPES]
    const int8_t complex_of[DTYPES]
    cbool is_wide_unsigned(int) noexcept
    cbool is_float8(int) noexcept

cdef enum:
    NO_DTYPE = -1

cdef extern from * namespace "rl" nogil:
    cdef cppclass DType "rl::DType":
        pass
    cdef struct Array "rl::Array":
        char* data
        DType dtype
        int32_t ndim
        const int64_t* shape
        const int64_t* strides
    cdef union Number "rl::Number":
        int64_t i
        double f
    ctypedef void (*Loop "rl::Loop")(char* const*, const int64_t*, int64_t, const Number*) except +rl_raise
    ctypedef void (*KernelFunction "rl::Kernel")(const Array*, int, const Number*) except +rl_raise
    cdef struct Pointwise "rl::Pointwise":
        const char* name
        int inputs
        Loop loops[DTYPES]
    const Pointwise* find_pointwise(const char*)
    KernelFunction find_kernel(const char*)
    void label_kernel "rl::label_kernel"(const char*, const char*)
    void serve_late "rl::serve_late"(const char*, unsigned) except +rl_raise
    cdef cppclass Geometry "rl::Geometry":
        int32_t ndim
        int64_t* shape
        int64_t* strides
        void resize(int) except +
        void copy(const Geometry&) except +
        void set_shape(const int64_t*, int) except +
        int64_t numel()
        cbool make_contiguous()
        int64_t lay_out(const Geometry&)
        cbool contiguous()
        cbool same_shape(const Geometry&)
        cbool same_strides(const Geometry&)
        int64_t reach(int64_t)
        cbool dense()
        cbool channels_last()
        cbool row_major()
        cbool overlaps_itself()
    const int64_t BEYOND "rl::beyond"
    int64_t checked_product "rl::checked_product"(int64_t, int64_t)
    int64_t checked_sum "rl::checked_sum"(int64_t, int64_t)
    int64_t wrapped_product "rl::wrapped_product"(int64_t, int64_t)
    int broadcast_shapes "rl::broadcast_shapes"(const Geometry&, const Geometry&, Geometry&)
    cbool expandable "rl::expandable"(const Geometry&, const Geometry&)
    void follow_inputs "rl::follow_inputs"(Geometry&, const Geometry**, int, bint)
    void follow_strides "rl::follow_strides"(Geometry&, const Geometry**, int)
    cbool view_strides "rl::view_strides"(const Geometry&, Geometry&)
    void* allocate "rl::allocate"(int64_t)
    void release "rl::release"(void*, int64_t)
    cdef struct MemoryStatistics "rl::MemoryStatistics":
        int64_t allocated
        int64_t cached
        int64_t peak
        int64_t allocations
    MemoryStatistics memory_statistics "rl::memory_statistics"()
    void reset_peak_memory "rl::reset_peak_memory"()
    int thread_count "rl::thread_count"()
    void set_thread_count "rl::set_thread_count"(int)
    cdef struct ProgramLine "rl::Program::Line":
        void* code
        int instruction
    cdef cppclass Program "rl::Program":
        int slots()
        int slot_of(const char*)
        cbool know(const char*, int64_t) except +
        void forget(int)
        void fail(const char*) except +
        void drew(RandomSource*) except +
        void count(char*, cbool, int) except +
        vector[int] plan(const vector[char]&, int) except +
        int64_t arena_bytes() noexcept
        int64_t block_bytes(int) noexcept
        cbool is_used(int, int, int) noexcept
        cbool puts_into(int) noexcept
        void run(char**, int, int) except +rl_raise
        int steps() noexcept
        cbool same_as(const Program&) noexcept
        cbool failed() noexcept
        const char* why() noexcept
        string name(int) except +
        vector[int] operands(int) except +
        vector[ProgramLine] lines
        int line(int) noexcept
        int failed_line
        vector[RandomSource*] generators
        int given
        int outside
        cbool busy
        double work
    int64_t tile_elements "rl::Program::tile"
    cdef cppclass Modes "rl::Modes":
        cbool grad
        cbool inference
        cbool wished
        cbool forward_ad
        cbool anomaly
        cbool anomaly_check_nan
        cbool multithreading
        cbool meta
        int32_t unwrapped
        int32_t interpreters
        int32_t function_modes
        int32_t transforms
        int32_t at_work
        Program* recording
        uint64_t derivatives
    Modes modes "rl::modes"
    cdef cppclass GradMode "rl::GradMode":
        void set(cbool)
    cdef cppclass MetaMode "rl::MetaMode":
        void set(cbool)

cdef extern from *:
    """
    static inline rl::DType rl_dtype(int code) { return static_cast<rl::DType>(code); }
    static inline rl::Array rl_array(char* data, int dtype, const rl::Geometry& g) {
      return rl::Array{data, static_cast<rl::DType>(dtype), g.ndim, g.shape, g.strides};
    }
    static inline rl::Array rl_scalar_array(void* data, int dtype) {
      return rl::Array{static_cast<char*>(data), static_cast<rl::DType>(dtype), 0, nullptr, nullptr};
    }
    static inline int rl_operand(const rl::Pointwise* kernel, int i) { return static_cast<int>(kernel->operands[i]); }
    """
    DType as_dtype "rl_dtype"(int) nogil
    Array make_array "rl_array"(char*, int, const Geometry&) nogil
    Array scalar_array "rl_scalar_array"(void*, int) nogil
    int operand_kind "rl_operand"(const Pointwise*, int) nogil

cdef enum:
    MAX_DIMS = 64

cdef extern from *:
    """
    // Is it so much work (counted in elements) that other Python threads run meanwhile?
    static inline bool rl_is_large(double work) { return work > 65536; }
    struct rl_unlocked {
      PyThreadState* state = PyEval_SaveThread();
      ~rl_unlocked() { PyEval_RestoreThread(state); }
    };
    template <class F, class... Arguments>
    static void rl_run_large(F* run, Arguments... arguments) {
      rl_unlocked unlocked;
      run(arguments...);
    }
    // Tensors of device "meta" have no memory: their addresses, each its own, begin where no processor has any, and no kernel runs on them.
    static constexpr uint64_t rl_first_meta = uint64_t(1) << 62;
    static inline bool rl_is_meta(const void* at) { return reinterpret_cast<uintptr_t>(at) >= rl_first_meta; }
    static inline char* rl_meta_address(int64_t bytes) {      // (Python's global lock guards it)
      static uint64_t next = rl_first_meta;
      if (next + bytes > 2 * rl_first_meta) next = rl_first_meta;
      uint64_t found = next;
      next += bytes / 64 * 64 + 64;
      return reinterpret_cast<char*>(found);
    }
    // What is being written down, told of the user's line; or nothing.
    [[gnu::cold, gnu::noinline]] static rl::Program* rl_recorded_at_line() {
      int instruction = 0;
      PyObject* code = (PyObject*)rl_user_code(&instruction);
      Py_XINCREF(code);     // (a Recorded lets it go)
      rl::modes.recording->at(code, instruction);
      return rl::modes.recording;
    }
    static inline rl::Program* rl_recording() { return rl::modes.recording ? rl_recorded_at_line() : nullptr; }
    // All that touches the elements of tensors goes through one of these, so that it can be written down and done again (core/replay).
    // Runs a kernel …
    static inline void rl_launch(rl::Kernel kernel, const rl::Array* arrays, int count, const rl::Number* numbers, int number_count, double work) {
      if (count && rl_is_meta(arrays[0].data)) return;
      if (rl::Program* now = rl_recording()) now->kernel(kernel, arrays, count, numbers, number_count, work);
      rl_is_large(work) ? rl_run_large(kernel, arrays, count, numbers) : kernel(arrays, count, numbers);
    }
    // … the loop of a pointwise kernel over whole arrays …
    static inline void rl_launch_loop(const rl::Pointwise* kernel, rl::DType compute, const rl::Array* operands, int count,
                                      const rl::Number* numbers, int number_count, double work) {
      if (rl_is_meta(operands[0].data)) return;
      if (rl::Program* now = rl_recording()) now->pointwise(kernel, compute, operands, count, numbers, number_count, work);
      rl_is_large(work) ? rl_run_large(rl::run_pointwise, kernel, compute, operands, count, numbers)
                        : rl::run_pointwise(kernel, compute, operands, count, numbers);
    }
    // … or the loop itself, over `n` elements; where a stride is 0 the operand is one number of `item` bytes, which a loop may read
    // before it begins: of no elements it is not called.
    static inline void rl_run_loop(rl::Loop loop, char* const* data, const int64_t* strides, int count, int64_t n, int item) {
      if (!n) return;
      if (rl::Program* now = rl_recording()) now->loop(loop, data, strides, count, n, item);
      loop(data, strides, n, nullptr);
    }
    static inline void rl_copy_bytes(char* to, const char* from, int64_t bytes) {
      if (rl::Program* now = rl_recording()) now->copy(to, from, bytes);
      memcpy(to, from, bytes);
    }
    static inline void rl_zero_bytes(char* at, int64_t bytes) {
      if (rl::Program* now = rl_recording()) now->zero(at, bytes);
      memset(at, 0, bytes);
    }
    // The core has put bytes there that do not come from a tensor.
    static inline void rl_wrote(char* at, int64_t bytes) {
      if (rl::Program* now = rl_recording()) now->wrote(at, bytes);
    }
    // What happens now depends on, or changes, what no tensor holds: what is being written down cannot be done again.
    static inline void rl_not_again(const char* why) {
      if (rl::Program* now = rl_recording()) now->fail(why);
    }
    """
    bint is_large "rl_is_large"(double work) noexcept
    bint has_meta_address "rl_is_meta"(const void*) noexcept
    char* meta_address "rl_meta_address"(int64_t) noexcept
    void launch "rl_launch"(KernelFunction, const Array*, int, const Number*, int, double work) except +rl_raise
    void launch_loop "rl_launch_loop"(const Pointwise*, DType, const Array*, int, const Number*, int, double work) except +rl_raise
    void run_loop "rl_run_loop"(Loop, char* const*, const int64_t*, int, int64_t, int) except +rl_raise
    void copy_bytes "rl_copy_bytes"(char*, const char*, int64_t) noexcept
    void zero_bytes "rl_zero_bytes"(char*, int64_t) noexcept
    void wrote "rl_wrote"(char*, int64_t) noexcept
    void not_again "rl_not_again"(const char*) noexcept
