"""`@sendoff.remote`: a function as ever here, and with a few verbs more for elsewhere."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from sendoff.functions.arguments import Bound, bind_all
from sendoff.functions.shipment import Options, ship
from sendoff.functions.spelling import found_at, modules_by_value, refuse

if TYPE_CHECKING:
    from sendoff.functions.mapped import Mapped
    from sendoff.handle import Run

P = ParamSpec("P")
R = TypeVar("R")


class Function(Generic[P, R]):
    """A function that can be sent off. Calling it calls the function, here and now."""

    def __init__(self, function: Callable[P, R], options: Options) -> None:
        refuse(function)
        self.__wrapped__: Callable[P, R] = function
        self._options = options
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it here."""
        return self.__wrapped__(*args, **kwargs)

    def remote(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it there, wait, and return what it returns.

        Raises:
            Exception: what the function raises, with the traceback from there as its cause.
            SendoffError: as `sendoff.Run.value`, and what sending it off raises.
        """
        value: R = self.spawn(*args, **kwargs).value()
        return value

    def spawn(self, *args: P.args, **kwargs: P.kwargs) -> Run:
        """Start a call there and return at once; `Run.value` is what it returns.

        Raises:
            SendoffError: what sending it off raises.
            TypeError: the function does not take such arguments.
        """
        return ship([Bound(function=self.__wrapped__, placed=args, named=kwargs)], self._options)

    def map(
        self,
        *iterables: Iterable[Any],
        kwargs: Mapping[str, Any] | None = None,
        return_exceptions: bool = False,
    ) -> Mapped[R]:
        """Call it there for each of the inputs side by side: one run, an index for each.

        Several iterables are taken side by side, as `map` takes them; `kwargs` is the same for all.
        It returns at once; to iterate is to wait, in the order of the inputs.

        Raises:
            SendoffError, TypeError: as `spawn`.
        """
        return self.starmap(
            zip(*iterables, strict=False), kwargs=kwargs, return_exceptions=return_exceptions
        )

    def starmap(
        self,
        inputs: Iterable[Iterable[Any]],
        *,
        kwargs: Mapping[str, Any] | None = None,
        return_exceptions: bool = False,
    ) -> Mapped[R]:
        """As `map`, each input being all arguments of one call."""
        from sendoff.functions.mapped import Mapped

        run = ship(bind_all(self.__wrapped__, inputs, kwargs), self._options)
        return Mapped(run, return_exceptions=return_exceptions)

    def options(self, **wishes: Any) -> Function[P, R]:
        """The same function, sent off in another way: `train.options(gpu="a40").remote(3e-4)`.

        Raises:
            Misuse: there is no such wish.
        """
        return Function(self.__wrapped__, self._options.changed(wishes))

    @property
    def asked(self) -> Options:
        """How it is sent off."""
        return self._options

    def __get__(self, instance: Any, owner: type | None = None) -> Function[..., R]:
        """A method is the function bound to its object, which goes with it."""
        if instance is None:
            return self
        return Function(functools.partial(self.__wrapped__, instance), self._options)

    def __reduce__(self) -> Any:
        """In a pickle it is the plain function: what is sent off does not send off."""
        import operator

        name: str = getattr(self.__wrapped__, "__qualname__", "")
        found = found_at(sys.modules.get(self.__module__), name)
        if found is self and self.__module__ not in {"__main__", *modules_by_value()}:
            return name
        # Its name may lead to the one that it was made of, else to the plain function or nothing.
        made = isinstance(found, Function) and found.__wrapped__ is self.__wrapped__
        plain = found if made and found is not self else self.__wrapped__
        return operator.itemgetter(0), ((plain,),)

    def __repr__(self) -> str:
        return f"<sendoff.Function {getattr(self, '__qualname__', self.__wrapped__)}>"


@overload
def remote(function: Callable[P, R], /) -> Function[P, R]: ...


@overload
def remote(**wishes: Any) -> Callable[[Callable[P, R]], Function[P, R]]: ...


def remote(function: Callable[..., Any] | None = None, /, **wishes: Any) -> Any:
    """Make a function one that can be sent off; `wishes` as for `sendoff.ship`.

    Of what is one already, a function sent off in another way, as by `Function.options`.

    `@sendoff.remote` and `@sendoff.remote(gpu="h100", timeout="1h", retries=2, outputs=["*.png"])`
    both do; so does `sendoff.remote(module.function)`. Several GPU classes may be a list, the
    preferred one first; `name` is what runs are called, `project` what is packed.

    Raises:
        Misuse: there is no such wish.
        FunctionRefused: it is a generator.
    """
    options = Options().changed(wishes)

    def made(found: Callable[..., Any]) -> Function[..., Any]:
        if isinstance(found, Function):
            return found.options(**wishes)
        return Function(found, options)

    return made if function is None else made(function)
