"""How an op is declared: decorators that turn a signature, a docstring and rules into a callable op.

Each kind carries what its ops share. `pointwise`: partial derivatives, from which vjp and jvp follow. `reduction`: dims and result dtypes.
`view` (in _views.py): geometry. `op`: a forward in Python with explicit rules. `composite`: a plain function of other ops. All of them take
the keywords that say where a declaration can be found: those of `register` and `place`.
"""

from rushlight import core
from rushlight.core import kernel
from rushlight.ops._names import backward_names, snake_case
from rushlight.ops._outputs import EXPECTED, FOUND, TEXTS
from rushlight.ops._signatures import FUNCTIONS, KEYWORDS, METHODS, defaults_of, has_method, parameters_of

__all__ = ["Sizes", "composite", "kernel", "namespaces", "op", "pointwise", "prepared", "reduction", "short_way", "table"]

table = {}
"""Every op by its name."""

namespaces = {"torch": {}, "Tensor": {}}
"""What appears where: namespace -> public name -> callable. "Tensor" holds the methods."""


without_gradient = {}
"""What functions give that has no gradient, by their public names: "comparison" (True or False) or "indices"."""


class Sizes:
    """Annotation of the parameter that takes x.view(2, 3) as well as x.view((2, 3))."""


NUMPY_KEYWORDS = {"dim": ("axis",), "keepdim": ("keepdims",)}


NAMED = {"g": (core.FROM_GRADIENT, 0), "wanted": (core.FROM_WANTED, 0), "out": (core.FROM_OUTPUT, 0)}
"""Where what rules call so comes from."""

ENDINGS = {"_shape": core.FROM_SHAPE, "_dtype": core.FROM_DTYPE, "_column_major": core.FROM_COLUMN_MAJOR, "_t": core.FROM_TANGENT}
"""What a rule gets of a parameter besides its value, by what stands behind the parameter's name."""


def keywords_of(parameters):
    """The index of the parameter that each keyword means."""
    found = {}
    for index, name in enumerate(parameters):
        for keyword in (name, *KEYWORDS.get(name, ()), *NUMPY_KEYWORDS.get(name, ())):
            found.setdefault(keyword, index)
    return found


PLACEMENT = {"aliases", "entry", "function", "gives", "inplace", "method", "namespace", "signature"}
"""The keywords of `register` and `place` that a declaration may have."""


