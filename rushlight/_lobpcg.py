"""A few of the largest or smallest eigenvalues of symmetric matrices, by the locally optimal block preconditioned conjugate gradient method.

Knyazev (2001) has the method, Stathopoulos and Wu (2002) the orthogonalization of blocks, Duersch et al. (2018) the choice of directions.
"""

import rushlight as torch
from rushlight import _linalg_utils as utils
from rushlight.overrides import handle_torch_function, has_torch_function

__all__ = ["lobpcg"]

PRECISION = {torch.float32: 1.2e-7, torch.float64: 2.23e-16}


def _solve_beside(A, E, X, G):
    """(E_i - A)⁺ g_i for each column g_i of G, where x_i is the eigenvector of E_i alone."""
    vectors, G = X.mT.unsqueeze(-1), G.mT.unsqueeze(-1)
    G = G - vectors @ (vectors.mT @ G)
    eye = torch.eye(A.shape[-1], dtype=A.dtype)
    # (Along x_i itself the matrix is made regular; G has no part there, and the solution has none.)
    systems = E[..., None, None] * eye - A.unsqueeze(-3) + vectors @ vectors.mT
    return torch.linalg.solve(systems, G).squeeze(-1).mT


class LOBPCGAutogradFunction(torch.autograd.Function):
    """lobpcg with its derivative, of dense matrices A without B."""

    @staticmethod
    def forward(ctx, A, k=None, B=None, X=None, n=None, iK=None, niter=None, tol=None, largest=None, method=None, tracker=None,
                ortho_iparams=None, ortho_fparams=None, ortho_bparams=None):  # fmt: skip
        # (What is sparse is computed with as it is: its products are known to the graph by themselves.)
        A = A.contiguous() if not A.is_sparse else A
        B = B.contiguous() if B is not None and not B.is_sparse else B
        E, X = _lobpcg(A, k, B, X, n, iK, niter, tol, largest, method, tracker, ortho_iparams, ortho_fparams, ortho_bparams)
        ctx.save_for_backward(A, B, E, X)
        return E, X

    @staticmethod
    def backward(ctx, E_grad, X_grad):
        A, B, E, X = ctx.saved_tensors
        if A.is_sparse or (B is not None and B.is_sparse and ctx.needs_input_grad[2]):
            raise ValueError("lobpcg.backward does not support sparse input yet. Note that lobpcg.forward does though.")
        if B is not None:
            raise ValueError("lobpcg.backward does not support backward with B != I yet.")
        cotangent = X * E_grad.unsqueeze(-2) + _solve_beside(A, E, X, X_grad)
        return (cotangent @ X.mT, *(None,) * 13)


def lobpcg(A, k=None, B=None, X=None, n=None, iK=None, niter=None, tol=None, largest=None, method=None, tracker=None, ortho_iparams=None,
           ortho_fparams=None, ortho_bparams=None):  # fmt: skip
    """The `k` largest (or smallest) eigenvalues of symmetric matrices with their vectors: A X = X diag(E), or A X = B X diag(E).

    Args:
        A: Matrices of shape (*, m, m), dense or sparse; m is at least 3 k.
        k: How many eigenvalues are wanted (default: as many as X has columns, or 1).
        B: Positive definite matrices of shape (*, m, m) (default: the identity).
        X: Where the search begins, of shape (*, m, n) with n >= k (default: random).
        n: How many columns a random X has (default: k).
        iK: A preconditioner of shape (*, m, m), of the basic method.
        niter: After how many steps it ends (default: when it has converged).
        tol: The relative residual of what has converged (default: the square root of the precision).
        largest: Whether the largest ones are looked for (default) or the smallest.
        method: "ortho" (default), whose directions are kept orthogonal, or "basic", which may fail where they become dependent.
        tracker: Called after each step with the `LOBPCG` that is at work; what it keeps it has to copy.
        ortho_iparams, ortho_fparams, ortho_bparams: Settings of the orthogonalization, by their names (`LOBPCG.fparams`).

    Returns:
        (E, X) of shapes (*, k) and (*, m, k). Derivatives go to A, where that is dense and without B.

    >>> import rushlight as torch
    >>> E, X = torch.lobpcg(torch.diag(torch.tensor([3., 2., 1., 0.5])), k=1, niter=40)
    >>> E.round(decimals=3)
    tensor([3.])
    """
    options = {
        "k": k, "B": B, "X": X, "n": n, "iK": iK, "niter": niter, "tol": tol, "largest": largest, "method": method, "tracker": tracker,
        "ortho_iparams": ortho_iparams, "ortho_fparams": ortho_fparams, "ortho_bparams": ortho_bparams,
    }  # fmt: skip
    if has_torch_function((A, B, X, iK)) and not any(getattr(x, "is_sparse", False) for x in (A, B, X, iK)):
        return handle_torch_function(lobpcg, (A, B, X, iK), A, **options)
    if A.requires_grad or (B is not None and B.requires_grad):
        # Its derivative is that of a symmetric matrix.
        A = (A + A.t()) / 2 if A.is_sparse else (A + A.mT) / 2
        B = None if B is None else (B + B.t()) / 2 if B.is_sparse else (B + B.mT) / 2
        return LOBPCGAutogradFunction.apply(A, *(B if name == "B" else value for name, value in options.items()))
    return _lobpcg(A, **options)


