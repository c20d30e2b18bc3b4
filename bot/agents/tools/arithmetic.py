"""Arithmetic, exact where it can be, by walking the parsed expression: nothing is executed."""

import ast
import math
import operator
import re
from collections.abc import Callable
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from bot.errors import ToolError

Number = Fraction | float

_MAX_BITS = 14_000
"""About 4,200 digits: what Python still prints."""
_MAX_EXPONENT = 10_000
_PERCENT = "PERCENT"
_WRITTEN = str.maketrans(
    {"\u00d7": "*", "\u00b7": "*", "\u00f7": "/", "\u2212": "-", "\u2013": "-", "^": "**"}
)
# Python's parser would warn about these, and take "1or 2" for an expression.
_GLUED = re.compile(r"[0-9.](?:[a-df-z]|e(?![0-9+-]))")
_DISPLAYED = Context(prec=15)


def evaluate(expression: str) -> Number:
    """The expression's value. Raises ToolError for what is none, or is too large."""
    try:
        tree = ast.parse(_as_python(expression), mode="eval")
        return _value(tree.body)
    except ZeroDivisionError:
        raise ToolError("That divides by zero.") from None
    except (OverflowError, MemoryError, RecursionError):
        raise ToolError("That is too large to calculate.") from None
    except (SyntaxError, ValueError, TypeError) as error:
        raise ToolError(f"That can't be calculated: {error}.") from None


def show(value: Number) -> str:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ToolError("That is too large to calculate.")
        value = Fraction(value)
    if value.denominator == 1 and value.numerator.bit_length() <= _MAX_BITS:
        return str(value.numerator)
    rounded = _DISPLAYED.divide(Decimal(value.numerator), Decimal(value.denominator)).normalize()
    plain = -7 <= rounded.adjusted() <= 20
    return f"{rounded:f}" if plain else f"{rounded:E}"


def _as_python(expression: str) -> str:
    text = expression.strip().rstrip("=? ").translate(_WRITTEN).lower()
    text = re.sub(r"(?<=[\d)])\s*x\s*(?=[\d(.])", "*", text)
    if not re.search(r"[a-z]\s*\(", text):
        text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    if _GLUED.search(text):
        raise ToolError("That can't be calculated: there is a letter right after a number.")
    # A percent sign with no operand after it is no remainder.
    text = re.sub(r"%\s*of\b", "% *", text)
    sign = r"\s*%(?!\s*[\w(.])"
    text = re.sub(rf"(\d+(?:\.\d*)?|\.\d+){sign}", rf"(\1*{_PERCENT})", text)
    return re.sub(rf"\){sign}", f")*{_PERCENT}", text)


def _value(node: ast.expr) -> Number:
    match node:
        case ast.Constant(value=bool() | str() | bytes() | complex() | None):
            raise ToolError("Only numbers can be calculated with.")
        case ast.Constant(value=int() | float() as number):
            return Fraction(str(number)) if math.isfinite(number) else math.inf
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand)
        case ast.BinOp(left=left, op=op, right=right):
            return _checked(_binary(op, _value(left), right))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            return _checked(_FUNCTIONS[name](*(_value(a) for a in args)))
        case ast.Call(func=ast.Name(id=name)) | ast.Name(id=name):
            raise ToolError(f"{name!r} is not known here.")
    raise ToolError("Only arithmetic can be calculated.")


def _binary(op: ast.operator, left: Number, node: ast.expr) -> Number:
    right = _value(node)
    if isinstance(op, ast.Add | ast.Sub) and _is_percentage(node):
        right = left * right
    if isinstance(op, ast.Pow):
        return _power(left, right)
    if type(op) not in _OPERATORS:
        raise ToolError("Only arithmetic can be calculated.")
    result: Number = _OPERATORS[type(op)](left, right)
    return Fraction(result) if isinstance(result, int) else result


def _is_percentage(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.right, ast.Name)
        and node.right.id == _PERCENT
    )


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        size = max(base.numerator.bit_length(), base.denominator.bit_length())
        if abs(exponent) > _MAX_EXPONENT or size * abs(exponent) > _MAX_BITS:
            raise ToolError("That power is too large to calculate.")
        whole = int(exponent)
        power = Fraction(base.numerator ** abs(whole), base.denominator ** abs(whole))
        return power if whole >= 0 else 1 / power
    result: object = float(base) ** float(exponent)
    if not isinstance(result, float):
        raise ToolError("That has no real value.")
    return result


def _checked(value: Number) -> Number:
    if isinstance(value, Fraction):
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > 4 * _MAX_BITS:
            raise ToolError("That is too large to calculate.")
    elif not math.isfinite(value):
        raise ToolError("That is too large to calculate.")
    return value


def _round(value: Number, digits: Number = 0) -> Number:
    if abs(float(digits)) > 1000:
        raise ToolError("That is more places than can be rounded to.")
    places = int(digits)
    step = Fraction(10**places) if places >= 0 else Fraction(1, 10**-places)
    scaled = Fraction(value) * step
    half_up = math.floor(abs(scaled) + Fraction(1, 2))
    return Fraction(half_up if scaled >= 0 else -half_up) / step


def _factorial(value: Number) -> Number:
    if value != int(value) or not 0 <= value <= 1000:
        raise ToolError("factorial takes a whole number from 0 to 1000.")
    return Fraction(math.factorial(int(value)))


def _square_root(value: Number) -> Number:
    if isinstance(value, Fraction) and value >= 0:
        root = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
        if root * root == value:
            return root
    return math.sqrt(value)


def _log(value: Number, base: Number | None = None) -> Number:
    if value <= 0:
        raise ToolError("Only positive numbers have a logarithm.")
    # math.log takes integers of any size, but no fraction beyond a float.
    if isinstance(value, Fraction):
        natural = math.log(value.numerator) - math.log(value.denominator)
    else:
        natural = math.log(value)
    return natural if base is None else natural / math.log(base)


def _log_of(base: int) -> Callable[[Number], Number]:
    exact = {2: math.log2, 10: math.log10}[base]

    def log(value: Number) -> Number:
        if value <= 0:
            raise ToolError("Only positive numbers have a logarithm.")
        if isinstance(value, Fraction):
            return exact(value.numerator) - exact(value.denominator)
        return exact(value)

    return log


_CONSTANTS: dict[str, Number] = {
    "pi": math.pi,
    "e": math.e,
    "tau": math.tau,
    _PERCENT: Fraction(1, 100),
}

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}

_FUNCTIONS: dict[str, Callable[..., Number]] = {
    "sqrt": _square_root,
    "abs": abs,
    "round": _round,
    "floor": lambda v: Fraction(math.floor(v)),
    "ceil": lambda v: Fraction(math.ceil(v)),
    "min": min,
    "max": max,
    "sum": lambda *values: sum(values, Fraction(0)),
    "ln": _log,
    "log": _log,
    "log10": _log_of(10),
    "log2": _log_of(2),
    "exp": math.exp,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "factorial": _factorial,
}