class Declaration:
    """Every fact of an op that its driver and its rules do not need: its signature, read once, and what others ask for. Nothing changes it.

    `name` is that of its node, or several where the call decides; `gradient` that of the node of a recorded gradient, where PyTorch computes it by
    one op: True for the node's own name with another Backward behind (TanhBackwardBackward0); a dict has one for each parameter.
    `no_derivative` is the name in the error of an op that is recorded but cannot be differentiated. `out` says whether it takes `out=`, and
    `out_text` what refuses one of another dtype than the result (None: it is converted), where that is not usual for its kind. With `real`
    complex tensors are computed, but have no derivative in PyTorch; without `real_part` PyTorch refuses to differentiate by a real input where
    another input, or the dtype that is asked for, makes the result complex. `batch` is its batching rule as "family.rule" of func/batching,
    or a function, where that of its kind is not meant. `draws`: it draws random numbers. `flat` says why a gradient of it may be zero, in a
    word of explain/_zero.py; `fills`: what is not finite in its result is put there on purpose; `hazard`: why
    it, or its slope, may not be finite, in a word of explain/_finite.py. `public` is what programs call it, where
    neither its own name nor that of its node is; `overload` what PyTorch's dispatcher calls its overload ("default" where nothing is said), with
    "name." before it where PyTorch has the op by another name: a text, a function of the call's arguments (those of ops/_names.py), or two, the
    second for calls in place. `refusal` says in which words vmap refuses its call in place on a tensor without a batch: as "arithmetic"
    (that of a "number" alone), by its "name", or by the "shapes"; in the dispatcher's words otherwise. `domain` is the range of inputs that
    samples for the laws are taken from, where that is not (0.3, 0.9); `like` gives the same in public ops, for a law. `any_place`, `takes_lazy`, `fills_copy` and `wants_booleans` are those of core.Op. What remains
    says where the op can be found: the keywords of `register`.

    An op that goes with another is `called` otherwise than its function, runs `forward`, and has `extra` parameters behind the first.
    """

    def __init__(
        self,
        function,
        /,
        *,
        called=None,
        forward=None,
        extra=(),
        name=None,
        gradient=None,
        jvp=None,
        linear=False,
        outputs=(),
        result_type=None,
        differentiable=(0,),
        no_derivative=None,
        out=True,
        out_text="usual",
        real=False,
        real_part=True,
        batch=None,
        draws=False,
        flat=None,
        fills=False,
        hazard=None,
        public=None,
        overload=None,
        refusal=None,
        domain=None,
        like=None,
        any_place=False,
        takes_lazy=False,
        fills_copy=False,
        wants_booleans=False,
        **placement,
    ):
        called, forward = called or function.__name__, forward or function
        unknown = placement.keys() - PLACEMENT
        if unknown:
            raise TypeError(
                f"the declaration of {called} has {', '.join(map(repr, sorted(unknown)))}, which no declaration of its kind has"
            )
        parameters, defaults = parameters_of(function), defaults_of(function)
        sizes = next((i for i, each in enumerate(parameters) if function.__annotations__.get(each) is Sizes), -1)
        positional = function.__code__.co_argcount + len(extra)
        if extra:
            parameters, sizes = parameters[:1] + extra + parameters[1:], sizes + len(extra) if sizes >= 0 else -1
            defaults = defaults[:1] + (core.MISSING,) * len(extra) + defaults[1:]
        keywords = keywords_of(parameters)
        differentiable = tuple(outputs.index(each) if isinstance(each, str) else each for each in differentiable)
        self.__dict__.update(locals())
        if out_text not in ("usual", None):
            TEXTS[self.entry] = out_text

    def __setattr__(self, fact, value):
        raise AttributeError(f"the declaration of {self.called} is made once: its {fact} cannot change")

    @property
    def entry(self):
        """Its name in the table."""
        return self.placement.get("entry") or self.called

    def make(self, kind, rules, tensors, usual=EXPECTED):
        """The op: of a kind of the core, with the places of the parameters that are tensors, and what its kind usually says of an `out=`."""
        made = kind(
            self.called,
            self.forward,
            self.parameters,
            self.defaults,
            self.keywords,
            self.positional,
            self.sizes,
            backward_names(self.called, self.name),
            rules,
            self.outputs,
            self.result_type,
            self.differentiable,
            self.no_derivative,
            self.out,
            self.jvp,
            self.linear,
            tensors,
        )
        made.declaration = self
        made.refuses_complex, made.takes_real_part = self.real, self.real_part
        made.out_text = usual if self.out_text == "usual" else self.out_text
        made.any_place, made.takes_lazy = self.any_place, self.takes_lazy
        made.fills_copy, made.wants_booleans = self.fills_copy, self.wants_booleans
        for rule in made.rules:
            name = self.gradient.get(self.parameters[rule.parameter]) if isinstance(self.gradient, dict) else self.gradient
            rule.gradient_name = "" if name is True else name
        return made

    def sources(self, rule):
        """Where each parameter of a rule, or (with tangents: `x_t`) of a jvp, comes from, by its name."""
        return [self.source(name) for name in parameters_of(rule)]

    def source(self, name):
        """Where what a rule calls `name` comes from."""
        if name in NAMED:
            return NAMED[name]
        if name in self.outputs:
            return core.FROM_OUTPUT, self.outputs.index(name)
        if name in self.parameters:
            return core.FROM_ARGUMENT, self.parameters.index(name)
        for ending, kind in ENDINGS.items():
            if name.endswith(ending) and name.removesuffix(ending) in self.parameters:
                return kind, self.parameters.index(name.removesuffix(ending))
        raise TypeError(f"a rule of {self.called} asks for '{name}', which is neither a parameter nor an output")

    def index_of(self, parameter):
        """The place of a parameter."""
        if parameter not in self.parameters:
            raise TypeError(
                f"the declaration of {self.called} speaks of '{parameter}', but its parameters are {', '.join(self.parameters)}"
            )
        return self.parameters.index(parameter)

    def rule(self, parameter, function, *, slope=False, is_list=False):
        """A core rule for one parameter (None: for all inputs at once)."""
        index = -1 if parameter is None else self.index_of(parameter)
        sources = self.sources(function) if callable(function) else []
        return core.Rule(function, index, slope, is_list, sources)


