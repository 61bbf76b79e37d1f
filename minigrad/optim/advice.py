"""What other libraries call the options of update rules, and what they are called here."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

ELSEWHERE = {  # what other libraries call options that are found here otherwise
    "alpha": "RMSprop calls it decay_rate=",
    "betas": "write beta1= and beta2=",
    "eps": "it is 1e-7 in every rule, as in the book",
    "learning_rate": "write lr=",
    "momentum": "use Momentum(params, lr, momentum=0.9)",
    "nesterov": "use Nesterov(params, lr, momentum=0.9)",
}


def with_advice(init: Callable[..., None]) -> Callable[..., None]:
    """Return an `__init__` whose error about an unknown option says what it is called here."""

    @functools.wraps(init)
    def run(self: Any, *arguments: Any, **options: Any) -> None:
        try:
            init(self, *arguments, **options)
        except TypeError as error:
            for name, advice in ELSEWHERE.items():
                if name in options and f"unexpected keyword argument '{name}'" in str(error):
                    said = str(error).partition(". Did you mean")[0]  # Python's own guess
                    raise TypeError(f"{said}: {advice}") from None
            raise

    return run