def _lobpcg(A, k=None, B=None, X=None, n=None, iK=None, niter=None, tol=None, largest=None, method=None, tracker=None, ortho_iparams=None,
            ortho_fparams=None, ortho_bparams=None):  # fmt: skip
    assert A.shape[-2] == A.shape[-1], f"A must be square, got shape {A.shape}"
    if B is not None:
        assert A.shape == B.shape, f"A and B must have same shape, got {A.shape} vs {B.shape}"
    dtype = utils.get_floating_dtype(A)
    precision = PRECISION[dtype]
    m = A.shape[-1]
    k = (1 if X is None else X.shape[-1]) if k is None else k
    n = (k if n is None else n) if X is None else X.shape[-1]
    if m < 3 * n:
        raise ValueError(
            f"LOBPCG algorithm is not applicable when the number of A rows (={m}) is smaller than 3 x the number of requested eigenpairs (={n})"
        )
    method = "ortho" if method is None else method
    iparams = {"m": m, "n": n, "k": k, "niter": 1000 if niter is None else niter}
    fparams = {"tol": precision**0.5 if tol is None else tol}
    bparams = {"largest": True if largest is None else largest}
    if method == "ortho":
        iparams |= {"ortho_i_max": 3, "ortho_j_max": 3} | (ortho_iparams or {})
        fparams |= dict.fromkeys(("ortho_tol", "ortho_tol_drop", "ortho_tol_replace"), fparams["tol"]) | (ortho_fparams or {})
        bparams |= {"ortho_use_drop": False} | (ortho_bparams or {})
    if A.dim() == 2:
        X = torch.randn((m, n), dtype=dtype) if X is None else X
        assert len(X.shape) == 2 and X.shape == (m, n), f"X shape mismatch: got {X.shape}, expected {(m, n)}"
        return _searched(A, B, X, iK, iparams, fparams, bparams, method, tracker)
    lead = A.shape[:-2]
    count = lead.numel()
    starts = None if X is None else X.reshape(count, m, n)
    matrices = A.contiguous().view(count, m, m)
    masses = None if B is None else B.contiguous().view(count, m, m)
    found = []
    for i in range(count):
        iparams["batch_index"] = i
        mass = None if masses is None else masses[i]
        X = torch.randn((m, n), dtype=dtype) if starts is None else starts[i]
        found.append(_searched(matrices[i], mass, X, iK, iparams, fparams, bparams, method, tracker))
    E, X = (torch.stack(parts) for parts in zip(*found))
    return E.reshape(*lead, k), X.reshape(*lead, m, k)


def _searched(A, B, X, iK, iparams, fparams, bparams, method, tracker):
    worker = LOBPCG(A, B, X, iK, iparams, fparams, bparams, method, tracker)
    worker.run()
    return worker.E[: iparams["k"]], worker.X[:, : iparams["k"]]