def register(op, entry=None, *, inplace=False, **placement):
    """Puts an op where programs look for it.

    `entry` is its name in the table, where several ops share the name of the function. With `inplace` there is an in-place form
    besides, as a method; as a function too where that is "function". With `method="in place"` that is the only method. The rest is told to
    `place`.
    """
    if (entry or op.name) in table:
        raise TypeError(f"the op table has {entry or op.name} already: this one needs another name, or an `entry` of its own")
    table[entry or op.name] = op
    if (not placement.get("function", True) or placement.get("namespace") == "nn") and op.backward_names[0] is not None:
        op.title = snake_case(op.backward_names[0].rpartition("Backward")[0])
    only_in_place = placement.get("method") == "in place"
    place(op, entry or op.name, **(placement | {"method": False} if only_in_place else placement))
    if inplace:
        # (Some are functions alone, as threshold_; the others' methods are public where they have a signature.)
        function = placement.get("function", True)
        method = placement.get("method", True) is not False or not function
        placement |= {"method": method, "function": function and inplace == "function", "signature": True}
        place(core.InPlace(op), entry or op.name, suffix="_", **placement)
    return op


PREFIXES = {"torch": "", "nn": "", "aten": "", "linalg": "linalg_", "special": "special_", "fft": "fft_"}
"""What errors put before the names of a namespace's functions."""

VARIABLE = 4
"""The flag of a function's code that takes any number of arguments."""


def place(made, name, *, function=True, method=True, namespace="torch", aliases=(), suffix="", gives=None, signature=True):
    """Puts an op or composite under its public names: as a function of `namespace`, as a method of Tensor. In-place methods (`suffix`) are
    public where they have a signature by which their arguments are checked. `gives` goes into `without_gradient`. `signature` is the text
    of one that does not follow from the parameters (a dict has those of several names), None where PyTorch's function is one of Python, which
    checks nothing; `method` may be that of the method (or None), where it is not the function's."""
    for public in (name, *aliases):
        if gives:
            without_gradient[public] = gives
        text = signature.get(public, True) if isinstance(signature, dict) else signature
        public += suffix
        if function:
            namespaces.setdefault(namespace, {})[public] = made
            if isinstance(text, str):
                FUNCTIONS[PREFIXES[namespace] + public] = text
            elif text and public[0] != "_" and namespace in PREFIXES and can_derive(made):
                FUNCTIONS.setdefault(PREFIXES[namespace] + public, made)
        if method not in (True, False):
            METHODS[public] = method
        if method is not False and (not suffix or has_method(public)):
            namespaces["Tensor"][public] = made
            if method is None and not function and hasattr(made, "__qualname__"):
                made.__qualname__ = f"Tensor.{public}"  # (Python's errors of its arguments say so.)


def can_derive(made):
    return not hasattr(made, "__code__") or not made.__code__.co_flags & VARIABLE


LATE = {"unsigned": 1, "half": 2, "float8": 4, "e8m0": 8, "moves": 16, "not_by_one": 32}


