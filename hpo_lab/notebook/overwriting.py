"""Which arguments a call of an array library may overwrite, by position and by keyword."""

from __future__ import annotations

__all__ = ["first_overwritten", "method_overwrites_from"]

_NEVER = 99


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UNARY = _words(
    """
abs absolute acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh
bitwise_count bitwise_invert bitwise_not cbrt ceil conj conjugate cos cosh deg2rad degrees
exp exp2 expm1 fabs floor invert isfinite isinf isnan isnat log log10 log1p log2
logical_not negative positive rad2deg radians reciprocal rint sign signbit sin sinh
spacing sqrt square tan tanh trunc fix isneginf isposinf
"""
)
_FROM_3 = _words(
    """
clip compress cumprod cumsum mean prod std sum take var
"""
)
_BINARY = _words(
    """
add arctan2 atan2 bitwise_and bitwise_or bitwise_xor copysign divide equal float_power
floor_divide fmax fmin fmod gcd greater greater_equal heaviside hypot lcm ldexp left_shift
less less_equal logaddexp logaddexp2 logical_and logical_or logical_xor matmul maximum
minimum mod multiply nextafter not_equal pow power remainder right_shift subtract
true_divide vecdot all amax amin any argmax argmin around array choose concat concatenate
dot max median min nanargmax nanargmin nanmax nanmedian nanmin outer ptp round stack
"""
)
_NO_OUTPUT = _words(
    """
allclose angle append apply_along_axis apply_over_axes arange argpartition argsort
argwhere array2string array_equal array_equiv array_split array_str average bincount block
column_stack convolve copy corrcoef correlate count_nonzero cov cross delete diag diff
digitize einsum empty empty_like expand_dims extract eye flatnonzero flip full full_like
geomspace gradient histogram histogram2d histogramdd histogram_bin_edges hsplit identity
in1d inner insert interp intersect1d isclose isin kron lexsort linspace logspace meshgrid
moveaxis nonzero ones ones_like pad partition polyfit polyval repeat roll rollaxis rot90
searchsorted select setdiff1d setxor1d sort split squeeze swapaxes take_along_axis
tensordot tile transpose trapezoid trapz tri tril triu union1d unique unravel_index vander
vdot vsplit vstack where zeros zeros_like
"""
)
_METHODS = {
    **dict.fromkeys(
        _words(
            """
clip compress cumprod cumsum mean prod std sum take var
"""
        ),
        2,
    ),
    "trace": 4,
    **dict.fromkeys(
        _words(
            """
agg align aggregate apply applymap assign between combine combine_first corr corrwith cov
fillna groupby insert join map mask melt merge pipe pivot pivot_table put reindex replace
searchsorted set_axis sort_values transform update where
"""
        ),
        _NEVER,
    ),
}


def first_overwritten(path: str) -> int:
    """The first position from which the function at *path* may overwrite what it is passed."""
    root, _, rest = path.partition(".")
    name = path.rpartition(".")[2]
    if root == "scipy":
        return 1 if rest.startswith("special.") else 2 if rest.startswith("ndimage.") else _NEVER
    if root != "numpy" or rest.startswith("random."):
        return _NEVER
    if rest.startswith(("linalg.", "fft.", "polynomial.")) or name in _NO_OUTPUT:
        return _NEVER
    if name == "at":
        return 0
    if name in _UNARY:
        return 1
    if name in _BINARY:
        return 2
    return 3 if name in _FROM_3 or name.startswith(("nan", "quantile", "percentile")) else 1


def method_overwrites_from(name: str) -> int:
    """The first position from which method *name* of an array may overwrite an argument."""
    return _METHODS.get(name, 1)