class LOBPCG:
    """A search under way, as trackers see it.

    `iparams`, `fparams` and `bparams` are its settings (whole numbers, floats, truths), `ivars`, `fvars`, `bvars` and `tvars` where it stands:
    `ivars["istep"]`, `ivars["converged_count"]`, `tvars["rerr"]` (the relative residuals); `bvars["force_stop"] = True` ends it. `E` and `X` are
    the approximations, `R` the residuals, `S` the basis in which the next ones are looked for: X, directions of before, new directions.
    """

    def __init__(self, A, B, X, iK, iparams, fparams, bparams, method, tracker):
        self.A, self.B, self.iK = A, B, iK
        self.iparams, self.fparams, self.bparams = iparams, fparams, bparams
        self.method, self.tracker = method, tracker
        m, n = iparams["m"], iparams["n"]
        self.X = X
        self.E = torch.zeros((n,), dtype=X.dtype)
        self.R = torch.zeros((m, n), dtype=X.dtype)
        self.S = torch.zeros((m, 3 * n), dtype=X.dtype)
        self.tvars: dict = {}
        self.ivars: dict = {"istep": 0}
        self.fvars: dict = {"_": 0.0}
        self.bvars: dict = {"_": False}

    def run(self):
        """Steps until it has converged or is stopped."""
        self.update()
        self.call_tracker()
        while not self.stop_iteration():
            self.update()
            self.call_tracker()

    def call_tracker(self):
        """Shows the step to the tracker."""
        if self.tracker is not None:
            self.tracker(self)

    def stop_iteration(self):
        """Whether it ends."""
        return (
            self.bvars.get("force_stop", False)
            or self.ivars["iterations_left"] == 0
            or self.ivars["converged_count"] >= self.iparams["k"]
        )

    def update(self):
        """One step."""
        if self.ivars["istep"] == 0:
            size = float(torch.norm(self.X))
            scale = size**-1
            self.fvars["X_norm"] = size
            self.fvars["A_norm"] = float(torch.norm(utils.matmul(self.A, self.X))) * scale
            self.fvars["B_norm"] = float(torch.norm(utils.matmul(self.B, self.X))) * scale
            self.ivars["iterations_left"] = self.iparams["niter"]
            self.ivars["converged_count"] = self.ivars["converged_end"] = 0
        if self.method == "ortho":
            self._update_ortho()
        else:
            self._update_basic()
        self.ivars["iterations_left"] -= 1
        self.ivars["istep"] += 1

    def update_residual(self):
        """What is left of A X - B X diag(E)."""
        self.R = utils.matmul(self.A, self.X) - utils.matmul(self.B, self.X) * self.E

    def update_converged_count(self):
        """How many leading pairs have converged: they are searched no further."""
        before = self.ivars["converged_count"]
        scale = torch.norm(self.X, 2, (0,)) * (self.fvars["A_norm"] + self.E.abs() * self.fvars["B_norm"])
        errors = torch.norm(self.R, 2, (0,)) / scale
        count = 0
        while count < len(errors) and errors[count].item() <= self.fparams["tol"]:
            count += 1
        assert count >= before, f"the number of converged eigenpairs (was {before}, got {count}) cannot decrease"
        self.ivars["converged_count"] = count
        self.tvars["rerr"] = errors
        return count

    def _update_basic(self):
        n, done, end = self.iparams["n"], self.ivars["converged_count"], self.ivars["converged_end"]
        basis = self.S[:, done:end] if self.ivars["istep"] else self.X
        E, Z = self._ritz_pairs(basis)
        self._take(basis, E, Z, done)
        self._extend(basis @ Z[:, n : 2 * n - done], lambda R, _: utils.matmul(self.iK, R))

    def _ritz_pairs(self, basis):
        """The best eigenvalues in the span of a basis, and how the eigenvectors are made of it."""
        transform = self._get_rayleigh_ritz_transform(basis)
        E, Z = utils.symeig(utils.qform(utils.qform(self.A, basis), transform), self.bparams["largest"])
        return E, transform @ Z

    def _update_ortho(self):
        n, done, end = self.iparams["n"], self.ivars["converged_count"], self.ivars["converged_end"]
        if self.ivars["istep"] == 0:
            self.X = self.X @ self._ritz_pairs(self.X)[1]
            self._extend(self.X[:, :0], self._get_ortho)
            return
        basis = self.S[:, done:end]
        E, Z = utils.symeig(utils.qform(self.A, basis), self.bparams["largest"])
        self._take(basis, E, Z, done)
        here = n - done
        # The directions next to X, as near to the last ones as what is orthogonal to X can be.
        self._extend(basis @ (Z[:, here:] @ utils.basis(Z[:here, here:].mT)), self._get_ortho)

    def _take(self, basis, E, Z, done):
        """The best pairs of a basis become the approximations that have not converged."""
        here = self.iparams["n"] - done
        self.X = torch.cat([self.X[:, :done], basis @ Z[:, :here]], 1)
        self.E = torch.cat([self.E[:done], E[:here]])

    def _extend(self, P, further):
        """The next basis: X, the directions P, and what further(residuals, basis) makes of the pairs that have not converged. (PyTorch
        preconditions those in the basic method alone.)"""
        n = self.iparams["n"]
        self.update_residual()
        done = self.update_converged_count()
        old = torch.cat([self.X, P], 1)
        W = further(self.R[:, done:], old)
        end = old.shape[1] + W.shape[1]
        self.S = torch.cat([old, W, torch.zeros((self.iparams["m"], 3 * n - end), dtype=W.dtype)], 1)
        self.ivars["converged_end"] = end

    def _get_rayleigh_ritz_transform(self, S):
        """T with Tᵀ Sᵀ B S T = 1."""
        products = utils.qform(self.B, S)
        scale = products.diagonal().rsqrt()
        factor = torch.linalg.cholesky(scale[:, None] * products * scale)
        return torch.linalg.solve_triangular(factor.mT, torch.diag(scale), upper=True, left=False)

    def _get_svqb(self, U, drop, tau):
        """The columns of U, orthonormal by the products with B: what is smaller than `tau` is dropped, or counts as that."""
        if U.numel() == 0:
            return U
        products = utils.qform(self.B, U)
        scale = products.diagonal()
        nonzero = scale > 0
        if not bool(nonzero.all()):
            U, products, scale = U[:, nonzero], products[nonzero][:, nonzero], scale[nonzero]
        scale = scale.rsqrt()
        E, Z = utils.symeig(scale[:, None] * products * scale)
        least = tau * E.abs().max()
        if drop:
            kept = least < E
            E, Z = E[kept], Z[:, kept]
        else:
            E = torch.where(least > E, least, E)
        return U @ (scale[:, None] * Z * E.rsqrt())

    def _get_ortho(self, U, V):
        """The columns of U, orthonormal and orthogonal to those of V by the products with B."""
        m, tolerance = self.iparams["m"], self.fparams["ortho_tol"]
        drop = self.bparams["ortho_use_drop"]
        tau = self.fparams["ortho_tol_drop" if drop else "ortho_tol_replace"]
        BV = utils.matmul(self.B, V)
        size = torch.norm(BV)
        U = U - V @ (BV.mT @ U)
        i = j = 0
        for i in range(self.iparams["ortho_i_max"]):
            for j in range(self.iparams["ortho_j_max"]):
                U = self._get_svqb(U, drop, tau)
                if U.numel() == 0:
                    self.ivars["ortho_i"], self.ivars["ortho_j"] = i, j
                    return U
                BU = utils.matmul(self.B, U)
                off = U.mT @ BU - torch.eye(U.shape[1], dtype=U.dtype)
                error = float(torch.norm(off)) / (float(torch.norm(U)) * float(torch.norm(BU)))
                self.fvars[f"ortho_UBUmI_rerr[{i}, {j}]"] = error
                if error < tolerance:
                    break
            inside = BV.mT @ U
            error = float(torch.norm(inside)) / (float(size) * float(torch.norm(U)))
            self.fvars[f"ortho_VBU_rerr[{i}]"] = error
            if error < tolerance:
                break
            if m < U.shape[1] + V.shape[1]:
                B = self.B
                assert B is not None
                raise ValueError(
                    f"Overdetermined shape of U: #B-cols(={B.shape[-1]}) >= #U-cols(={U.shape[-1]}) + #V-cols(={V.shape[-1]}) must hold"
                )
            U = U - V @ inside
        self.ivars["ortho_i"], self.ivars["ortho_j"] = i, j
        return U