def pointwise(
    slope=None,
    slopes=None,
    *,
    vjp=None,
    dtype="promote",
    inputs=None,
    kernel=None,
    label=None,
    late="",
    scaled=None,
    alpha_sign=1,
    swapped=False,
    tensors_only=False,
    wide_numbers=False,
    fits=None,
    row_major_of_number=False,
    row_major_kinds=0,
    keeps_strides=0,
    numbers_aside=0,
    numbers=None,
    check=None,
    number_name=None,
    fused=None,
    curvature=None,
    inplace=None,
    **facts,
):
    """Declares an op that works element by element.

    `slope` (one input) or `slopes` (one for each input, None where there is none) are the partial derivatives: callables that name what
    they need, or plain numbers. Where the op is not holomorphic, `vjp` (one rule, or a tuple) and `jvp` stand instead. `dtype` is "promote"
    or "float" (integers compute in the default dtype). `inputs` counts the operands (default: the parameters without a default);
    parameters behind them go to the kernel as numbers, through the function `numbers` if there is one. With `tensors_only` no operand may
    be a Python number. A number wraps around in the dtype that the op computes in, as a tensor of it would; with `fits` it has to fit: into
    that ("dtype"), into float32 where that is a half ("wide"; then its kind does not count for the result's dtype), into integers and halves
    alone ("narrow"), into all but halves ("no half"). The result of dtypes of the kinds `keeps_strides` (those of _rules) lies as its input to the
    letter, that of `row_major_kinds` row by row; `numbers_aside` has a bit for each input that is no operand in PyTorch where it is a number, which
    shows in how the result lies. `label` is what PyTorch's errors call the kernel, where that is not its name and
    "_cpu". `late` names the dtypes that came late which PyTorch computes it with (words of LATE). Of two `name`s of an op with one input
    the second is that of the call in place; `number_name` is that of arithmetic with a number within rules and compositions
    (core.unwrapped). `fused` names the kernel that computes what the first rule does, of real numbers: the cotangent times the slope (or it is a function of
    public ops that does so where no graph of the gradient is wanted). The derivatives of that are the rule's, unless `curvature(g, …)` is the
    one by the first value which the rule names: for ops that are differentiated often.
    Ops of one input are functions in place too, unless `inplace` is True.
    """

    def declare(body):
        declared = Declaration(body, **facts)
        count = inputs or sum(default is core.MISSING for default in declared.defaults)
        partials = slopes if slopes is not None else (slope,) if slope is not None else ()
        rules = [
            declared.rule(declared.parameters[i], partial, slope=True)
            for i, partial in enumerate(partials)
            if partial is not None
        ]
        products = vjp if isinstance(vjp, tuple) else (vjp,)
        rules += [declared.rule(declared.parameters[i], rule) for i, rule in enumerate(products) if rule is not None]
        made = declared.make(core.PointwiseOp, rules, tuple(range(count)), FOUND if count == 1 and dtype == "promote" else None)
        alpha = declared.parameters.index("alpha") if scaled else -1
        made.configure(
            kernel or declared.called,
            count,
            dtype == "float",
            scaled,
            alpha,
            alpha_sign,
            numbers,
            check,
            swapped,
            tensors_only,
            wide_numbers,
            row_major_of_number,
            fits,
        )
        made.number_name = number_name
        made.row_major_kinds, made.keeps_strides, made.numbers_aside = row_major_kinds, keeps_strides, numbers_aside
        for kernel_name in (kernel or declared.called, scaled):
            if label is not None and kernel_name:
                core.set_kernel_label(kernel_name, label)
            if late and kernel_name:
                core.set_kernel_late(kernel_name, sum(LATE[word] for word in late.split()))
        if callable(fused):
            made.rules[0].fuse(fused, False, core.EVERYWHERE)
        elif fused is not None:
            fuse_pointwise(made, fused, numbers, curvature, declared.gradient is not None)
        in_place = ("function" if len(declared.parameters) == 1 else True) if inplace is None else inplace
        return register(made, inplace=in_place, **declared.placement)

    return declare


def reduction(
    *,
    vjp=None,
    result="same",
    kernel=None,
    numbers=(),
    single=False,
    empty_error=None,
    bool_keeps_uint8=False,
    check=None,
    **facts,
):
    """Declares an op that folds the dimensions `dim` (all where it is None).

    `result` says what dtype comes out: "same", "sum" (int64 for integers), "floating", "real", "bool" or "int64". `numbers` names the
    parameters that the kernel gets. `empty_error(dim, x, given_dim)` makes the exception for an empty dimension without identity.
    `check(dtype, x, dim, any)` is called for bool and complex inputs, and raises for those that the op refuses; `any` says whether there are
    results at all.
    """

    def declare(body):
        declared = Declaration(body, **facts)
        rules = [] if vjp is None else [declared.rule(declared.parameters[0], vjp)]
        usual = None if result in ("sum", "floating") else EXPECTED
        made = declared.make(core.ReductionOp, rules, (0,), usual)
        made.configure(
            kernel or declared.called,
            result,
            [declared.index_of(number) for number in numbers],
            single,
            empty_error,
            max(1, len(declared.outputs)),
            bool_keeps_uint8,
            *(() if check is None else (check,)),
        )
        return register(made, **declared.placement)

    return declare


def op(
    *,
    vjp=None,
    joint=None,
    inputs=None,
    lists=(),
    fused=None,
    derives=None,
    variant=None,
    inplace=False,
    writes=False,
    row_major=False,
    expanded=False,
    apart=False,
    plain=None,
    prepare=None,
    **facts,
):
    """Declares an op whose forward is the decorated function (it runs with recording off).

    `vjp` is a rule (for the first parameter) or a dict from parameter to rule; or `joint` is one rule for all of `inputs`. `lists` names
    the parameters that are lists of tensors. `variant(*arguments)` chooses among several `name`s. With `writes` the function
    writes into its first argument, which is the target of an in-place call (with `expanded` also one with expanded dimensions, unless it says
    otherwise itself) and else a copy, `row_major` or in the argument's
    layout; of four names the last two are those of in-place calls. `plain` is the `short_way` of plain calls, and `prepare` what says of
    others what they do (core.Prepared). `out=` may not
    share memory with an input (`apart=True`), or not some of it alone, or (None) as it likes.
    Of two `name`s without `variant` the second is that of the call in place. `fused` does what the rule (of the first parameter, or the joint
    one) does, of the same arguments: the engine calls it for plain tensors where no graph of the gradient is wanted. Where PyTorch's graph
    has one node for that, `fused` is an op of its own, which `derives` from the rule: it is in no table, and its derivatives are the rule's.
    """

    def declare(body):
        declared = Declaration(body, **facts, **({} if prepare is None else {"forward": core.Prepared(body, prepare)}))
        if declared.no_derivative is not None:
            missing = (
                underived(f"derivative for aten::{declared.no_derivative} is not implemented", RuntimeError)
                if facts.get("name") == "NotImplemented"
                else underived(f"the derivative for '{declared.no_derivative}' is not implemented.")
            )
            rules_by_parameter = dict.fromkeys(inputs or declared.parameters[:1], missing)
        else:
            rules_by_parameter = vjp if isinstance(vjp, dict) else {} if vjp is None else {declared.parameters[0]: vjp}
        rules = [declared.rule(parameter, rule, is_list=parameter in lists) for parameter, rule in rules_by_parameter.items()]
        if joint is not None:
            rules = [declared.rule(None, joint)]
        tensors = inputs or tuple(rules_by_parameter) or declared.parameters[:1]
        places = tuple(map(declared.index_of, tensors))
        if derives is not None:
            sources = [
                (core.FROM_GRADIENT, 0),
                (core.FROM_WANTED, 0),
                *((core.FROM_ARGUMENT, i) for i in range(len(declared.parameters))),
            ]
            rules = [core.Rule(derived(derives, *places), -1, False, False, sources)]
        if fused is not None:
            rules[0].fuse(fused)
        made = declared.make(core.GeneralOp if plain is None else core.PlainOp, rules, places)
        made.choose_variant = variant
        if variant is None and len(made.backward_names) == 2:
            made.in_place_shift = 1
        made.writes, made.row_major, made.takes_expanded, made.apart = writes, row_major, expanded, apart
        made.fills_copy = writes or declared.fills_copy
        if plain is not None:
            made.configure(*plain)
        return made if derives is not None else register(made, inplace=inplace or writes, **declared.placement)

    return declare


def prepared(prepare):
    """A decorator: the function's calls are prepared once by `prepare` (core.Prepared)."""
    return lambda function: core.Prepared(function, prepare)


def short_way(kinds, outputs, kernel, *, results="", view=None):
    """What most calls of an op look like, for `op(plain=…)`: they run in core/drivers/plain.pxi, without a look at Python.

    `kinds` has a letter for each parameter (core.KINDS); what is behind those may be anything. `outputs` names the rule that makes the outputs;
    where they are not all of the first tensor's dtype, `results` has a letter for each: s that one, i int64. `kernel` gets the outputs, the
    tensors and the numbers, each in the order of the parameters. `view` is the op that the rule "placed" calls.
    """
    return kinds, outputs, kernel, results, view


def derived(rule, *places):
    """The derivative of a gradient that `rule` computes, by those of its arguments that stand at `places` and are wanted."""

    def joint(g, wanted, *given):
        chosen = tuple(place for place, is_wanted in zip(places, wanted, strict=True) if is_wanted)
        found = dict(zip(chosen, core.differentiate(rule, given, g, chosen), strict=True))
        return tuple(map(found.get, places))

    return joint


def fuse_pointwise(op, kernel, numbers, curvature, is_recorded):
    """Makes the gradient of an element-wise op in one kernel an op, whose derivatives are those of the rule that it stands for."""
    rule = op.rules[0]
    named = [
        (op.parameters[i] if kind == core.FROM_ARGUMENT else "out", i) for kind, i in rule.sources if kind != core.FROM_GRADIENT
    ]
    tensors = 1 + sum(name == "out" or i in op.tensor_parameters for name, i in named)
    given = [(core.FROM_ARGUMENT, i) for i in range(1 + len(named))]

    def vjp(g, *given):
        return g * rule.function(*given).conj() if rule.is_slope else rule.function(g, *given)

    def by(place):
        return lambda g, *given: core.differentiate(vjp, given, g, (place,))[0]

    if curvature is None:
        rules = [core.Rule(vjp, 0, False, False, [(core.FROM_GRADIENT, 0), *given[1:]])]
        rules += [core.Rule(by(i), i, False, False, [(core.FROM_GRADIENT, 0), *given]) for i in range(1, tensors)]
    else:
        rules = [core.Rule(rule.function, 0, True, False, given[1:]), core.Rule(curvature, 1, True, False, given)]
    made = core.PointwiseOp(
        f"{op.name}_backward",
        vjp,
        ("g", *(name for name, _ in named)),
        (core.MISSING,) * tensors + tuple(op.defaults[i] for _, i in named[tensors - 1 :]),
        {},
        len(given),
        -1,
        (op.backward_names[0].partition("Backward")[0] + "BackwardBackward0",),
        rules if is_recorded else [],
        allows_out=False,
        tensor_parameters=tuple(range(tensors)),
    )
    made.declaration = op.declaration
    made.configure(kernel, tensors, False, None, -1, 1, numbers)
    for each in (rule, rules[0]):
        each.fuse(made, True, core.IN_BATCHES if curvature is None else core.EVERYWHERE)


def underived(text, error=NotImplementedError):
    """A rule for an input whose derivative PyTorch does not have either."""

    def rule(g):
        raise error(text)

    rule.text = text
    return rule


def composite(body=None, *, name=None, **placement):
    """Declares a plain function of ops; it is differentiated through them."""

    def declare(body):
        if name is not None and placement.get("function") is False:
            body.__name__ = name  # (what __torch_function__ is told of a method)
        place(body, name or body.__name__, **placement)
        return body

    return declare if body is None else declare(body)
